"""The topics at the district's broker, as a table: the page of topics is made from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MqttTopic:
    """name: below the site's prefix. writer: who publishes. page: of docs/protocol, with the rest."""

    name: str
    writer: str
    qos: int
    retained: bool
    carries: str
    page: str


PREFIX = "rsu/1/{district}/{site}"
MQTT_TOPICS = (
    MqttTopic("up/hi", "edge", 1, False, "envelope of the high lane", "README.md"),
    MqttTopic("up/lo", "edge", 1, False, "envelope of the low lane", "README.md"),
    MqttTopic("ack", "district", 0, False, "acknowledgement, after the commit", "acknowledgement.md"),
    MqttTopic("state", "edge, broker", 1, True, "birth and will", "README.md"),
    MqttTopic("answer", "edge", 1, False, "answer to a command", "commands.md"),
    MqttTopic("live/spat", "edge", 0, False, "signals of this moment", "live.md"),
    MqttTopic("live/objs", "edge", 0, False, "road users of this moment", "live.md"),
    MqttTopic("live/event", "edge", 0, False, "hazards of this moment", "live.md"),
    MqttTopic("dn/cmd", "district", 1, False, "signed command", "commands.md"),
    MqttTopic("dn/live", "district", 1, False, "signed lease of live data", "commands.md"),
    MqttTopic("dn/cfg", "district", 1, False, "offer of a file, and its chunks", "commands.md"),
)
