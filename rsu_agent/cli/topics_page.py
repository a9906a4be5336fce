"""The page of topics, made from the tables: on the core's board, between its processes, at the broker."""

from __future__ import annotations

from rsu_agent.cli.reference import MADE
from rsu_agent.outlets.mqtt_topics import MQTT_TOPICS, PREFIX
from rsu_agent.runtime.link_topics import LINK_TOPICS
from rsu_agent.runtime.topics import TOPICS

BOARD = """## On the core's board

Asking for a topic gives its newest value fresh, or not at all.

| topic | holds | rate, Hz | stale after, s |
|---|---|---|---|"""
LINKS = """## Between the processes of one agent

MessagePack of nouns over Unix sockets, each message `[topic, noun]`; names end at a blank where a topic is
kept for each camera, vehicle or stream.

| topic | from | to | unsent | carries |
|---|---|---|---|---|"""
BROKER = f"""## At the district's broker

Below `{PREFIX}`; [the protocol](../protocol/README.md) says the rest.

| topic | from | QoS | retained | carries | page |
|---|---|---|---|---|---|"""


def topics_page() -> str:
    """All three tables."""
    lines = [MADE, "# Topics\n", BOARD]
    for topic in TOPICS:
        rate = f"{topic.rate_hz:g}" if topic.rate_hz else "when it changes"
        stale = "never" if topic.stale_s is None else f"{topic.stale_s:g}"
        lines.append(f"| `{topic.name}` | {topic.holds.__name__} | {rate} | {stale} |")
    lines += ["", LINKS]
    for link in LINK_TOPICS:
        kept = "newest wins" if link.newest else "queued"
        lines.append(f"| `{link.name}` | {link.sender} | {link.hearer} | {kept} | {link.carries} |")
    lines += ["", BROKER]
    for at in MQTT_TOPICS:
        retained, page = "yes" if at.retained else "no", f"[{at.page}](../protocol/{at.page})"
        lines.append(f"| `.../{at.name}` | {at.writer} | {at.qos} | {retained} | {at.carries} | {page} |")
    return "\n".join(lines) + "\n"
