"""What the profiles have in common: who tells, the units of T/CSAE 53 as JSON, RSM, RSI and SPAT bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Record = Mapping[str, Any]
Body = dict[str, Any]
Told = list[tuple[str, Body]]

NO_SPEED, NO_HEADING = 8191, 28_800
PTC_TYPE = {  # ParticipantType of T/CSAE 53: 1 motor, 2 non-motor, 3 pedestrian
    **dict.fromkeys(("car", "truck", "bus"), 1),
    **dict.fromkeys(("motorcycle", "bicycle", "tricycle", "cart"), 2),
    "pedestrian": 3,
}
SOURCE = {"selfinfo": 1, "v2x": 2, "video": 3, "microwaveRadar": 4, "loop": 5, "lidar": 6, "integrated": 7}
EVENT_SOURCE = "detection"
RADIUS_DM = 50


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells. esn: the serial number that the platform knows us by. codes: hazard kind -> GB/T 29100."""

    rsu_id: str
    esn: str
    name: str
    node: int
    region: int | None
    lat_deg: float
    lon_deg: float
    codes: Mapping[str, int] = field(default_factory=dict)


def point(lat_deg: float, lon_deg: float) -> Body:
    """In 1e-7 degrees; no height is known."""
    return {"lat": round(lat_deg * 1e7), "lon": round(lon_deg * 1e7), "ele": None}


def iso_ms(utc_us: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(utc_us // 1000 / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{utc_us // 1000 % 1000:03d}Z"
    )


def minute_of_year(utc_us: int) -> int:
    """Of UTC, from 0."""
    at = datetime.fromtimestamp(utc_us // 1_000_000, UTC)
    return (at.timetuple().tm_yday - 1) * 1440 + at.hour * 60 + at.minute


def percent(share: float | None) -> float | None:
    """A share as a percentage."""
    return None if share is None else round(share * 100, 1)


def participants(record: Record) -> list[Body]:
    """Of `objs`, in the units of T/CSAE 53."""
    mark = record["t"] // 1000 % 60_000
    return [
        {
            "ptcType": PTC_TYPE.get(user["c"], 0),
            "ptcId": user["i"],
            "source": SOURCE.get(user["src"], 0),
            "secMark": mark,
            "pos": point(user["lat"], user["lon"]),
            "speed": NO_SPEED if user["v"] is None else round(user["v"] / 0.02),
            "heading": NO_HEADING if user["hd"] is None else round(user["hd"] / 0.0125),
            "size": {"length": _cm(user["ln"]), "width": _cm(user["wd"])},
        }
        for user in record["ob"]
    ]


def rsms(record: Record, teller: Teller) -> list[Body]:
    """Of `objs`: one RSM with everybody."""
    reference = point(teller.lat_deg, teller.lon_deg)
    return [{"refPos": reference, "participants": participants(record)}]


def intersections(record: Record) -> list[Body]:
    """Of live `spat`; ends in tenths of a second from its instant, as on air."""
    phases = [
        {"phaseId": phase["p"], "phaseStates": [{"light": phase["l"], "timing": _timing(phase, record["t"])}]}
        for phase in record["ph"]
    ]
    number = {"region": record["rg"], "id": record["node"]}
    return [{"intersectionId": number, "status": record["st"], "phases": phases}]


def _timing(phase: Record, utc_us: int) -> Body | None:
    def tenths(end_us: int | None) -> int | None:
        return None if end_us is None else max(0, (end_us - utc_us) // 100_000)

    if phase["e"] is None and phase["lo"] is None:
        return None
    ends = {"likelyEndTime": phase["e"], "minEndTime": phase["lo"], "maxEndTime": phase["hi"]}
    return {"startTime": 0, **{name: tenths(end) for name, end in ends.items() if end is not None}}


def _cm(metres: float | None) -> int | None:
    return None if metres is None else round(metres * 100)
