"""The road without processes: world, sensors, detector, fusion and judge on simulated time, then scored.

`python -m hil.offline --seconds 60 --seed 1`: what a change of detector, tracker or rule does, in less
time than it simulates. Sensors, painter and scorer are the rig's; the senses and the rules are the product's.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
from ruamel.yaml import YAML

from hil.devices.camera import JPEG_QUALITY, view_of
from hil.devices.radar import RadarModel
from hil.devices.signal_model import SignalModel
from hil.district_side import hazard_told
from hil.paint.ground import paint_ground
from hil.paint.scene import Look, paint
from hil.score.hazards import OnAir, score_hazards
from hil.score.tracks import score_tracks, truth_users
from hil.world.crossing_read import read_rig_crossing
from hil.world.main import STEP_S, WARM_S, user_row
from hil.world.script import KINDS, Script
from hil.world.traffic import Traffic
from hil.world.visibility import eyes_of, seen
from rsu_agent.hazards.judge import Judge
from rsu_agent.outlets.summary import Summary
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detector import CentrePointDetector
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pipeline import SURE
from rsu_agent.perception.roadway import Roadway
from rsu_agent.ports.assets import asset
from rsu_agent.ports.devices import RadarFrame, RadarPoint
from rsu_agent.runtime.associations import association
from rsu_agent.settings.read import read_site
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Colour

CYCLE_S, START_S = 60.0, 1000.0
PHASE_S = 22.0  # the scored seconds begin eight seconds into a cycle, as the demo's do
PICTURE_S, RADAR_S = 0.045, 0.050  # how late the fusion gets a picture's detections and a radar frame
HAZARD_FROM_S = 5.0
EARLY_S = 40.0  # so long before the first of them the script clears the runner's lane


@dataclass
class Run:
    """What the sensors gave, in order of arrival, and the truth."""

    given: list[tuple[float, str, Any]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def simulate(seed: int, seconds: float, density: str, night: bool, site_file: Path) -> Run:
    """A cycle of warm-up and the scored seconds, seen by one camera and one radar."""
    site = YAML(typ="safe").load(site_file.read_text())
    crossing = read_rig_crossing(site_file.parent / site["crossing"]["file"])
    traffic, eyes = Traffic(crossing, seed, density), eyes_of(site)
    script, lights = Script(traffic, eyes=eyes), SignalModel(START_S - WARM_S + PHASE_S, seed=seed)
    camera, radar = site["cameras"][0], site["radars"][0]
    view, ground = view_of(camera), paint_ground(crossing, seed + 77)
    returns = RadarModel(radar["pose"], radar["field"], seed)
    section = site["perception"]["detector"]
    detector = CentrePointDetector(asset(section["model"]), section["allow"])
    dice, run = random.Random(seed), Run()
    for step in range(int(WARM_S / STEP_S)):
        lights.advance(START_S - WARM_S + step * STEP_S)
        traffic.step(STEP_S, lights.lamps, START_S - WARM_S + step * STEP_S)
    for kind in KINDS:
        script.plan(kind, START_S + CYCLE_S + HAZARD_FROM_S)
    for step in range(int((CYCLE_S + seconds) / STEP_S)):
        now_s = START_S + step * STEP_S
        shone, _ = lights.advance(now_s)
        run.given += [(at_s + 0.06, "lamp", (group, colour, at_s)) for at_s, group, colour in shone]
        traffic.step(STEP_S, lights.lamps, now_s)
        for event in script.step(now_s):
            place = {"x": event.x, "y": event.y, "sure_t": event.sure_s, "user": event.user}
            run.events.append({"t": event.at_s, "kind": event.kind, "edge": event.edge, **place})
        shares = {eye.name: seen(eye, traffic.users) for eye in eyes}
        rows = [user_row(user) for user in traffic.users]
        told = [{**r, "seen": {n: s[r["id"]] for n, s in shares.items() if r["id"] in s}} for r in rows]
        run.users.append({"t": now_s, "users": told})
        if step % 2 == 0 and now_s >= START_S + CYCLE_S - 10.0:
            look = Look(night=night, noise=3.0, seed=step)
            picture = paint(view, ground, rows, crossing.heads, lights.lamps, look, now_s)
            _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            image: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
            run.given.append((now_s + PICTURE_S, "camera", (now_s, detector.detect(image, None, SURE))))
            at_s = now_s + dice.uniform(0.0, STEP_S)
            points = tuple(
                RadarPoint(forward, -right, up, doppler, snr)
                for right, forward, up, doppler, snr in returns.points(rows)
            )
            run.given.append((at_s + RADAR_S, "radar", RadarFrame(step, now_s, points)))
            run.given.append((now_s + PICTURE_S + 0.005, "scene", None))
    run.given.sort(key=lambda entry: entry[0])
    return run


def look_at(
    run: Run, site_file: Path, without: str = "", wanted: Literal["gate", "learnt"] | None = None
) -> Iterator[tuple[Scene, list[Any]]]:
    """Every scene that the fusion gives, and the hazards that began with it. wanted: None: as the site."""
    read = read_site(site_file)
    settings = read.settings
    cameras = {c.name: GroundCamera.through(c.pose, PinholeLens.of(c.lens)) for c in settings.cameras}
    radars = {r.name: GroundRadar(r.pose) for r in settings.radars}
    associate, _ = association(wanted or settings.perception.association)
    fusion = Fusion(cameras, radars, Roadway(read.crossing), associate=associate)
    judge = Judge(read.crossing)
    tick = 0
    for at_s, kind, value in run.given:
        if kind == "lamp":
            group, colour, since_s = value
            judge.saw_lamp(group, Colour(colour), since_s)
        elif kind == "camera" and without != "camera":
            fusion.camera(next(iter(cameras)), value[1], value[0])
        elif kind == "radar" and without != "radar":
            fusion.radar(next(iter(radars)), value)
        elif kind == "scene":
            tick += 1
            scene = Scene(at_s, tick, tuple(fusion.users(at_s)), ())
            began, _ = judge.scene(scene)
            yield scene, began


def score(
    run: Run,
    site_file: Path,
    seconds: float,
    without: str = "",
    wanted: Literal["gate", "learnt"] | None = None,
) -> dict[str, Any]:
    """The demo's own figures for road users and hazards; RSI and radio are taken as given."""
    site = YAML(typ="safe").load(site_file.read_text())
    cycles: list[tuple[float, list[tuple[float, float, int]]]] = []
    records: list[dict[str, Any]] = []
    rsi: list[tuple[float, set[int]]] = []
    summary = Summary(read_site(site_file).crossing, 0.0)
    for scene, began in look_at(run, site_file, without, wanted):
        people = [(u.x_east_m, u.y_north_m, round(scene.at_s * 1000) % 60000) for u in scene.users]
        cycles.append((scene.at_s, people))
        for hazard in began:
            records += [hazard_told(record) for record in summary.hazard(hazard, 0.0)]
            rsi.append((scene.at_s, {904 if hazard.kind == "wrong_way" else 412}))
    names = [{entry["name"] for entry in site[kind]} for kind in ("cameras", "radars")]
    truth = truth_users(run.users, names[0], names[1])
    t0, t1 = START_S + CYCLE_S, START_S + CYCLE_S + seconds
    scripted = [event for event in run.events if t0 <= event["t"] <= t1]
    return {
        "tracks": score_tracks(cycles, truth, 0.0, t0, t1),
        "hazards": score_hazards(scripted, records, OnAir("csae53", cycles, rsi), truth, 0.0, seconds),
        "events": [(e["kind"], e["edge"], round(e["t"] - t0, 1)) for e in scripted],
        "records": [(r["kind"], round(r["t"] / 1e6 - t0, 1), r["x"], r["y"], r["why"]) for r in records],
    }


def main() -> None:
    """Simulate, or take the run that an earlier call kept, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--density", default="day", choices=["day", "peak", "night"])
    parser.add_argument("--night", action="store_true")
    parser.add_argument(
        "--keep", type=Path, help="keep what the sensors gave in this file, or read it from there"
    )
    parser.add_argument("--without", default="", choices=["", "camera", "radar"])
    parser.add_argument("--association", choices=["gate", "learnt"], help="instead of what the site says")
    options = parser.parse_args()
    site_file = asset("config/virtual.yaml")
    if options.keep and options.keep.exists():
        run = pickle.loads(options.keep.read_bytes())
    else:
        run = simulate(options.seed, options.seconds, options.density, options.night, site_file)
    if options.keep:
        options.keep.write_bytes(pickle.dumps(run))
    print(json.dumps(score(run, site_file, options.seconds, options.without, options.association), indent=1))


if __name__ == "__main__":
    main()
