"""What the processes of one agent say to each other, as a table: the page of topics is made from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkTopic:
    """name: its first word. newest: what is unsent is overtaken; else it queues in order."""

    name: str
    sender: str
    hearer: str
    newest: bool
    carries: str


LINK_TOPICS = (
    LinkTopic("hello", "each", "each", False, "version of the nouns: another one is turned away"),
    LinkTopic("role", "senses, uplink", "core", False, "which process it is"),
    LinkTopic("scene", "senses", "core", True, "road users, fused"),
    LinkTopic("heads", "senses", "core", True, "lamps seen by a camera, a topic a camera"),
    LinkTopic("looks", "senses", "core", True, "what each camera and radar sees, for the page"),
    LinkTopic("spot", "senses", "core", False, "a reading of a radar that counts by zone"),
    LinkTopic("health", "senses, uplink", "core", False, "a device's state, when it changes"),
    LinkTopic("metrics", "senses, uplink", "core", True, "the process's page of metrics"),
    LinkTopic("detector", "senses", "core", False, "what runs the net, and whose it is"),
    LinkTopic("association", "senses", "core", False, "how detections find their tracks"),
    LinkTopic("still", "core, senses", "senses, core", False, "a still asked for, and what came of it"),
    LinkTopic("heard", "core", "senses", True, "a vehicle's verified word, a topic a vehicle"),
    LinkTopic("record", "core", "uplink", False, "a record for the district, kept until it is committed"),
    LinkTopic("committed", "uplink", "core", False, "records that are on disk, or can never be"),
    LinkTopic("status", "uplink", "core", True, "how the uplink is"),
    LinkTopic("clock", "core", "uplink", True, "whether UTC is trusted, and its bound"),
    LinkTopic("live", "core", "uplink", True, "live data, a topic a stream"),
    LinkTopic("live_rates", "uplink", "core", True, "how often each stream is wanted"),
    LinkTopic("asked", "uplink", "core", False, "the district asks for a report"),
)
