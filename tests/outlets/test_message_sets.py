"""The table of message sets: every set makes what the outlets ask for; a beginning survives a recording."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hil.bench.crossing import PERIOD_S, programme, reports, site
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.messages.moment import Instant
from rsu_agent.messages.recognise import recognise
from rsu_agent.outlets.message_sets import MESSAGE_SETS, RoadSpeech, Speech, plain, speech_of
from rsu_agent.runtime.beginning import beginning, speaker_of
from rsu_agent.settings.sections import RadioSection
from rsu_agent.settings.speech import speech
from rsu_agent.world.hazard import Hazard, HazardKind

UTC_S = 1_790_000_000.0
STANDARDS = sorted(MESSAGE_SETS)


def said(standard: str) -> Speech:
    return replace(speech(site().settings, site().crossing), standard=standard, revision=9)


def test_the_site_file_names_the_sets_of_the_table_and_no_other() -> None:
    allowed = RadioSection.model_fields["standard"].annotation
    assert set(getattr(allowed, "__args__", ())) == set(MESSAGE_SETS)


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_speech_is_the_same_after_a_recording(standard: str) -> None:
    assert speech_of(json.loads(json.dumps(plain(said(standard))))) == said(standard)


def test_rights_of_the_virtual_crossing() -> None:
    rights = said("etsi").rights
    assert rights[5] is Right.PROTECTED, "an arrow to the left"
    assert rights[1] is Right.PROTECTED, "nobody crosses who goes straight on"
    assert rights[17] is Right.WALK
    assert 24 not in rights, "a repeater serves no way of its own"


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_cycle_of_the_bench_crossing_passes_the_guard_in_every_set(standard: str) -> None:
    speaker = speaker_of(beginning("t", said(standard)), Counts())
    speaker.saw(programme())
    valid = blocked = timed = 0
    for report in reports(70.0, 3, 1000.0):
        speaker.saw(report)
        at_s = report.last_byte_s + PERIOD_S / 7
        spoken = speaker.speak(Instant(at_s, UTC_S + at_s), (10,))
        valid += spoken.valid
        blocked += spoken.held is not None
        if spoken.frame is not None:
            read = recognise(spoken.frame, standard.removesuffix("-2020"))
            timed += '"likely' in json.dumps(read.value, default=repr)
    assert blocked == 0, speaker.counters
    assert valid > 600
    assert timed > 500


@pytest.mark.parametrize("standard", STANDARDS)
def test_hazards_go_out_as_the_set_tells_them_or_not_at_all(standard: str) -> None:
    road = RoadSpeech(b"12345678", {"cam": "camera"}, {"wrong_way": 904})
    frames = MESSAGE_SETS[standard].road(said(standard), site().crossing, road, Counts())
    hazard = Hazard(1, HazardKind.WRONG_WAY, 90.0, None, 3.0, 4.0, 1, 2, 90.0, "seen")
    sent = frames.hazards([hazard], Instant(100.0, UTC_S))
    kinds = {"csae53-2020": ["RSI"], "ydt3709-2020": ["RSI"], "etsi": ["DENM"], "j2735": []}
    assert [kind for kind, _ in sent] == kinds[standard]
    assert frames.hazards([hazard], Instant(101.0, None)) == []
    assert [kind for kind, _ in frames.users([], Instant(100.0, UTC_S))] == (
        ["RSM"] if "2020" in standard else []
    )
