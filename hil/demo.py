"""The demo: the whole product on the virtual crossing, to look at or to be scored."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.devices.cabinets import CABINETS
from hil.devices.radars import RADARS
from hil.devices.vehicle_codec import CSAE53, decode
from hil.district_side import all_stored, district_facts
from hil.processes import RigFailure
from hil.recording_side import fused_frames
from hil.resources import ProcessWatch, agent_processes, loop_ns
from hil.rig import SITE, Rig, RigOptions
from hil.score.bounds import exempted
from hil.score.heard import heard_figures
from hil.score.report import Ends, score_run
from hil.score.runs import judged
from hil.score.timeline import Language
from hil.score.windows import WINDOW_S, windows_of
from hil.truth import read_truth
from hil.world.crossing_read import read_rig_crossing
from hil.world.script import KINDS
from rsu_agent.ports.assets import asset
from rsu_agent.settings.language import say

FIRST_VALID_S = 60.0  # the bound is a figure of its own; a loaded host is waited for
LOOK_S = 0.05
DRAIN_S = 15.0
CYCLE_S = {1: 60.0, 2: 80.0, 3: 28.0}
HAZARD_FROM_S = 5.0
STATE_S = 1.0
MOST_EXTENSIONS = 3
LONGEST_OFFLINE_S = 60.0
ROAD = ("recall", "precision", "position_rmse_m", "truth_samples")
NOT_ABLATED: dict[str, dict[str, Any]] = {
    "tracks": {"recall_without_camera": None, "recall_without_radar": None},
    "night": dict.fromkeys(ROAD),
    "peak": dict.fromkeys(ROAD),
}
SETTLE_S = 0.2  # the probe's last line is in its file by then


@dataclass
class Window:
    """The scored seconds of a run, on the monotonic clock."""

    exec_s: float
    first_valid_s: float
    t0: float
    t1: float
    extended: int = 0


def watch_first_valid(run_dir: Path, from_s: float, messages: str = CSAE53) -> float:
    """When the vehicle heard the first SPAT that says something. Raises RigFailure."""
    path, read = run_dir / "truth" / "vehicle.jsonl", 0
    while time.monotonic() - from_s < FIRST_VALID_S:
        text = path.read_text()[read:] if path.exists() else ""
        whole = text.rfind("\n") + 1
        read += whole
        for line in text[:whole].splitlines():
            entry = json.loads(line)
            kind, value = decode(bytes.fromhex(entry["hex"]), messages)
            if kind == "SPAT" and says_something(value):
                return float(entry["t"])
        time.sleep(LOOK_S)
    raise RigFailure(say("no valid SPAT within {seconds:g} s of the agent's start", seconds=FIRST_VALID_S))


def provenance() -> dict[str, Any]:
    """Which commit and which processor a figure belongs to."""
    root = Path(__file__).parents[1]
    git = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=False
    )
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {"commit": git.stdout.strip() or None, "cpu": model[0].split(": ")[1] if model else None}


def says_something(spat: Any) -> bool:
    """Whether a SPAT of any set knows the light of any group."""
    state = spat["intersections"][0]
    lights = [phase["phaseStates"][0]["light"] for phase in state.get("phases", ())]
    lights += [movement["state-time-speed"][0]["eventState"] for movement in state.get("states", ())]
    return any(light != "unavailable" for light in lights)


def demo_figures(
    seconds: float, options: RigOptions, runs: int = 1, keep: Path | None = None, ablations: bool = False
) -> dict[str, Any]:
    """Run as often as asked, score, judge: the one JSON object. `keep`: where the runs leave their files."""
    if ablations and options.world != "built-in":
        raise RigFailure(say("--ablations simulates the built-in world only: leave out --world"))
    results = []
    for n in range(runs):
        results.append(bounded(seconds, options, keep / f"run-{n + 1}" if keep and runs > 1 else keep))
    more = ablated(seconds, options) if ablations else NOT_ABLATED
    for result in results:
        for section, values in more.items():
            result[section] = {**result.get(section, {}), **values}
    return judged(results, seconds)


def ablated(seconds: float, options: RigOptions) -> dict[str, dict[str, Any]]:
    """Recall with either sensor taken away, and the road by night and at the peak, which are not judged.

    The same worlds, detector and fusion as in the demo, without its processes.
    """
    from hil.offline import score, simulate

    site_file, seconds = options.site or asset(SITE), min(seconds, LONGEST_OFFLINE_S)

    def tracks(density: str, night: bool, *without: str) -> list[dict[str, Any]]:
        run = simulate(options.seed, seconds, density, night, site_file)
        return [score(run, site_file, seconds, sensor)["tracks"] for sensor in without]

    _say(say("simulating the same crossing with one sensor less ..."))
    blind, deaf = tracks(options.density, options.night, "camera", "radar")
    _say(say("simulating night and peak ..."))
    by_night, at_peak = tracks("night", True, "")[0], tracks("peak", False, "")[0]
    return {
        "tracks": {"recall_without_camera": blind["recall"], "recall_without_radar": deaf["recall"]},
        "night": {name: by_night[name] for name in ROAD},
        "peak": {name: at_peak[name] for name in ROAD},
    }


def bounded(seconds: float, options: RigOptions, keep: Path | None = None) -> dict[str, Any]:
    """One run's figures, not yet judged; its folder is kept where `keep` says."""
    run_dir = keep or Path(tempfile.mkdtemp(prefix="rsu-demo-"))
    rig = Rig(run_dir, options)
    began_s = time.monotonic()
    try:
        window, watch, drain_s = _run(rig, seconds)
        figures = score_run(run_dir, _ends(rig, window.extended), window.t0, window.t1)
        if options.talkers:
            figures["heard"] = heard_figures(run_dir, window.t0, window.t1)
    finally:
        _leave(rig, keep)
    figures["spat"]["first_valid_s"] = round(window.first_valid_s - window.exec_s, 3)
    figures["process"] = watch.figures()
    figures["machine"] = {"loop_ns": loop_ns()}
    figures["world"]["kind"] = _kind(options)
    figures["messages"], figures["controller"] = options.messages, options.controller
    figures["radar"], figures["camera"] = options.radar, options.camera
    figures["warmup_s"] = round(window.t0 - began_s, 1)
    figures["drain_s"] = round(drain_s, 1)
    figures |= {"seed": options.seed, "seconds": seconds, **provenance()}
    exempted(figures, seconds)
    return figures


