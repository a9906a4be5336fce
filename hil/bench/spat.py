"""One tick of the core without its processes: outlook, SPAT value, bytes, guard; 24 lamp groups."""

from __future__ import annotations

from typing import Any

from hil.bench.crossing import PERIOD_S, programme, reports, site
from hil.bench.taken import Taken
from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.runtime.beginning import beginning, speaker_of
from rsu_agent.settings.speech import speech

SECONDS = 130.0  # a cycle to learn, and one learnt
LEARN_S = 65.0
START_S, UTC_S = 1000.0, 1_764_000_000.0


def spat(seed: int) -> dict[str, Any]:
    """Milliseconds a tick, and to read its bytes as the guard does; ratio = generated decoder / that."""
    said = speech(site().settings, site().crossing)
    speaker = speaker_of(beginning("bench", said), Counts())
    speaker.saw(programme())
    tick, report_in, reader, decoder = Taken(), Taken(), Taken(), Taken()
    for report in reports(SECONDS, seed, START_S):
        now_s = report.last_byte_s
        with report_in.once():
            speaker.saw(report)
        with tick.once():
            spoken = speaker.speak(Instant(now_s, UTC_S + now_s))
        if not spoken.valid or spoken.frame is None or now_s < START_S + LEARN_S:
            continue
        with reader.once():
            read_spat(spoken.frame)
        with decoder.once():
            codec.decode(spoken.frame)
    return {
        "tick_ms": tick.ms(),
        "tick_p99_ms": tick.ms(0.99),
        "report_ms": report_in.ms(),
        "budget_share": round(tick.ms() / 1000 / PERIOD_S, 4),
        "reader_ms": reader.ms(),
        "decoder_ms": decoder.ms(),
        "ratio": round(decoder.ms() / reader.ms(), 2),
        "ticks": len(tick.seconds),
    }
