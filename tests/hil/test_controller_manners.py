"""The virtual controller's vendor manners, its cabinet and its life by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.gbt20999_cabinet import constants
from hil.devices.gbt20999_codec import Address, Message, Profile, Reader, build
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS

PROFILE = Profile()
NOON = datetime(2026, 5, 17, 4, 0, 0, tzinfo=UTC).timestamp()  # noon in Beijing


def asked(front: Front, *addresses: Address, kind: int = 0x10, serial: int = 41) -> list[Message]:
    entries = tuple((i, address, b"") for i, address in enumerate(addresses, 1))
    front.hear(build(Message(kind, 5, 0, 0, serial, entries), PROFILE), 0.0)
    due_s = front.next_s()
    assert due_s is not None
    return list(Reader(PROFILE).feed(b"".join(front.due(due_s))))


def front(manners: Manners | None = None, model: SignalModel | None = None) -> Front:
    return Front(model or SignalModel(0.0), PROFILE, manners or Manners())


@pytest.mark.parametrize(("style", "serial"), [("own", 1), ("echo", 41), ("next", 42)])
def test_a_reply_carries_the_serial_of_its_makers_style(style: str, serial: int) -> None:
    assert asked(front(Manners(serials=style)), (3, 1, 0, 0))[0].serial == serial


def test_the_serial_after_the_last_is_zero() -> None:
    assert asked(front(Manners(serials="next")), (3, 1, 0, 0), serial=255)[0].serial == 0


def test_some_units_answer_a_heartbeat_with_another_kind_and_a_count() -> None:
    unit = front(Manners(beat_reply=0x71, beat_counted=True))
    unit.hear(build(Message(0x70, 5, 0, 0, 1, ()), PROFILE), 0.0)
    (frame,) = unit.due(1.0)
    assert frame == build(Message(0x71, 5, 0, 0, 1, ()), PROFILE)


def test_row_zero_is_all_lamps_only_where_the_unit_knows_wildcards() -> None:
    assert asked(front(), (3, 3, 1, 0))[0].kind == 0x21
    (reply,) = asked(front(Manners(wildcard=True)), (3, 3, 1, 0))
    assert [address[3] for _, address, _ in reply.entries] == list(GROUPS)


def test_whoever_writes_to_the_controller_is_counted_and_not_obeyed() -> None:
    unit = front()
    assert asked(unit, (3, 4, 2, 1), kind=0x30) == []
    assert unit.writes == 1


def test_standard_time_is_utc_and_local_time_eight_hours_ahead() -> None:
    unit = front()
    unit.model.utc_less_now_s = NOON
    assert unit.values.get((13, 1, 10, 0), 0.5) == bytes.fromhex("07ea 05 11 04 00 00")
    assert unit.values.get((13, 1, 11, 0), 61.0) == bytes.fromhex("07ea 05 11 0c 01 01")


def test_every_value_of_the_cabinet_is_answered() -> None:
    unit = front()
    for address, value in constants().items():
        assert asked(unit, address)[0].entries[0][2] == value


def test_intergreens_are_told_for_conflicting_phases_only_with_phase_one_last() -> None:
    row = constants()[7, 2, 2, 1]
    assert len(row) == 64
    assert (row[-1], row[-2], row[-9]) == (0, 5, 0)  # itself, left north-south, its own waiting area


def test_listed_faults_have_number_kind_time_and_action() -> None:
    model = SignalModel(0.0)
    unit = front(model=model)
    unit.model.utc_less_now_s = NOON
    model.set_faults([0x20, 0x46], 60.0)
    rows = [(16, 1, 0, 0), (16, 2, 1, 2), (16, 2, 2, 2), (16, 2, 3, 2), (16, 2, 4, 2)]
    (reply,) = asked(unit, *[(a, b, c, d) for a, b, c, d in rows])
    assert [value.hex() for _, _, value in reply.entries] == [
        "00000002", "00000002", "46", "07ea05110c0100", "00",
    ]  # fmt: skip
    model.set_faults([], 70.0)
    assert unit.values.get((16, 2, 2, 1), 70.0) is None


def test_a_frame_whose_length_lies_is_not_read() -> None:
    """An all-zero frame has a right checksum: the register starts at zero."""
    reader = Reader(PROFILE)
    assert list(reader.feed(b"\x7e" + bytes(40) + b"\x7d")) == []
    assert reader.bad == 1


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0.0, 120.0))
def test_taken_by_hand_at_any_instant_the_controller_soon_knows_what_shines(seed: int, at_s: float) -> None:
    model = SignalModel(0.0, seed=seed)
    while model.next_s() < at_s:
        model.advance(model.next_s())
    model.advance(at_s)
    model.set_mode("manual", at_s)
    model.advance(at_s + 0.051)
    assert model.known == model.lamps


def test_by_hand_the_stage_is_the_one_set_and_nothing_is_remaining() -> None:
    model = SignalModel(0.0)
    unit = front(model=model)
    model.advance(5.0)
    model.set_mode("manual", 5.0)
    assert model.stage(90.0) == (1, 85.0, 0.0)
    model.step(3, 6.0)
    assert model.stage(10.0) == (3, 4.0, 0.0)
    assert unit.values.get((6, 3, 4, 3), 10.0) == bytes(2)
    assert unit.values.get((6, 3, 2, 3), 10.0) == b"\x20"
    model.set_mode("flash", 11.0)
    assert [unit.values.get((6, 3, 2, row), 12.0) for row in (1, 2, 3, 4)] == [b"\x10"] * 4


@settings(deadline=None)
@given(st.floats(0.0, 119.0), st.sampled_from(GROUPS))
def test_a_controller_of_fixed_time_always_knows_when_a_lamp_changes_next(at_s: float, group: int) -> None:
    model = SignalModel(0.0)
    while model.next_s() < at_s:
        model.advance(model.next_s())
    model.advance(at_s)
    announced_s, before = model.next_change(group, at_s), model.known[group]
    assert announced_s is not None
    while (due_s := model.next_s()) < announced_s - 1e-6:
        model.advance(due_s)
    assert model.known[group] == before
    model.advance(announced_s + 1e-6)
    assert model.known[group] != before


def test_outside_fixed_time_nobody_knows_when_a_lamp_changes() -> None:
    model = SignalModel(0.0)
    model.set_mode("flash", 1.0)
    assert model.next_change(1, 2.0) is None
