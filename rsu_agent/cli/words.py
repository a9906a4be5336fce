"""The agent's stable words as people read them: reasons, modes of control, hazards, colours."""

from __future__ import annotations

from rsu_agent.settings.language import later, say

CONTROLS = {
    "fixed_time": later("fixed time"),
    "coordinated": later("coordinated"),
    "actuated": later("actuated"),
    "adaptive": later("adaptive"),
    "manual": later("by hand"),
    "flash": later("flashing"),
    "all_red": later("all red"),
    "off": later("switched off"),
    "unknown": later("unknown"),
}
STATES = {
    "ok": later("ok"),
    "starting": later("starting"),
    "degraded": later("degraded"),
    "lost": later("lost"),
}
HAZARDS = {
    "red_light_running": later("red light running"),
    "wrong_way": later("wrong way"),
    "stopped_vehicle": later("stopped vehicle"),
    "pedestrian_on_red": later("pedestrian on red"),
}
KINDS = {  # of road users
    "car": later("car"),
    "truck": later("truck"),
    "bus": later("bus"),
    "motorcycle": later("motorcycle"),
    "bicycle": later("bicycle"),
    "tricycle": later("tricycle"),
    "cart": later("cart"),
    "pedestrian": later("pedestrian"),
    "unknown": later("unknown"),
}
COLOURS = {
    "unknown": later("not known"),
    "dark": later("dark"),
    "red": later("red"),
    "red_flash": later("red flash"),
    "red_yellow": later("red yellow"),
    "green": later("green"),
    "green_flash": later("green flash"),
    "yellow": later("yellow"),
    "yellow_flash": later("yellow flash"),
}
REASONS = {  # of devices, of doubts, of the uplink
    "ok": later("ok"),
    "starting": later("starting"),
    "missing": later("missing"),
    "permission": later("no permission"),
    "busy": later("busy"),
    "silent": later("silent"),
    "garbled": later("garbled"),
    "refused": later("refused"),
    "timeout": later("no answer in time"),
    "process_gone": later("its process ended"),
    "closed": later("closed"),
    "ended": later("ended"),
    "late": later("late"),
    "version": later("another version"),
    "bus_off": later("bus off"),
    "renewed": later("renewed"),
    "certificate_expired": later("certificate expired"),
    "certificate_missing": later("certificate missing"),
    "credential_missing": later("password missing"),
    "certificate_unusable": later("certificate unusable"),
    "frozen": later("picture frozen"),
    "black": later("picture black"),
    "over_exposed": later("over-exposed"),
    "slow": later("too few pictures"),
    "defocused": later("out of focus"),
    "dirty": later("lens dirty"),
    "moved": later("moved"),
    "blind": later("blind"),
    "repeats": later("radio repeats"),
    "second_speaker": later("another speaker"),
    "jump": later("lies about its place"),
    "unheard": later("not acknowledged"),
    "stalled": later("stalled"),
    "unsynchronised": later("not synchronised"),
    "no_programme": later("configuration not read"),
    "no_report": later("no report yet"),
    "stale": later("lamps too old"),
    "no_mode": later("mode not known"),
    "other_controller": later("another controller"),
    "slow_source": later("slow source"),
    "line_lost": later("line lost"),
    "conflict": later("conflicting greens"),
    "witness": later("cameras contradict"),
    "last_word": later("core was silent"),
    "colour": later("wrong colour held back"),
    "phases": later("wrong phases held back"),
    "identity": later("wrong identity held back"),
    "revision": later("wrong revision held back"),
    "order": later("ends out of order"),
    "ends": later("wrong ends held back"),
    "time": later("wrong time held back"),
    "unreadable": later("unreadable frame held back"),
    "disagreement": later("a camera disagrees"),
    "contradicted": later("a camera contradicts"),
    "unusual": later("unusual change"),
    "returned": later("just back"),
    "clock": later("clock not trusted"),
}


def reason_said(reason: str | None) -> str:
    """A stable word as a person reads it; one that is not known here is shown as it is."""
    return say(REASONS[reason]) if reason in REASONS else str(reason or "")
