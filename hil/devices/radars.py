"""The kinds of radar the virtual one can be: protocol, line, and what a site file says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.devices.radar_front import Fitting, RadarFront

Site = Callable[[Mapping[str, Any]], dict[str, Any]]


def _data_port(told: Mapping[str, Any]) -> dict[str, Any]:
    """TI: two ports, of which the command port is only there for who wants to configure."""
    return {"data_port": told["data_port"], "baud": told["baud"]}


def _serial(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"port": told["port"], "baud": told["baud"]}


def _tcp(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"port": f"tcp://{told['host']}:{told['tcp_port']}"}


def _udp_in(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"port": f"udp-in://127.0.0.1:{told['agent_port']}"}


def _slcan(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"interface": "slcan", "channel": told["port"], "bitrate": 500_000}


def _socketcand(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"interface": "socketcand", "channel": "can0", "host": told["host"], "port": told["tcp_port"]}


@dataclass(frozen=True)
class RadarKind:
    """line: serial, tcp, udp_to (it sends to the agent), slcan, socketcand. places: whether it tells where.

    options: what the front is told. ports: what the site file says of the line, from the ready file's words;
    site: what it says besides.
    """

    driver: str
    line: str
    front: Callable[[Fitting], RadarFront]
    ports: Site
    baud: int = 115200
    options: Mapping[str, str] = field(default_factory=dict)
    site: Mapping[str, Any] = field(default_factory=dict)
    places: bool = True


def _today(fitting: Fitting) -> RadarFront:
    from hil.devices.radar import PlainFront

    return PlainFront(fitting)


def _ti(fitting: Fitting) -> RadarFront:
    from hil.devices.ti_front import TiFront

    return TiFront(fitting)


def _ars(fitting: Fitting) -> RadarFront:
    from hil.devices.ars_front import ArsFront

    return ArsFront(fitting)


def _umrr(fitting: Fitting) -> RadarFront:
    from hil.devices.umrr_front import UmrrFront

    return UmrrFront(fitting)


def _ops243(fitting: Fitting) -> RadarFront:
    from hil.devices.ops243_front import Ops243Front

    return Ops243Front(fitting)


def _csr(fitting: Fitting) -> RadarFront:
    from hil.devices.csr_front import CsrFront

    return CsrFront(fitting)


def _ss125(fitting: Fitting) -> RadarFront:
    from hil.devices.ss125_front import Ss125Front

    return Ss125Front(fitting)


def _rtms(fitting: Fitting) -> RadarFront:
    from hil.devices.rtms_front import RtmsFront

    return RtmsFront(fitting)


def _json(fitting: Fitting) -> RadarFront:
    from hil.devices.json_radar_front import JsonRadarFront

    return JsonRadarFront(fitting)


def _ti_kind(profile: str) -> RadarKind:
    return RadarKind(
        "ti_mmwave", "serial", _ti, _data_port, 921600, {"profile": profile}, {"profile": profile}
    )


JSON_SITE = {  # where the words of json_radar_front stand
    "coord": "sensor_xy",
    "targets": "targets",
    "frame": "frame",
    "time": "timestamp",
    "fields": {
        "id": "id",
        "x": "x",
        "y": "y",
        "vx": "speedX",
        "vy": "speedY",
        "kind": "type",
        "length": "length",
        "width": "width",
        "exists": "confidence",
    },
    "latency_ms": 60,
}
SENSOR = {"sensor": 1, "subnet": 1}
# Keys besides driver, name, pose and field are a reading of the facts: held to the drivers where they exist.
RADARS: dict[str, RadarKind] = {
    "ti_mmwave": RadarKind("ti_mmwave", "serial", _today, _data_port, 921600),
    "ti_mmwave-sdk": _ti_kind("sdk"),
    "ti_mmwave-traffic": _ti_kind("traffic_monitoring"),
    "ti_mmwave-pc3d": _ti_kind("pc3d_4x"),
    "ti_mmwave-area": _ti_kind("area"),
    "ti_mmwave-toolbox": RadarKind(
        "ti_mmwave", "serial", _ti, _data_port, 921600, {"profile": "toolbox"}, {"profile": "sdk"}
    ),
    "ars40x": RadarKind("ars40x", "socketcand", _ars, _socketcand),
    "ars40x-slcan": RadarKind("ars40x", "slcan", _ars, _slcan, 2_000_000),
    "ars40x-clusters": RadarKind("ars40x", "socketcand", _ars, _socketcand, options={"output": "2"}),
    "ars40x-nanoradar": RadarKind(
        "ars40x", "socketcand", _ars, _socketcand, options={"dialect": "nano"}, site={"dialect": "nanoradar"}
    ),
    "umrr0c": RadarKind("umrr0c", "serial", _umrr, _serial),
    "ops243": RadarKind("ops243", "serial", _ops243, _serial, 57600, places=False),
    "csr_speed": RadarKind("csr_speed", "serial", _csr, _serial, 9600, site={"format": "byte"}, places=False),
    "ss125": RadarKind("ss125", "tcp", _ss125, _tcp, site=SENSOR, places=False),
    "ss125-serial": RadarKind("ss125", "serial", _ss125, _serial, 9600, site=SENSOR, places=False),
    "rtms_g4": RadarKind("rtms_g4", "serial", _rtms, _serial, 9600, places=False),
    "json_udp": RadarKind("json_udp", "udp_to", _json, _udp_in, site=JSON_SITE),
}
DEFAULT = "ti_mmwave"
