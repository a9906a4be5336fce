"""Fusion and hazard rules on the virtual crossing in simulated time; prints one JSON line.

`python tests/bench/bench_tracker.py [--seconds 120] [--seed 1] [--rendered] [--night] [--density peak]
[--without camera|radar] [--camera-late-ms 300] [--hazards]`

Truth, radar returns and visibility are the rig's. A picture is either painted and shown to the bundled net
(`--rendered`) or modelled: detection by visible share, ground point to a pixel or two. Invented models: the
figures compare trackers with each other, they say nothing of real roads.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hil.devices.camera import view_of  # noqa: E402
from hil.devices.radar import RadarModel  # noqa: E402
from hil.devices.signal_model import SignalModel  # noqa: E402
from hil.paint.ground import paint_ground  # noqa: E402
from hil.paint.scene import Look, labels, paint  # noqa: E402
from hil.score.tracks import truth_users  # noqa: E402
from hil.world.crossing_read import read_rig_crossing  # noqa: E402
from hil.world.main import user_row  # noqa: E402
from hil.world.script import KINDS, Event, Script  # noqa: E402
from hil.world.traffic import Traffic  # noqa: E402
from hil.world.visibility import eyes_of, seen  # noqa: E402
from rsu_agent.hazards.judge import Judge  # noqa: E402
from rsu_agent.perception.fuse import Fusion  # noqa: E402
from rsu_agent.perception.ground import GroundCamera, GroundRadar  # noqa: E402
from rsu_agent.perception.heads.detection import Detection  # noqa: E402
from rsu_agent.perception.heads.detector import CentrePointDetector  # noqa: E402
from rsu_agent.perception.roadway import Roadway  # noqa: E402
from rsu_agent.ports.devices import RadarFrame, RadarPoint  # noqa: E402
from rsu_agent.settings.read import read_site  # noqa: E402
from rsu_agent.world.road_user import RoadUser, Scene, UserClass  # noqa: E402
from rsu_agent.world.signal import Colour  # noqa: E402

STEP_S, FRAME_S = 0.05, 0.1
WARM_S, SETTLE_S = 90.0, 3.0
MATCH_M, CUT_M = 2.5, 5.0
CAMERA_LATENCY_S, RADAR_LATENCY_S = 0.03, 0.05
GROUND_SD_PX, LEAST_SEEN, CONFUSED = 1.6, 0.25, 0.06
FALSE_A_FRAME, WEAK = 0.2, 0.12
CONFUSION = {"car": "truck", "truck": "bus", "bus": "truck", "bicycle": "motorcycle", "motorcycle": "bicycle"}


@dataclass
class Options:
    """What one run is."""

    seconds: float = 60.0
    seed: int = 1
    rendered: bool = False
    night: bool = False
    density: str = "day"
    without: str = ""
    camera_late_ms: float = 0.0
    hazards: bool = False
    site: Path = ROOT / "config" / "virtual.yaml"


@dataclass
class Marks:
    """Sums over the scored scenes."""

    counted: int = 0
    found: int = 0
    said: int = 0
    lonely: int = 0
    matched: int = 0
    truth: int = 0
    switches: int = 0
    square: float = 0.0
    speed_square: float = 0.0
    gospa: list[float] = field(default_factory=list)
    right_class: int = 0
    heading_off: list[float] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    missed_by: Counter[str] = field(default_factory=Counter)
    counted_by: Counter[str] = field(default_factory=Counter)

    def scene(
        self, users: Sequence[RoadUser], truth: Sequence[Mapping[str, Any]], countable: set[int]
    ) -> None:
        """One scene against the truth of its instant."""
        self.said, self.counted = self.said + len(users), self.counted + len(countable)
        places = np.array([(u.x_east_m, u.y_north_m) for u in users]).reshape(-1, 2)
        real = np.array([(u["x"], u["y"]) for u in truth]).reshape(-1, 2)
        away = np.hypot(*(places[:, None] - real[None]).transpose(2, 0, 1))
        if away.size:
            self.lonely += int((away.min(axis=1) > MATCH_M).sum())
        rows, columns = linear_sum_assignment(np.where(away <= MATCH_M, away, 1e6))
        good = [(r, c) for r, c in zip(rows, columns, strict=True) if away[r, c] <= MATCH_M]
        hit = {truth[c]["id"] for _, c in good}
        for number in countable:
            cls = next((u["cls"] for u in truth if u["id"] == number), "gone")
            self.counted_by[cls] += 1
            self.missed_by[cls] += number not in hit
        self.found += len(hit & countable)
        # GOSPA and the tracking figures take the countable users and whoever was matched as the truth.
        real_count = len(hit | countable)
        self.truth += real_count
        self.gospa.append(
            math.sqrt(
                sum(min(away[r, c], CUT_M) ** 2 for r, c in good)
                + CUT_M**2 / 2 * (len(users) + real_count - 2 * len(good))
            )
        )
        for row, column in good:
            self._pair(users[row], truth[column], float(away[row, column]))

    def _pair(self, user: RoadUser, true: Mapping[str, Any], away: float) -> None:
        self.matched += 1
        self.square += away**2
        self.speed_square += (user.vx_east_mps - true["vx"]) ** 2 + (user.vy_north_mps - true["vy"]) ** 2
        self.right_class += user.kind == true["cls"]
        if user.heading_deg is not None:
            off = (user.heading_deg - true["heading"] + 180) % 360 - 180
            self.heading_off.append(abs(off))
        self.switches += self.owner.get(true["id"], user.track) != user.track
        self.owner[true["id"]] = user.track
        self.pairs[true["id"], user.track] += 1

    def figures(self) -> dict[str, Any]:
        """The figures of the issue and of the facts' benchmark."""
        rows = {number: i for i, number in enumerate({a for a, _ in self.pairs})}
        columns = {number: i for i, number in enumerate({b for _, b in self.pairs})}
        shared = np.zeros((len(rows), len(columns)))
        for (a, b), count in self.pairs.items():
            shared[rows[a], columns[b]] = count
        true_positive = shared[linear_sum_assignment(-shared)].sum() if shared.size else 0.0
        matched = max(1, self.matched)
        missed = self.truth - self.matched
        return {
            "recall": round(self.found / max(1, self.counted), 4),
            "precision": round(1 - self.lonely / max(1, self.said), 4),
            "position_rmse_m": round(math.sqrt(self.square / matched), 3),
            "velocity_rmse_mps": round(math.sqrt(self.speed_square / matched), 3),
            "mota": round(1 - (missed + self.said - self.matched + self.switches) / max(1, self.truth), 4),
            "idf1": round(2 * true_positive / max(1, self.truth + self.said), 4),
            "switches": self.switches,
            "gospa": round(statistics.mean(self.gospa), 2) if self.gospa else None,
            "class_right": round(self.right_class / matched, 3),
            "heading_off_p90_deg": _percentile(self.heading_off, 90),
            "samples": self.counted,
            "missed": {k: round(v / self.counted_by[k], 3) for k, v in sorted(self.missed_by.items())},
        }