def _kind(options: RigOptions) -> str:
    """`day` is the one whose road is judged."""
    return options.world if options.world != "built-in" else "night" if options.night else options.density


def _leave(rig: Rig, keep: Path | None) -> None:
    """End everything; the run's folder goes too unless it was asked for."""
    rig.stop()
    if keep is None:
        shutil.rmtree(rig.run_dir, ignore_errors=True)


def _ends(rig: Rig, extended: int) -> Ends:
    site = YAML(typ="safe").load(rig.site_file.read_text())
    crossing = read_rig_crossing(Path(site["crossing"]["file"]))
    language = Language(
        site["signals"]["phases"],
        rig.options.messages,
        frozenset(walk.group for walk in crossing.walks),
        frozenset(way.group for way in crossing.ways if way.group is not None)
        | {group for group, _ in crossing.waiting.values() if group is not None},
        CABINETS[rig.options.controller].blind,
    )
    return Ends(
        language=language,
        cameras={camera["name"] for camera in site["cameras"]},
        radars={radar["name"] for radar in site["radars"] if RADARS[rig.options.radar].places},
        district=district_facts(rig.state / "outbox", rig.run_dir / "district.sqlite"),
        fused=fused_frames(rig.state),
        extended=extended,
    )


def _run(rig: Rig, seconds: float) -> tuple[Window, ProcessWatch, float]:
    _say(say("starting the virtual devices ..."))
    rig.start_devices()
    exec_s = time.monotonic()
    rig.start_agent()
    first_valid_s = watch_first_valid(rig.run_dir, exec_s, rig.options.messages)
    t0 = first_valid_s + CYCLE_S[rig.options.plan]
    window = Window(exec_s, first_valid_s, t0, t0 + seconds)
    if (
        seconds >= 60 and rig.options.world == "built-in"
    ):  # told a cycle ahead: the script keeps the lanes of its acts free
        hazards = [{"kind": kind, "at_t": t0 + HAZARD_FROM_S} for kind in KINDS]
        rig.bus.publish("script", {"hazards": hazards})
    watch = ProcessWatch(agent_processes(rig.processes.children["agent"].process))
    while True:
        _score_until(rig, window, watch)
        time.sleep(SETTLE_S)
        if not extend(rig.run_dir, window, seconds):
            return window, watch, _drain(rig)


