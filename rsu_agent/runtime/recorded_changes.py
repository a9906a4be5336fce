"""Changes of lamps out of a recording: what the controller told and what cameras saw."""

from __future__ import annotations

import base64
from pathlib import Path

from rsu_agent.perception.lamp_changes import LampChanges
from rsu_agent.ports import nouns
from rsu_agent.ports.recording import Recording
from rsu_agent.runtime.beginning import START
from rsu_agent.world.signal import SignalReport
from rsu_agent.world.witness import HeadsSeen


def changes_of(path: Path) -> LampChanges:
    """Of the newest life of an agent in which a lamp was seen to change. Raises OSError.

    Another life may be of another start of the machine, whose seconds begin anew. What is of another version,
    or damaged, is passed over.
    """
    best = current = LampChanges()
    with Recording(path) as recording:
        for entry in recording.entries():
            if entry.topic == START:
                best, current = (current if current.seen else best), LampChanges()
            elif entry.topic in ("/report", "/heads"):
                try:
                    noun = nouns.unpack(base64.b64decode(entry.value["noun"]))
                except (KeyError, TypeError, ValueError):
                    continue
                if isinstance(noun, SignalReport):
                    current.report(noun)
                elif isinstance(noun, HeadsSeen):
                    current.heads(noun)
    return current if current.seen else best
