"""PTP: how far our UTC may be off by ptp4l's answers, and when they are not believed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from drivers.ptp.link import Answers, Judge
from drivers.ptp.settings import Settings
from drivers.ptp.wire import ACCURACY_S, Current, Default, Parent, Port, TimeProperties, TimeStatus
from rsu_agent.world.health import TimeQuality

OURS, MASTERS = bytes.fromhex("9e03a5fffed2115b"), bytes.fromhex("e2ae70fffe5b2ce3")
SLAVE = Answers(
    Default(1, OURS),
    Current(-0.000_200, 0.000_050),
    Parent(MASTERS, 6, 0x23),
    TimeProperties(37, "none", True, True, True),
    TimeStatus(37_000_000_000, MASTERS),
    (Port(1, 9),),
)


def synced(answers: Answers, at_s: float) -> Answers:
    """The same, a Sync having come at this UTC on a hardware clock in TAI."""
    return replace(answers, status=replace(answers.status, ingress_ns=round((at_s + 37) * 1e9)))


def judged(answers: Answers, settings: Settings | None = None) -> TimeQuality:
    """The reading once a Sync was seen to come between two rounds."""
    judge = Judge(settings or Settings())
    judge.quality(synced(answers, 999.0), 10.0, 1000.0)
    return judge.quality(synced(answers, 1001.5), 12.0, 1002.0)


def test_the_bound_is_offset_delay_grandmaster_and_phc2sys_together() -> None:
    reading = judged(SLAVE)
    assert reading == TimeQuality("ptp", True, -0.0002, reading.bound_s, 12.0)
    assert reading.bound_s == pytest.approx(0.0002 + 0.00005 + 1e-6 + 0.001)
    assert judged(SLAVE, Settings(asymmetry=0.5, phc2sys_allowance_s=0.0)).bound_s == pytest.approx(0.000226)


def test_stamped_in_software_the_system_clock_is_ptp4ls_own_and_needs_no_allowance() -> None:
    assert judged(SLAVE, Settings(software_timestamping=True)).bound_s == pytest.approx(0.000251)


def changed(**parts: Any) -> Answers:
    return replace(SLAVE, **parts)


def properties(**said: Any) -> Answers:
    return changed(properties=replace(SLAVE.properties, **said))


NOT_BELIEVED = {
    "listening": changed(ports=(Port(1, 4),)),
    "uncalibrated": changed(ports=(Port(1, 8),)),
    "passive": changed(ports=(Port(1, 7), Port(2, 6))),
    "not traceable": properties(traceable=False),
    "UTC offset not valid": properties(utc_valid=False),
    "arbitrary time scale": properties(ptp_timescale=False),
    "leap both ways": properties(leap="unsynchronised"),
    "accuracy unknown": changed(parent=Parent(MASTERS, 6, 0xFE)),
    "accuracy worse than 10 s": changed(parent=Parent(MASTERS, 6, 0x31)),
    "another grandmaster by now": changed(parent=Parent(OURS, 6, 0x21)),
}


@pytest.mark.parametrize("answers", NOT_BELIEVED.values(), ids=NOT_BELIEVED)
def test_what_is_no_traceable_slave_is_not_synchronised(answers: Answers) -> None:
    reading = judged(answers)
    assert (reading.synchronised, reading.bound_s) == (False, None)


def test_a_grandmaster_of_class_6_answers_for_itself_and_one_in_holdover_does_not() -> None:
    own = changed(
        parent=Parent(OURS, 6, 0x21),
        status=TimeStatus(0, OURS),
        ports=(Port(1, 6),),
        current=Current(0.0, 0.0),
    )
    reading = Judge(Settings()).quality(own, 10.0, 1000.0)
    assert reading == TimeQuality("ptp", True, 0.0, reading.bound_s, 10.0)
    assert reading.bound_s == pytest.approx(0.0010001)
    for clock_class in (7, 13, 52, 187, 248):
        holdover = replace(own, parent=Parent(OURS, clock_class, 0x21))
        assert not Judge(Settings()).quality(holdover, 10.0, 1000.0).synchronised
    master_elsewhere = replace(own, parent=Parent(MASTERS, 6, 0x21), status=TimeStatus(0, MASTERS))
    assert not Judge(Settings()).quality(master_elsewhere, 10.0, 1000.0).synchronised


def test_a_master_that_announces_but_sends_no_sync_is_not_believed_and_then_grows_old() -> None:
    judge = Judge(Settings())
    assert not judge.quality(synced(SLAVE, 999.0), 10.0, 1000.0).synchronised, "seen once: how old?"
    assert not judge.quality(synced(SLAVE, 999.0), 12.0, 1002.0).synchronised
    assert judge.quality(synced(SLAVE, 1003.0), 14.0, 1004.0).read_s == 14.0
    assert judge.quality(synced(SLAVE, 1003.0), 500.0, 1490.0).read_s == 14.0


@pytest.mark.parametrize("wrong_s", [37.0, -37.0, 28_800.0, 5.0])
def test_a_system_clock_that_does_not_follow_the_hardware_clock_is_not_believed(wrong_s: float) -> None:
    judge = Judge(Settings())
    judge.quality(synced(SLAVE, 999.0), 10.0, 1000.0 + wrong_s)
    reading = judge.quality(synced(SLAVE, 1001.5), 12.0, 1002.0 + wrong_s)
    assert (reading.synchronised, reading.bound_s) == (False, None)
    assert reading.offset_s == pytest.approx(wrong_s, abs=2.5)


def test_another_utc_offset_than_the_sites_is_not_believed() -> None:
    assert judged(SLAVE, Settings(utc_offset=37)).synchronised
    assert not judged(SLAVE, Settings(utc_offset=36)).synchronised


def test_accuracies_are_those_of_the_standard() -> None:
    assert (ACCURACY_S[0x20], ACCURACY_S[0x23], ACCURACY_S[0x29], ACCURACY_S[0x30]) == (
        25e-9,
        1e-6,
        1e-3,
        10.0,
    )
    assert sorted(ACCURACY_S.values()) == list(ACCURACY_S.values())
    assert (min(ACCURACY_S), max(ACCURACY_S), len(ACCURACY_S)) == (0x17, 0x30, 26)