def _score_until(rig: Rig, window: Window, watch: ProcessWatch) -> None:
    while (now_s := time.monotonic()) < window.t1:
        _progress(now_s - window.exec_s, window.t1 - window.exec_s)
        if now_s >= window.t0:
            watch.look()
        rig.processes.look()
        time.sleep(min(STATE_S, max(0.0, window.t1 - now_s)))


def extend(run_dir: Path, window: Window, seconds: float) -> bool:
    """Ten more seconds where stalls of the host have left too few good ones; at most three times."""
    windows = windows_of(read_truth(run_dir, "stall"), window.t0, window.t1)
    if window.extended == MOST_EXTENSIONS or windows.good_s >= seconds - 1e-6:
        return False
    window.extended += 1
    window.t1 += WINDOW_S
    return True


def _drain(rig: Rig) -> float:
    """Let the uplink deliver what the window produced, then end the agent."""
    began_s = time.monotonic()
    time.sleep(1.0)  # the low lane commits within 200 ms; one more second of records is nobody's loss
    rig.processes.stop("page", "agent")
    while time.monotonic() - began_s < DRAIN_S:
        if all_stored(rig.state / "outbox", rig.run_dir / "district.sqlite"):
            break
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


def _progress(done_s: float, all_s: float) -> None:
    if sys.stderr.isatty():
        share = min(1.0, done_s / all_s)
        bar = "█" * int(share * 30)
        print(
            f"\r{bar:<30} {share:4.0%}  {all_s - done_s:4.0f} s to go ", end="", file=sys.stderr, flush=True
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def endless(options: RigOptions, keep: Path | None = None) -> None:
    """Bring everything up, say where to look, show the state in one line until Ctrl-C.

    The run's folder stays where `keep` says, else it goes with the run.
    """
    run_dir = keep or Path(tempfile.mkdtemp(prefix="rsu-demo-"))
    rig = Rig(run_dir, options)
    try:
        _say(say("starting the virtual crossing ..."))
        rig.start_devices()
        rig.start_agent()
        rig.processes.wait_ready("page")
        exec_s = time.monotonic()
        watch_first_valid(run_dir, exec_s, options.messages)
        metrics = (run_dir / "agent" / "metrics.port").read_text()
        print(say("page     {url}", url=rig.processes.told("page")["url"]))
        print(f"metrics  http://127.0.0.1:{metrics}/metrics")
        print(say("status   rsu status -w --socket {socket}", socket=rig.socket))
        print(say("faults   rsu hil fault controller unplug on --run {run_dir}", run_dir=run_dir), flush=True)
        _follow(rig)
    except KeyboardInterrupt:
        _say(say("\nending ..."))
    finally:
        _leave(rig, keep)


def _follow(rig: Rig) -> None:
    """One line, rewritten on a terminal, printed every ten seconds elsewhere."""
    from rsu_agent.cli.client import stream
    from rsu_agent.cli.status import one_line

    shown_s = 0.0
    while True:
        try:
            for state in stream(rig.socket, "live"):
                for name in rig.processes.look():
                    _say(say("\n{name} ended and was started again", name=name))
                every_s = 0.5 if sys.stdout.isatty() else 10.0
                if time.monotonic() - shown_s < every_s:
                    continue
                shown_s = time.monotonic()
                line = one_line({**state, "users": len(state["users"])})
                end = "\n" if not sys.stdout.isatty() else ""
                print(f"\r{line[:150]:<150}" if not end else line, end=end, flush=True)
        except OSError:
            time.sleep(LOOK_S * 10)
