"""OpenV2X: topics and JSON (facts/uplink 7.4). What the platform misses it never gets again."""

from __future__ import annotations

from rsu_agent.outlets.profiles.told import Body, Record, Teller, Told, intersections, iso_ms, percent, rsms

ROOT = "V2X/RSU"
PROTOCOL = "1.0"


def openv2x(record: Record, teller: Teller) -> Told:
    """Nothing for a kind that the platform has no place for."""
    head: Body = {"rsuId": teller.rsu_id, "rsuEsn": teller.esn}
    match record["k"]:
        case "hb":
            return [(f"{ROOT}/HB/UP", {**head, "timestamp": iso_ms(record["t"])})]
        case "base":
            return [(f"{ROOT}/BaseINFO/UP", {**head, **_base(record)})]
        case "run":
            load = {"cpu": percent(record["cpu"]), "mem": percent(record["mem"])}
            return [
                (f"{ROOT}/RunningInfo/UP", {**head, **load, "disk": percent(record["disk"]), "net": None})
            ]
        case "spat":
            body = {"name": teller.name, "intersections": intersections(record)}
            return [(f"{ROOT}/{teller.rsu_id}/SPAT/UP", body)]
        case "objs":
            return [(f"{ROOT}/{teller.rsu_id}/RSM/UP", {"rsms": rsms(record, teller)})]
    return []


def _base(record: Record) -> Body:
    return {
        "protocolVersion": PROTOCOL,
        "rsuStatus": "online",
        "location": {"lat": record["lat"], "lon": record["lon"]},
        "imei": "",
        "iccid": "",
        "communicationType": "PC5",
        "softwareVersion": record["ver"],
        "hardwareVersion": record["os"],
        "depart": "",
    }
