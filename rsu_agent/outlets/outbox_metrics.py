"""What the uplink process tells Prometheus of its outbox and its way to the district."""

from __future__ import annotations

from prometheus_client import Gauge

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink

WHAT = ("produced", "acknowledged", "queued", "dropped", "dead", "rolled")
REASONS = ("starting", "ok", "unheard", "refused", "closed", "other")

RECORDS = Gauge(
    "rsu_outbox_records",
    "Records by what became of them: produced is always the sum of the others.",
    ["lane", "what"],
)
ENVELOPES = Gauge("rsu_outbox_envelopes", "The same of rows, each an envelope.", ["lane", "what"])
UNCOMMITTED = Gauge(
    "rsu_outbox_uncommitted_max_records",
    "Most records handed over and not on disk: what a kill costs.",
    ["lane"],
)
UNCOMMITTED_S = Gauge("rsu_outbox_uncommitted_max_seconds", "For how long at most one was.", ["lane"])
REFUSED = Gauge("rsu_outbox_refused_records", "Records never stored, by reason.", ["reason"])
WELL = Gauge("rsu_outbox_valid", "0 while the disk takes nothing or a lane gives something up.")
STATE = Gauge("rsu_uplink_reason_valid", "1 for the reason why the uplink is, or is not, well.", ["reason"])
ENVELOPES_SENT = Gauge("rsu_uplink_sent_envelopes", "Envelopes sent, and of these sent again.", ["what"])
ROUND_TRIP = Gauge("rsu_uplink_round_trip_seconds", "From publishing to the receiver's word, the last one.")
DISCARDED = Gauge("rsu_uplink_discarded_messages", "Messages of the district let go: too many waited.")


def tell(outbox: Outbox, uplink: Uplink) -> None:
    """Bring the gauges up to date."""
    for gauge, numbers in ((RECORDS, outbox.record_numbers()), (ENVELOPES, outbox.numbers())):
        for lane, counts in numbers.items():
            for what in WHAT:
                gauge.labels(lane, what).set(counts[what])
    for lane, worst in outbox.uncommitted_max().items():
        UNCOMMITTED.labels(lane).set(worst["records"])
        UNCOMMITTED_S.labels(lane).set(worst["ms"] / 1e3)
    for reason in ("overflow", "refused", "too_big", "full"):
        REFUSED.labels(reason).set(outbox.counters[reason])
    WELL.set(outbox.trouble == "ok")
    known = uplink.reason if uplink.reason in REASONS else "other"
    for reason in REASONS:
        STATE.labels(reason).set(reason == known)
    for what in ("sent", "resent"):
        ENVELOPES_SENT.labels(what).set(uplink.counters[what])
    DISCARDED.set(uplink.counters["discarded"])
    if uplink.rtt_s is not None:
        ROUND_TRIP.set(uplink.rtt_s)
