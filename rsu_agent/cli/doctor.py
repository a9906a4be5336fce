"""`rsu doctor`: numbered checks with stable ids; what was found, what it means, what to do next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.client import no_answer, peek, socket_path
from rsu_agent.cli.doctor_box import Box, box_findings
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.finding import Finding
from rsu_agent.cli.output import print_json
from rsu_agent.cli.run import state_folder
from rsu_agent.cli.words import STATES, reason_said
from rsu_agent.runtime.leap_file import LeapFileFault, read_leap_file
from rsu_agent.settings.language import later, say

SITE = Path("/etc/rsu-agent/site.yaml")
CONTROLLER_OFF_S = 2.0  # a controller's clock that tells whole seconds
LEAP_FILE, LEAP_SOON_DAYS = Path("/usr/share/zoneinfo/leap-seconds.list"), 14
JOURNAL = later("see the journal: journalctl -u rsu-agent")
LINE_HINTS = {
    "missing": later("check the cable and the device name (ls /dev/serial/by-id)"),
    "permission": later("add the service user to the group dialout"),
    "busy": later("another program holds the port: stop it (fuser the device)"),
    "silent": later("check wiring, baud and the controller's communication type (object 2.3.3)"),
    "garbled": later("wrong baud or parity, or the pair is swapped"),
    "credential_missing": later("put it into /etc/rsu-agent/credentials, or into LoadCredential="),
    "refused": later("is the device on, and is its address right?"),
    "timeout": later("the device accepts but does not answer: restart it"),
    "process_gone": later(
        "the process that serves it ended and starts again: journalctl -u rsu-agent says why"
    ),
    "closed": later("the device went away: check power and cable"),
    "frozen": later("the picture does not change: restart the camera"),
    "black": later("no light reaches the sensor: look for a cap, a closed shutter, a dead infra-red lamp"),
    "over_exposed": later("all is white: turn it away from the sun, or let it expose by itself"),
    "slow": later(
        "too few pictures: network, another viewer, a long exposure at night, or cameras[].expected_fps"
    ),
    "defocused": later("all edges are soft: clean the lens, then focus it; fog passes by itself"),
    "dirty": later("a part of the picture has lost its edges: clean the lens"),
    "moved": later("it looks elsewhere: turn it back, or rsu calibrate camera, then rsu calibrate heads"),
    "repeats": later("it sends old frames of ours again: switch its repeating off (store and repeat)"),
    "second_speaker": later("another box speaks for this crossing: does one have a copy of this site file?"),
    "blind": later("the radar counts users that it does not see: lens, light, detector (rsu model check)"),
}


def doctor(
    socket: Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")] = None,
    site: Annotated[Path | None, typer.Option("--site", help="The site file.")] = None,
    state: Annotated[Path | None, typer.Option(help="The agent's folder for what must survive.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Check the running agent and this box. Exit code 4 when a check fails, 5 when no agent answers.

    Without an agent the box alone is checked: site file, serial port, certificate, disk.

    Example: rsu doctor
    """
    path = socket_path(socket)
    told = peek(path)
    box = Box(
        site or (SITE if SITE.exists() else None),
        state or state_folder(),
        told is not None,
        peek(path, "crossing") if told else None,
        tuple(each["group"] for each in told["signal"].get("groups", ())) if told else (),
    )
    findings = [found for check in CHECKS for found in check(told)] if told else []
    findings += box_findings(box)
    if as_json and told:
        print_json({"good": all(f.good is not False for f in findings), "findings": [*map(asdict, findings)]})
    elif not as_json:
        _print(findings)
    if told is None:
        no_answer(path, as_json=as_json, good=False, findings=[asdict(f) for f in findings])
    if any(f.good is False for f in findings):
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        mark = {True: "ok  ", False: "FAIL", None: "?   "}[finding.good]
        typer.echo(f"{mark} {finding.id} {finding.found}")
        if finding.good is not True and finding.next:
            typer.echo(f"       -> {finding.next}")


def _devices(state: dict[str, Any]) -> Iterator[Finding]:
    numbers = {
        "controller": "SER",
        "camera": "CAM",
        "radar": "RDR",
        "radio": "RAD",
        "time": "CLK",
        "air": "AIR",
    }
    counts: dict[str, int] = {}
    for device in state["devices"]:
        prefix = numbers.get(device["kind"], "DEV")
        counts[prefix] = counts.get(prefix, 0) + 1
        how, why = say(STATES[device["state"]]), reason_said(device["reason"])
        found = f"{device['device']}: {how}{'' if why == how else f' ({why})'} {device['detail']}".rstrip()
        hint = say(LINE_HINTS.get(device["reason"], JOURNAL))
        yield Finding(f"{prefix}{counts[prefix]:02d}", device["state"] == "ok", found, hint, device["reason"])


def _signal(state: dict[str, Any]) -> Iterator[Finding]:
    spat = state["spat"]
    yield Finding(
        "SIG01",
        bool(spat["valid"]),
        (
            say("SPAT is valid")
            if spat["valid"]
            else say("SPAT is unavailable: {reason}", reason=spat["reason"])
        ),
        say("look at the controller's line first (SER01), then at the guard: rsu status --json | jq .guard"),
    )
    error_s = state["signal"].get("end_error_p95_s")
    yield Finding(
        "SIG02",
        None if error_s is None else error_s <= 1.0,
        (
            say("prediction not yet measured")
            if error_s is None
            else say("end error p95 {error_s:.2f} s", error_s=error_s)
        ),
        say("the plan in the controller is not what it runs: read it again, or wait one cycle"),
    )