class Bench:
    """One crossing in simulated time."""

    def __init__(self, options: Options) -> None:
        self.options = options
        site = read_site(options.site)
        self.settings, crossing = site.settings, site.crossing
        rig = read_rig_crossing(options.site.parent / "crossings" / "virtual.geojson")
        self.rig, self.random = rig, random.Random(options.seed)
        plain = json.loads(
            json.dumps(
                {
                    "cameras": [c.model_dump() for c in self.settings.cameras],
                    "radars": [r.model_dump() for r in self.settings.radars],
                }
            )
        )
        camera, radar = self.settings.cameras[0], self.settings.radars[0]
        self.camera, self.radar = camera.name, radar.name
        ground = GroundCamera(camera.pose, camera.lens.focal_px, camera.lens.width_px, camera.lens.height_px)
        self.fusion = Fusion({camera.name: ground}, {radar.name: GroundRadar(radar.pose)}, Roadway(crossing))
        self.judge = Judge(crossing)
        self.view = view_of(plain["cameras"][0])
        self.model = RadarModel(plain["radars"][0]["pose"], plain["radars"][0]["field"], options.seed)
        self.eyes = eyes_of(plain)
        self.traffic = Traffic(rig, options.seed, options.density)
        self.script = Script(self.traffic)
        self.signals = SignalModel(1000.0 - WARM_S, seed=options.seed)
        self.picture = paint_ground(rig, options.seed + 77) if options.rendered else None
        self.detector = self._detector()
        self.ms: dict[str, list[float]] = {}
        self.queue: list[tuple[float, int, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.scenes: list[Scene] = []
        self.events: list[Event] = []
        self.hazards: list[tuple[float, Any]] = []

    def _detector(self) -> CentrePointDetector | None:
        section = self.settings.perception.detector
        if not self.options.rendered or section is None:
            return None
        return CentrePointDetector(ROOT / section.model, section.allow)

    def run(self) -> dict[str, Any]:
        """All of it; the figures."""
        now_s, tick = 1000.0 - WARM_S, 0
        end_s = 1000.0 + SETTLE_S + self.options.seconds
        if self.options.hazards:
            for i, kind in enumerate(KINDS):
                self.script.plan(kind, 1000.0 + 5 + i * 8)
        while now_s < end_s:
            self._world(now_s)
            if now_s >= 1000.0:
                tick += 1
                if tick % 2 == 0:
                    self._sense(now_s)
                self._deliver(now_s, publish=tick % 2 == 1)
            now_s += STEP_S
        return self._figures()

    def _world(self, now_s: float) -> None:
        shone, _ = self.signals.advance(now_s)
        for at_s, group, colour in shone:
            self.judge.saw_lamp(group, Colour(colour), at_s)
        self.traffic.step(STEP_S, dict(self.signals.lamps), now_s)
        if now_s < 1000.0:
            return
        self.events += self.script.step(now_s)
        shares = {eye.name: seen(eye, self.traffic.users) for eye in self.eyes}
        rows = [user_row(user) for user in self.traffic.users]
        for row in rows:
            row["seen"] = {name: by[row["id"]] for name, by in shares.items() if row["id"] in by}
        self.entries.append({"t": now_s, "users": rows})

    def _sense(self, now_s: float) -> None:
        users = self.entries[-1]["users"]
        if self.options.without != "camera":
            found = self._look(users, now_s)
            late_s = CAMERA_LATENCY_S + self.options.camera_late_ms / 1000
            self.queue.append((now_s + late_s, 0, (now_s, found)))
        if self.options.without != "radar":
            points = tuple(
                RadarPoint(forward, -right, up, doppler, snr)
                for right, forward, up, doppler, snr in self.model.points(users)
            )
            frame = RadarFrame(len(self.entries), now_s, points)
            self.queue.append((now_s + RADAR_LATENCY_S, 1, frame))

    def _look(self, users: list[dict[str, Any]], now_s: float) -> list[Detection]:
        if self.detector is None:
            return self._modelled(users)
        look = Look(night=self.options.night, noise=3.0, seed=len(self.entries))
        lamps = dict(self.signals.lamps)
        began = time.perf_counter()
        picture = paint(self.view, self.picture, users, self.rig.heads, lamps, look, now_s)  # type: ignore[arg-type]
        painted = time.perf_counter()
        found = self.detector.detect(picture, None, WEAK)
        self._took("paint", painted - began)
        self._took("detect", time.perf_counter() - painted)
        return found

    def _modelled(self, users: list[dict[str, Any]]) -> list[Detection]:
        """Detections by visible share and distance; ground points to a pixel or two; a few from nothing."""
        r = self.random
        found = []
        for label in labels(self.view, users):
            if not (0 <= label.ground[0] <= self.view.width and 0 <= label.ground[1] <= self.view.height):
                continue
            away = math.hypot(label.x - self.view.x, label.y - self.view.y)
            chance = 0.95 - 0.4 * (away / 85) ** 3
            if self.options.night:
                chance *= 0.55 if label.cls == "pedestrian" else 0.8
            chance *= min(1.0, max(0.0, (label.visible - LEAST_SEEN) / 0.3))
            if r.random() > chance:
                continue
            sd = GROUND_SD_PX + 0.02 * (label.box[2] - label.box[0])
            ground = (label.ground[0] + r.gauss(0, sd), label.ground[1] + r.gauss(0, sd * 0.7))
            cls = CONFUSION.get(label.cls, label.cls) if r.random() < CONFUSED else label.cls
            found.append(Detection(UserClass(cls), r.uniform(0.3, 0.9), label.box, ground, grounded=True))
        if r.random() < FALSE_A_FRAME:
            u, v = r.uniform(0, self.view.width), r.uniform(150, self.view.height)
            box = (u - 10, v - 20, u + 10, v)
            found.append(Detection(UserClass.PEDESTRIAN, r.uniform(0.12, 0.5), box, (u, v), grounded=True))
        return sorted(found, key=lambda item: -item.score)

    def _deliver(self, now_s: float, *, publish: bool) -> None:
        due = sorted(item for item in self.queue if item[0] <= now_s)
        self.queue = [item for item in self.queue if item[0] > now_s]
        for _, kind, what in due:
            began = time.perf_counter()
            if kind == 0:
                self.fusion.camera(self.camera, what[1], what[0])
            else:
                self.fusion.radar(self.radar, what)
            self._took("camera_step" if kind == 0 else "radar_step", time.perf_counter() - began)
        if publish:
            began = time.perf_counter()
            scene = Scene(now_s, len(self.scenes) + 1, tuple(self.fusion.users(now_s)), ())
            self._took("users", time.perf_counter() - began)
            self.scenes.append(scene)
            began = time.perf_counter()
            hazards, _ = self.judge.scene(scene)
            self._took("judge", time.perf_counter() - began)
            self.hazards += [(now_s, hazard) for hazard in hazards]

    def _took(self, stage: str, seconds: float) -> None:
        self.ms.setdefault(stage, []).append(seconds * 1000)

    def _figures(self) -> dict[str, Any]:
        truth = truth_users(self.entries, {self.camera}, {self.radar})
        marks = Marks()
        for scene in self.scenes:
            if scene.at_s < 1000.0 + SETTLE_S:
                continue
            near = truth.near(scene.at_s)
            if near is not None:
                marks.scene(scene.users, near[0], near[1])
        options = {key: str(value) for key, value in asdict(self.options).items() if key != "site"}
        figures = {"options": options, **marks.figures()}
        figures["users_mean"] = round(statistics.mean(len(s.users) for s in self.scenes), 1)
        figures["ms_p50_p95"] = {
            stage: [_percentile(took, 50), _percentile(took, 95)] for stage, took in sorted(self.ms.items())
        }
        figures["hazards"] = self._hazard_figures()
        return figures

    def _hazard_figures(self) -> dict[str, Any]:
        """Detected kinds, report delay after the condition was sure, distance; and what was false."""
        onsets = [event for event in self.events if event.edge == "onset"]
        used: set[int] = set()
        rows = []
        for event in onsets:
            for reported_s, hazard in self.hazards:
                apart = math.hypot(hazard.x_east_m - event.x, hazard.y_north_m - event.y)
                if hazard.number in used or hazard.kind != event.kind or apart > 12.0:
                    continue
                used.add(hazard.number)
                late = {
                    "onset_s": round(hazard.onset_s - event.sure_s, 2),
                    "report_s": round(reported_s - event.sure_s, 2),
                }
                rows.append({"kind": event.kind, **late, "apart_m": round(apart, 2)})
                break
            else:
                rows.append({"kind": event.kind, "missed": True})
        false = [(h.kind, round(at - 1000, 1), h.evidence) for at, h in self.hazards if h.number not in used]
        return {"expected": len(onsets), "found": rows, "false": false}


def _percentile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.percentile(values, share)), 3) if values else None


def main() -> None:
    """One run, one line."""
    parser = argparse.ArgumentParser()
    for key, value in asdict(Options()).items():
        name = "--" + key.replace("_", "-")
        if isinstance(value, bool):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(value), default=value)
    print(json.dumps(Bench(Options(**vars(parser.parse_args()))).run()))


if __name__ == "__main__":
    main()
