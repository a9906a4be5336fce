"""How the guard reads the SPAT of each set, and what each lamp must be in it: data beside small readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.moment import UtcStamp
from rsu_agent.outlets.dsrc_reader import DsrcRead, read_frame, read_spatem, reckoned
from rsu_agent.outlets.guard_table import LIGHT_OF, STATE_OF
from rsu_agent.outlets.spat_reader import SpatRead, read_spat
from rsu_agent.world.signal import Colour

COLUMN_OF_RIGHT = {Right.PERMISSIVE: 0, Right.PROTECTED: 1, Right.WALK: 2}  # of STATE_OF


@dataclass(frozen=True, slots=True)
class Rules:
    """One set's. read: a frame, its times reckoned from an instant. Raises NotSpat.

    groups: number on air -> the lamp groups it speaks for. column: number on air -> which column of `lights`
    holds for them. revision: the only one allowed, None where it follows the content.
    """

    read: Callable[[bytes, UtcStamp | None], SpatRead]
    groups: Mapping[int, tuple[int, ...]]
    column: Mapping[int, int]
    lights: Mapping[Colour, Sequence[int]]
    revision: int | None = None
    flash_is_green: bool = False  # a vehicle's flashing green is green still, and ends with the flash


def csae_rules(phases: Mapping[int, Sequence[int]], arrows: Collection[int]) -> Rules:
    """Of T/CSAE 53: phases; a phase of arrows alone is protected (field-rules 2.2)."""
    groups = {phase: tuple(members) for phase, members in phases.items()}
    column = {phase: int(all(group in arrows for group in members)) for phase, members in groups.items()}
    return Rules(lambda frame, _now: read_spat(frame), groups, column, LIGHT_OF)


def etsi_rules(rights: Mapping[int, Right], revision: int) -> Rules:
    """Of SPATEM: a signal group a lamp group, the revision of the MAPEM."""
    return _dsrc_rules(rights, read_spatem, Edition.ISO_19091, revision)


def j2735_rules(rights: Mapping[int, Right], edition: Edition) -> Rules:
    """Of J2735's SPAT: as SPATEM, but the revision is its own and the edition says what is unknown."""
    return _dsrc_rules(rights, read_frame, edition, None)


def _dsrc_rules(
    rights: Mapping[int, Right], read: Callable[[bytes], DsrcRead], edition: Edition, revision: int | None
) -> Rules:
    groups = {number: (number,) for number in rights}
    column = {number: COLUMN_OF_RIGHT[right] for number, right in rights.items()}
    reader = partial(_read_reckoned, read, edition.unknown_mark)
    return Rules(reader, groups, column, STATE_OF, revision, flash_is_green=True)


def _read_reckoned(
    read: Callable[[bytes], DsrcRead], unknown: int, frame: bytes, now: UtcStamp | None
) -> SpatRead:
    return reckoned(read(frame), now, unknown)
