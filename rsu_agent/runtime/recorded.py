"""What is in a recording: topics, span, datagrams sent and held, agent starts, tears. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from rsu_agent.ports.recording import DROPPED, TORN, Entry
from rsu_agent.runtime.beginning import START


def summary(entries: Iterable[Entry]) -> dict[str, Any]:
    """Counts by topic, sent by kind, held by kind and reason; span_s is the sum over agent starts."""
    topics: Counter[str] = Counter()
    sent: Counter[str] = Counter()
    held: dict[str, Counter[str]] = {}
    starts: list[dict[str, Any]] = []
    torn: list[Any] = []
    spans: list[list[float]] = []
    dropped = 0
    for entry in entries:
        if entry.topic == TORN:
            torn.append(entry.value)
            continue
        topics[entry.topic] += 1
        if entry.topic == START or not spans:
            spans.append([entry.at_s, entry.at_s])
        spans[-1][1] = max(spans[-1][1], entry.at_s)
        if entry.topic == DROPPED:
            dropped += int(entry.value["count"])
        elif entry.topic == START:
            starts.append({name: entry.value.get(name) for name in ("utc_s", "site", "version")})
        elif entry.topic == "/air":
            kind = str(entry.value["kind"])
            if entry.value["sent"]:
                sent[kind] += 1
            else:
                held.setdefault(kind, Counter())[str(entry.value["reason"])] += 1
    return {
        "span_s": round(sum(last - first for first, last in spans), 3),
        "topics": dict(sorted(topics.items())),
        "sent": dict(sorted(sent.items())),
        "held": {kind: dict(sorted(reasons.items())) for kind, reasons in sorted(held.items())},
        "starts": starts,
        "dropped": dropped,
        "torn": torn,
    }
