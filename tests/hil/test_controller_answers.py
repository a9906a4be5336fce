"""The virtual controller's answers: the values a SPaT driver needs, refusals, delays, freezing, traps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.gbt20999_codec import Address, Message, Profile, Reader, build
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.gbt20999_values import CODES, Values, bits, chain
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS, PHASES, PLANS, STAGES

PROFILE = Profile()
# The lamp status codes of the facts, typed here once more
LAMP_CODES = {
    "dark": 0x01,
    "red": 0x10,
    "green": 0x20,
    "green_flash": 0x21,
    "yellow": 0x30,
    "yellow_flash": 0x31,
}


class Desk:
    """A front end on a line, and a master that asks it."""

    def __init__(self, *, start_s: float = 0.0, manners: Manners | None = None) -> None:
        self.model = SignalModel(start_s)
        self.front = Front(self.model, PROFILE, manners or Manners())
        self.now_s = start_s

    def ask(self, *addresses: Address, kind: int = 0x10) -> list[Message]:
        entries = tuple((i, address, b"") for i, address in enumerate(addresses, 1))
        return self.send(build(Message(kind, 5, 0, 0, 1, entries), PROFILE))

    def send(self, data: bytes) -> list[Message]:
        self.front.hear(data, self.now_s)
        due_s = self.front.next_s()
        if due_s is None:
            return []
        self.now_s = due_s
        self.model.advance(self.now_s)
        line = b"".join(self.front.due(self.now_s))
        return list(Reader(PROFILE).feed(line))

    def value(self, *address: int) -> bytes:
        (reply,) = self.ask((address[0], address[1], address[2], address[3]))
        assert reply.kind == 0x20
        return reply.entries[0][2]


@pytest.mark.parametrize(
    ("address", "size"),
    [
        ((2, 1, 0, 0), 128),
        ((2, 3, 3, 0), 1),
        ((2, 6, 0, 0), 1),
        ((3, 1, 0, 0), 1),
        ((3, 2, 1, 24), 1),
        ((3, 2, 2, 24), 1),
        ((3, 3, 1, 24), 1),
        ((4, 1, 0, 0), 1),
        ((4, 2, 2, 13), 8),
        *[((4, 2, attribute, 1), 1) for attribute in range(3, 15)],
        ((4, 2, 27, 1), 2),
        ((4, 2, 28, 1), 2),
        ((6, 1, 0, 0), 1),
        ((6, 2, 2, 4), 8),
        ((6, 2, 3, 1), 64),
        ((6, 2, 4, 1), 64),
        ((6, 3, 2, 1), 1),
        ((6, 3, 3, 1), 2),
        ((6, 3, 4, 1), 2),
        ((7, 1, 2, 1), 8),
        ((8, 3, 3, 1), 1),
        ((8, 6, 2, 1), 1),
        ((8, 6, 3, 1), 1),
        ((9, 2, 3, 1), 4),
        ((9, 2, 5, 1), 2),
        ((9, 2, 6, 1), 16),
        ((9, 2, 7, 1), 32),
        ((9, 2, 8, 1), 16),
        ((13, 2, 2, 1), 1),
        ((13, 2, 3, 1), 1),
        ((13, 2, 4, 1), 1),
        ((15, 1, 0, 0), 4),
        ((16, 1, 0, 0), 4),
    ],
)
def test_a_value_has_the_width_of_the_facts(address: Address, size: int) -> None:
    assert len(Desk().value(*address)) == size


def test_the_counts_name_all_groups_phases_and_stages() -> None:
    desk = Desk()
    assert desk.value(3, 1, 0, 0) == bytes([24]) == bytes([len(GROUPS)])
    assert desk.value(4, 1, 0, 0) == bytes([len(PHASES)])
    assert desk.value(6, 1, 0, 0) == bytes([len(STAGES)])


def test_bit_zero_of_a_bitmap_stands_for_one() -> None:
    assert bits((1, 3)) == bytes(7) + b"\x05"
    assert bits((24,)) == bytes.fromhex("0000000000800000")


def test_chains_are_right_aligned_with_the_first_stage_last() -> None:
    assert chain([1, 2, 3], 1, 16) == bytes(13) + b"\x03\x02\x01"
    assert chain([40, 25, 35], 2, 16)[-6:].hex() == "002300190028"  # the illustration of the facts
    desk = Desk()
    assert desk.value(9, 2, 6, 1)[-4:] == bytes([4, 3, 2, 1])
    seconds = [int.from_bytes(desk.value(9, 2, 7, 1)[at : at + 2], "big") for at in range(30, -2, -2)]
    assert seconds[:4] == [20, 12, 16, 12]
    assert sum(seconds) == int.from_bytes(desk.value(9, 2, 3, 1), "big") == PLANS[1].cycle_s


def test_lamp_codes_are_those_of_the_facts() -> None:
    assert CODES == LAMP_CODES | {"red_flash": 0x11, "red_yellow": 0x40}


def test_mode_plan_and_stage_are_told() -> None:
    desk = Desk()
    assert [desk.value(13, 2, attribute, 1) for attribute in (2, 3, 4)] == [b"\x21", b"\x01", b"\x01"]
    desk.model.set_mode("flash", desk.now_s)
    assert desk.value(13, 2, 2, 1) == b"\x31"


def test_remaining_and_elapsed_are_whole_seconds_of_the_running_stage_only() -> None:
    desk = Desk()
    desk.now_s = 12.5
    desk.model.advance(12.5)
    rows = ((6, 3, 2, 1), (6, 3, 3, 1), (6, 3, 4, 1), (6, 3, 2, 2), (6, 3, 3, 2), (6, 3, 4, 2))
    (reply,) = desk.ask(*rows)
    said = [value for _, _, value in reply.entries]
    assert said == [b"\x20", b"\x00\x0c", b"\x00\x08", b"\x10", b"\x00\x00", b"\x00\x00"]
    desk.now_s = 18.2
    assert desk.value(6, 3, 2, 1) == b"\x30"
    assert desk.value(6, 3, 4, 1) == b"\x00\x02"


def test_what_is_not_there_is_refused_with_the_recorded_error_and_the_rest_is_answered() -> None:
    reply, refusal = Desk().ask((3, 3, 1, 1), (17, 2, 1, 1), (3, 3, 1, 25), (3, 3, 1, 0))
    assert [address for _, address, _ in reply.entries] == [(3, 3, 1, 1)]
    assert refusal.kind == 0x21
    assert [(index, value) for index, _, value in refusal.entries] == [
        (2, b"\x30"),
        (3, b"\x30"),
        (4, b"\x30"),
    ]


def test_two_hundred_and_fifty_five_values_are_answered_at_once_and_fewer_where_the_unit_is_small() -> None:
    rows = [(3, 3, 1, 1 + k % 24) for k in range(255)]
    (reply,) = Desk().ask(*rows)
    assert len(reply.entries) == 255
    (refusal,) = Desk(manners=Manners(most_values=8)).ask(*rows[:9])
    assert refusal.kind == 0x21


def test_a_heartbeat_is_answered_and_anything_but_a_query_is_not() -> None:
    desk = Desk()
    assert [message.kind for message in desk.ask(kind=0x70)] == [0x80]
    for kind in (0x20, 0x30, 0x50, 0x60):
        assert desk.ask((3, 4, 2, 1), kind=kind) == []


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(0.002, 0.005), (0.005, 0.3)]))
def test_a_reply_takes_its_time_and_tells_the_values_of_the_instant_it_is_sent(
    seed: int, delay_s: tuple[float, float]
) -> None:
    model = SignalModel(0.0)
    front = Front(model, PROFILE, Manners(reply_delay_s=delay_s), seed)
    request = build(Message(0x10, 5, 0, 0, 1, ((1, (3, 3, 1, 1), b""),)), PROFILE)
    front.hear(request, 1.999)
    due_s = front.next_s()
    assert due_s is not None
    arrived_s = 1.999 + len(request) * 10 / 115200
    assert arrived_s + delay_s[0] <= due_s <= arrived_s + delay_s[1]
    assert front.due(due_s - 1e-6) == []
    model.advance(due_s)
    (reply,) = Reader(PROFILE).feed(front.due(due_s)[0])
    assert reply.entries[0][2] == b"\x20"


def test_frozen_values_stay_while_the_lamps_go_on() -> None:
    desk = Desk()
    desk.front.frozen = True
    before = desk.value(3, 3, 1, 1)
    desk.now_s = 5.0
    desk.model.advance(5.0)
    assert desk.model.known[1] == "green"
    assert desk.value(3, 3, 1, 1) == before == b"\x10"
    assert desk.ask((17, 1, 1, 1))[0].kind == 0x21
    desk.front.frozen = False
    assert desk.value(3, 3, 1, 1) == b"\x20"


def test_a_trap_carries_the_changed_groups_and_the_running_stage() -> None:
    desk = Desk()
    _, learnt = desk.model.advance(2.0)
    assert sorted(learnt) == [1, 3, 9, 12, 13, 15, 18, 20]
    (trap,) = Reader(PROFILE).feed(desk.front.trap(learnt, 2.0))
    assert trap.kind == 0x60
    told = {address: value for _, address, value in trap.entries}
    assert told == {
        **{(3, 3, 1, group): b"\x01" if group == 9 else b"\x20" for group in learnt},
        (13, 2, 4, 1): b"\x01",
    }


def test_faults_are_counted_and_typed() -> None:
    model = SignalModel(0.0)
    model.faults = (0x20, 0x46)
    values = Values(model)
    assert values.get((16, 1, 0, 0), 0.0) == b"\x00\x00\x00\x02"
    assert values.get((16, 2, 2, 2), 0.0) == b"\x46"
    assert values.get((16, 2, 2, 3), 0.0) is None