def _clock(state: dict[str, Any]) -> Iterator[Finding]:
    clock = state["clock"]
    bound = clock["bound_ms"]
    yield Finding(
        "CLK10",
        bool(clock["trusted"]),
        say(
            "clock bound {bound} from {source}",
            bound=say("unknown") if bound is None else f"{bound:.1f} ms",
            source=clock["source"],
        ),
        say("start chrony and let it synchronise: chronyc tracking"),
    )


def _controller_clock(state: dict[str, Any]) -> Iterator[Finding]:
    offset_s, shows = state["clock"].get("controller_offset_s"), state["clock"].get("controller_shows")
    if offset_s is None:
        yield Finding("CLK20", None, say("the controller's clock is not told, or ours is not trusted"))
        return
    named = say(": it shows {shows}", shows=shows) if shows else ""
    yield Finding(
        "CLK20",
        abs(offset_s) <= CONTROLLER_OFF_S,
        say("controller's clock {offset_s:+.1f} s from UTC{named}", offset_s=offset_s, named=named),
        say("plans by time of day begin so much off: have the controller's clock or time zone set"),
    )


def _leap_file(_state: dict[str, Any]) -> Iterator[Finding]:
    """The machine's own list of leap seconds: chrony takes them from there."""
    try:
        known = read_leap_file(LEAP_FILE.read_text())
    except OSError:
        yield Finding("CLK30", None, say("no {LEAP_FILE}", LEAP_FILE=LEAP_FILE))
        return
    except LeapFileFault as fault:
        yield Finding("CLK30", False, f"{LEAP_FILE}: {fault}", say("install the package tzdata again"))
        return
    days = (known.expires_utc_s - time.time()) / 86_400
    found = (
        say("leap seconds known for {days:.0f} days", days=days)
        if days > 0
        else say("leap seconds expired {days:.0f} days ago", days=-days)
    )
    good = True if days > LEAP_SOON_DAYS else None  # time servers tell of the next one too
    yield Finding("CLK30", good, found, say("update the package tzdata"))


def _witness(state: dict[str, Any]) -> Iterator[Finding]:
    watched = state.get("witness", [])
    if not watched:
        yield Finding("WIT01", None, say("no camera watches a signal head: rsu calibrate heads"))
        return
    bad = [each["group"] for each in watched if each["contradicted"]]
    yield Finding(
        "WIT01",
        not bad,
        (
            say("cameras contradict groups {bad}", bad=bad)
            if bad
            else say("cameras agree, {count} groups watched", count=len(watched))
        ),
        say(
            "lamp burnt out, two groups swapped in the wiring or in signals.phases, "
            "or a box on the wrong head"
        ),
    )
    blind = [each["group"] for each in watched if each["agrees"] is None]
    yield Finding(
        "WIT02",
        len(blind) <= len(watched) / 2,
        (say("no opinion on groups {blind}", blind=blind) if blind else say("every watched head is seen")),
        say("camera dirty, turned or dark; or the box is off: rsu calibrate heads"),
    )


def _detector(state: dict[str, Any]) -> Iterator[Finding]:
    """The weights: what they are, what runs them, whose they are, what is wrong with them."""
    told = state.get("detector")
    if not told:
        yield Finding("DET01", None, say("no detector: the road is watched by radar alone, or not at all"))
        return
    check = f"rsu model check {told['model']}"
    if told["refused"]:
        yield Finding(
            "DET01",
            False,
            say("{model} is refused: {refused}", model=told["model"], refused=told["refused"]),
            check,
        )
        return
    runs = ", ".join(f"{name} {share:.0%}" for name, share in told["providers"].items())
    yield Finding(
        "DET01", True, say("{model}: {head} on {runs}", model=told["model"], head=told["head"], runs=runs)
    )
    licence = say("licence of the weights: {licence}", licence=told["licence"] or say("not stated"))
    yield Finding("DET02", True if told["licence"] else None, licence, say("write it into model.toml"))
    if told["use"]:
        yield Finding(
            "DET03",
            None,
            say("weights are marked {use}", use=told["use"]),
            say("bring weights for real cameras"),
        )
    if told["warnings"]:
        yield Finding("DET04", None, "; ".join(told["warnings"]), check)


def _association(state: dict[str, Any]) -> Iterator[Finding]:
    """How detections find their tracks; nothing is said before the senses have told it."""
    told = state.get("association")
    if not told:
        return
    if told["refused"]:
        said = say("the learnt association is refused, the gate is used: {refused}", refused=told["refused"])
        yield Finding(
            "ASC01", False, said, say("install the package again, or set perception.association: gate")
        )
        return
    yield Finding("ASC01", True, say("detections find their tracks by: {used}", used=told["used"]))


def _uplink(state: dict[str, Any]) -> Iterator[Finding]:
    uplink = state.get("uplink")
    if uplink is None:
        yield Finding("NET01", None, say("no uplink is configured or its process is not up"))
        return
    yield Finding(
        "NET01",
        bool(uplink.get("connected")),
        say(
            "uplink {state}, {backlog} waiting",
            state=say("up") if uplink.get("connected") else say("down"),
            backlog=uplink.get("backlog"),
        ),
        say("check the way to the broker; nothing is lost while it is away"),
    )


CHECKS: tuple[Callable[[dict[str, Any]], Iterator[Finding]], ...] = (
    _devices,
    _signal,
    _witness,
    _detector,
    _association,
    _clock,
    _controller_clock,
    _leap_file,
    _uplink,
)
