"""The virtual controller's data values: what it answers for each address."""

from __future__ import annotations

import math

from hil.devices.gbt20999_cabinet import clock_value, constants, fault_value
from hil.devices.gbt20999_codec import Address
from hil.devices.signal_model import MODES, SignalModel
from hil.devices.signal_plan import (
    GAINING,
    GROUPS,
    KINDS,
    PHASES,
    PLANS,
    STAGES,
    Transition,
    conflicts,
    losing,
)

CODES = {
    "dark": 0x01,
    "red": 0x10,
    "green": 0x20,
    "green_flash": 0x21,
    "yellow": 0x30,
    "yellow_flash": 0x31,
    "red_flash": 0x11,
    "red_yellow": 0x40,
}
IDLE, RUNNING, TRANSITION = 0x10, 0x20, 0x30
MIN_GREEN_S, MAX_GREEN_S = 4, 40
TRANSITION_LEFT_S = 6  # the last seconds of a stage, when phases lose their right of way


def bits(numbers: tuple[int, ...], size: int = 8) -> bytes:
    """A bitmap whose bit 0 stands for 1."""
    return sum(1 << (n - 1) for n in numbers).to_bytes(size, "big")


def chain(values: list[int], width: int, places: int) -> bytes:
    """Right-aligned: the first entry stands last."""
    filled = [0] * (places - len(values)) + values[::-1]
    return b"".join(value.to_bytes(width, "big") for value in filled)


class Values:
    """Answers by address; None where the controller has no such value."""

    def __init__(self, model: SignalModel, serial: bytes = b"virtual-0001") -> None:
        self._model = model
        self._fixed: dict[Address, bytes] = {
            (1, 1, 0, 0): b"rig",
            (1, 2, 0, 0): b"1.0",
            (1, 3, 0, 0): serial,
            (2, 1, 0, 0): b"virtual crossing".ljust(128, b"\0"),
            (2, 3, 3, 0): b"\x03",
            (2, 6, 0, 0): b"\x01",
            (3, 1, 0, 0): bytes([len(GROUPS)]),
            (4, 1, 0, 0): bytes([len(PHASES)]),
            (6, 1, 0, 0): bytes([len(STAGES)]),
            (15, 1, 0, 0): bytes(4),
        }
        self._fixed |= constants()
        for group in GROUPS:
            self._fixed[3, 2, 1, group], self._fixed[3, 2, 2, group] = bytes([group]), bytes([KINDS[group]])
        for phase in PHASES:
            self._phase(phase)
        for stage, phases in STAGES.items():
            self._fixed[6, 2, 2, stage] = bits(phases)
            self._fixed[6, 2, 3, stage] = self._fixed[6, 2, 4, stage] = bytes(64)
        for number, plan in PLANS.items():
            self._fixed[9, 2, 2, number] = b"\x01"
            self._fixed[9, 2, 3, number] = plan.cycle_s.to_bytes(4, "big")
            self._fixed[9, 2, 5, number] = bytes(2)
            self._fixed[9, 2, 6, number] = chain([stage for stage, _ in plan.chain], 1, 16)
            self._fixed[9, 2, 7, number] = chain([seconds for _, seconds in plan.chain], 2, 16)

    def _phase(self, phase: int) -> None:
        fixed = self._fixed
        fixed[4, 2, 2, phase] = bits(PHASES[phase])
        for first, steps in ((3, losing(phase)), (9, GAINING)):
            for place in range(3):
                colour, seconds = self._step(steps, place)
                fixed[4, 2, first + 2 * place, phase] = bytes([colour])
                fixed[4, 2, first + 2 * place + 1, phase] = bytes([seconds])
        fixed[4, 2, 27, phase] = MIN_GREEN_S.to_bytes(2, "big")
        fixed[4, 2, 28, phase] = MAX_GREEN_S.to_bytes(2, "big")
        fixed[7, 1, 2, phase] = bits(conflicts(phase))

    @staticmethod
    def _step(steps: Transition, place: int) -> tuple[int, int]:
        return (CODES[steps[place][0]], steps[place][1]) if place < len(steps) else (0, 0)

    def get(self, address: Address, now_s: float) -> bytes | None:
        """The value now."""
        model = self._model
        klass, thing, attribute, row = address
        if address[:3] == (3, 3, 1):
            return bytes([CODES[model.known[row]]]) if row in model.known else None
        if klass == 6 and thing == 3 and row in STAGES:
            return self._stage_run(attribute, row, now_s)
        if klass == 13 and thing == 2 and row == 1:
            stage = model.stage(now_s)[0]
            return {2: bytes([MODES[model.mode]]), 3: bytes([model.plan]), 4: bytes([stage])}.get(attribute)
        if klass == 8 and attribute in (2, 3) and thing in (3, 6) and 1 <= row <= 4:
            running = model.priority if thing == 3 else model.preempt
            return bytes([RUNNING if running == row else 0])
        if address[:3] == (9, 2, 8) and row in PLANS:
            wanted = [0x20 if stage in model.on_demand else 0x10 for stage, _ in PLANS[row].chain]
            return chain(wanted, 1, 16)
        if klass == 16:
            return fault_value(address, model.faults, model.utc_s(model.faults_s))
        if klass == 13 and attribute in (10, 11):
            return clock_value(address, model.utc_s(now_s))
        return self._fixed.get(address)

    def _stage_run(self, attribute: int, row: int, now_s: float) -> bytes | None:
        stage, elapsed, remaining = self._model.stage(now_s)
        mine = row == stage
        if attribute == 2:
            state = TRANSITION if 0.0 < remaining < TRANSITION_LEFT_S else RUNNING
            return bytes([state if mine else IDLE])
        seconds = {3: int(elapsed), 4: math.ceil(remaining)}.get(attribute)
        return None if seconds is None else (seconds if mine else 0).to_bytes(2, "big")
