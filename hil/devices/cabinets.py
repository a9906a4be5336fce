"""The kinds of cabinet the virtual controller can be: protocol, line, and what a site file says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.devices.centre import PolledLine
from hil.devices.controller_view import Front
from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Front as Gbt20999Front
from hil.devices.gbt20999_front import Manners as Gbt20999Manners
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS

# NTCIP and TSCBM: groups 1 to 16 are vehicle phases, 17 to 20 pedestrians of phases 1 to 4, 21 to 24 overlaps
OUTPUTS = {
    group: f"phase {group}"
    if group <= 16
    else f"ped {group - 16}"
    if group <= 20
    else f"overlap {group - 20}"
    for group in GROUPS
}
VEHICLES = frozenset(GROUPS) - frozenset(range(17, 21))
ADDRESSES = {group: group - 1 for group in GROUPS}
COLOURS = ("red", "yellow", "green")
INPUTS = {group: {colour: 3 * (group - 1) + n for n, colour in enumerate(COLOURS)} for group in GROUPS}


@dataclass(frozen=True)
class Choices:
    """What the command line chose of a cabinet."""

    baud: int
    seed: int
    profile: Profile
    manners: Gbt20999Manners


@dataclass(frozen=True)
class Cabinet:
    """line: serial, udp, udp_to (it sends to the agent), tcp, tcp_to (it dials the agent)."""

    driver: str
    line: str
    front: Callable[[SignalModel, Choices], Front]
    baud: int = 115200
    site: Mapping[str, Any] = field(default_factory=dict)
    slow: bool = False  # grade C: only on air where the site file says so
    blind: frozenset[int] = frozenset()  # groups whose green flash this protocol does not tell from steady


def _gbt20999(model: SignalModel, choices: Choices) -> Front:
    return Gbt20999Front(model, choices.profile, choices.manners, choices.seed)


def _polled(model: SignalModel, choices: Choices) -> Front:
    return PolledLine(_gbt20999(model, choices), choices.profile)


def _unescaped(model: SignalModel, choices: Choices) -> Front:
    manners = choices.manners.__class__(**{**choices.manners.__dict__, "escaped": False})
    return Gbt20999Front(model, choices.profile, manners, choices.seed)


def _ntcip_udp(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.ntcip_front import NtcipFront, NtcipManners

    return NtcipFront(model, NtcipManners(), choices.seed)


def _ntcip_pmpp(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.ntcip_front import NtcipFront, NtcipManners

    return NtcipFront(model, NtcipManners(carriage="pmpp", baud=choices.baud), choices.seed)


def _gat1743(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.gat1743_front import Gat1743Front, Gat1743Manners

    return Gat1743Front(model, Gat1743Manners(), choices.seed)


def _tscbm(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.tscbm_front import TscbmFront, TscbmManners

    return TscbmFront(model, TscbmManners(), choices.seed)


def _gat508(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.gat508_front import Gat508Front, Gat508Manners

    return Gat508Front(model, Gat508Manners(), choices.seed)


def _lamp_inputs(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.lamp_inputs_front import LampInputsFront, LampInputsManners

    return LampInputsFront(model, LampInputsManners(), choices.seed)


def _rsmp(model: SignalModel, choices: Choices) -> Front:
    from hil.devices.rsmp_front import RsmpFront, RsmpManners

    return RsmpFront(model, RsmpManners(), choices.seed)


CABINETS: dict[str, Cabinet] = {
    "gbt20999": Cabinet("gbt20999", "serial", _gbt20999, site={"role": "master"}),
    "gbt20999-listener": Cabinet("gbt20999", "serial", _polled, site={"role": "listener", "groups": 24}),
    "gbt20999-tcp": Cabinet("gbt20999", "tcp", _gbt20999),
    "gbt20999-udp": Cabinet("gbt20999", "udp", _unescaped),
    "gat1743": Cabinet("gat1743", "udp", _gat1743),
    "gat1743-serial": Cabinet("gat1743", "serial", _gat1743),
    "gat1743-tcp": Cabinet("gat1743", "tcp", _gat1743),
    "tscbm": Cabinet("tscbm", "udp_to", _tscbm, site={"groups": OUTPUTS}),
    "ntcip1202": Cabinet("ntcip1202", "udp", _ntcip_udp, site={"groups": OUTPUTS}, blind=VEHICLES),
    "ntcip1202-pmpp": Cabinet("ntcip1202", "serial", _ntcip_pmpp, site={"groups": OUTPUTS}, blind=VEHICLES),
    "gat508": Cabinet(
        "gat508", "serial", _gat508, 9600, {"groups": ADDRESSES}, slow=True, blind=frozenset(GROUPS)
    ),
    "lamp_sense": Cabinet(
        "lamp_sense", "serial", _lamp_inputs, 19200, {"groups": INPUTS, "parity": "none"}, slow=True
    ),
    "rsmp": Cabinet("rsmp", "tcp_to", _rsmp, slow=True),
}
