"""A surveyed virtual crossing: a painted still of a distorting camera, and ground points with their pixels.

`python -m hil.survey FOLDER` writes still.png, points.csv, lens.yaml and site.yaml into it: something to
practise `rsu calibrate` on. Projection and distortion are the rig's own.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint import lens
from hil.paint.ground import PIXELS_A_METRE, Ground, Picture, paint_ground
from hil.paint.lens import View
from hil.paint.scene import Look, paint
from hil.world.crossing_read import RigCrossing, read_rig_crossing
from rsu_agent.ports.assets import asset

Array = npt.NDArray[np.float64]
VIEW = View(-16.0, -19.0, 7.0, 45.0, 13.0, 0.6, 1100.0, 1920, 1080)
BENT = (-0.17, 0.09, 0.0006, -0.0004, 0.0)  # k1 k2 p1 p2 k3
MARGIN = 260  # px that the pinhole picture needs around to be bent into the camera's
GUESS = {"x_east_m": -15.0, "y_north_m": -20.0, "height_m": 7.5, "yaw_deg": 43.0, "pitch_deg": 11.0}
CROSSING = "config/crossings/virtual.geojson"
MANHOLES = {"M1": (-6.0, -6.5), "M2": (1.5, -8.0), "M3": (-9.0, 2.0), "M4": (3.0, 3.5), "M5": (9.5, -3.0)}
MANHOLE_M = 0.35


def still(crossing: RigCrossing, seed: int = 1, view: View = VIEW, *, night: bool = False) -> Picture:
    """What the camera sees of the empty crossing, through its distorting lens."""
    wide = replace(view, width=view.width + 2 * MARGIN, height=view.height + 2 * MARGIN)
    look = Look(night=night, gain=1.4, noise=2.0, seed=seed)
    flat = paint(wide, _with_manholes(paint_ground(crossing, seed + 77)), [], crossing.heads, {}, look)
    u, v = np.meshgrid(np.arange(view.width, dtype=np.float64), np.arange(view.height, dtype=np.float64))
    slopes = unbent((np.stack([u, v], -1).reshape(-1, 2) - centre(view)) / view.focal_px)
    pixels = (slopes * view.focal_px + centre(wide)).astype(np.float32).reshape(view.height, view.width, 2)
    return np.asarray(cv2.remap(flat, pixels[..., 0], pixels[..., 1], cv2.INTER_LINEAR), np.uint8)


def _with_manholes(ground: Ground) -> Ground:
    """Iron covers in the road: dark, with a pale ring."""
    for east, north in MANHOLES.values():
        u, v, _ = ground.to_pixels @ [east, north, 1.0]
        spot, radius = (round(float(u)), round(float(v))), round(MANHOLE_M * PIXELS_A_METRE)
        cv2.circle(ground.picture, spot, radius + 1, (150, 150, 150), -1, cv2.LINE_AA)
        cv2.circle(ground.picture, spot, radius - 1, (30, 30, 30), -1, cv2.LINE_AA)
    return ground


def pixels(places: Array, view: View = VIEW) -> tuple[Array, Array]:
    """Distorted pixels (n, 2) and depths (n,) of places (n, 3)."""
    straight, depth = view.project(places)
    return bent((straight - centre(view)) / view.focal_px) * view.focal_px + centre(view), depth


def bent(slopes: Array) -> Array:
    """Ray slopes (n, 2) to where this camera's lens puts them."""
    return lens.bent(slopes, BENT)


def unbent(slopes: Array) -> Array:
    """The other way."""
    return lens.unbent(slopes, BENT)


def centre(view: View) -> Array:
    """The principal point: the picture's middle."""
    return np.array([view.width / 2, view.height / 2])


def marks(crossing: RigCrossing, view: View = VIEW) -> dict[str, tuple[float, float]]:
    """Places that are painted and in the picture: ends of lanes' lines, corners of crossings, manholes."""
    found = dict(MANHOLES)
    for lane in crossing.lanes.values():
        a, b = (
            (lane.points[-2], lane.points[-1]) if lane.role == "entry" else (lane.points[1], lane.points[0])
        )
        along = (b - a) / np.hypot(*(b - a))
        side = np.array([along[1], -along[0]]) * lane.width_m / 2
        for word, sign in (("L", -1), ("R", 1)):
            x, y = b + side * sign
            found[f"{lane.arm}{lane.lane}{word}"] = float(x), float(y)
    for number, walk in enumerate(crossing.walks, 1):
        for corner, (x, y) in enumerate(walk.outline[:4], 1):
            found[f"Z{number}.{corner}"] = float(x), float(y)
    spots, depth = pixels(np.array([(*place, 0.0) for place in found.values()]), view)
    inside = (
        (depth > 8) & (spots > 15).all(axis=1) & (spots < [view.width - 15, view.height - 15]).all(axis=1)
    )
    return {name: place for (name, place), ok in zip(found.items(), inside, strict=True) if ok}


def chosen(crossing: RigCrossing, count: int, view: View = VIEW) -> dict[str, tuple[float, float]]:
    """So many of them, as far from one another in the picture as can be."""
    names, places = zip(*marks(crossing, view).items(), strict=True)
    spots = pixels(np.array([(*place, 0.0) for place in places]), view)[0]
    picked = [int(spots[:, 1].argmax())]
    while len(picked) < min(count, len(names)):
        away = np.min([np.hypot(*(spots - spots[n]).T) for n in picked], axis=0)
        picked.append(int(away.argmax()))
    return {names[n]: places[n] for n in sorted(picked)}


def table(
    crossing: RigCrossing, count: int, seed: int, click_px: float, survey_m: float, *, clicks: bool
) -> str:
    """points.csv: surveyed and, where wanted, clicked with these standard deviations."""
    dice = np.random.default_rng(seed)
    rows = ["name,east_m,north_m,up_m,u_px,v_px"]
    for name, place in chosen(crossing, count).items():
        spot = pixels(np.array([[*place, 0.0]]))[0][0] + dice.normal(0, click_px, 2)
        east, north, up = np.array([*place, 0.0]) + dice.normal(0, survey_m, 3) * [1, 1, 0.3]
        cells = f"{spot[0]:.2f},{spot[1]:.2f}" if clicks else ","
        rows.append(f"{name},{east:.3f},{north:.3f},{up:.3f},{cells}")
    return "\n".join(rows) + "\n"


def lens_yaml() -> str:
    """The lens as OpenCV's own program writes it."""
    f, (cx, cy) = VIEW.focal_px, centre(VIEW)
    return f"""%YAML:1.0
---
image_width: {VIEW.width}
image_height: {VIEW.height}
camera_matrix: !!opencv-matrix
   rows: 3
   cols: 3
   dt: d
   data: [ {f}, 0., {cx}, 0., {f}, {cy}, 0., 0., 1. ]
distortion_coefficients: !!opencv-matrix
   rows: 1
   cols: 5
   dt: d
   data: [ {", ".join(map(str, BENT))} ]
"""


def write(folder: Path, *, count: int = 16, seed: int = 1, clicks: bool = True) -> None:
    """All four files; the site file's pose is a guess by eye, and it knows the focal length only roughly."""
    (folder / "crossings").mkdir(parents=True, exist_ok=True)
    shutil.copy(asset(CROSSING), folder / "crossings" / "virtual.geojson")
    crossing = read_rig_crossing(asset(CROSSING))
    cv2.imwrite(str(folder / "still.png"), still(crossing, seed))
    (folder / "points.csv").write_text(table(crossing, count, seed, 0.7, 0.02, clicks=clicks))
    (folder / "lens.yaml").write_text(lens_yaml())
    guess = ", ".join(f"{key}: {value}" for key, value in GUESS.items())
    rough = f"{{width_px: {VIEW.width}, height_px: {VIEW.height}, focal_px: 1000.0}}"
    lines = asset("config/virtual.yaml").read_text().splitlines(keepends=True)
    text, in_camera = "", False
    for line in lines:
        in_camera = (in_camera and not line.startswith("radars:")) or line.startswith("cameras:")
        if in_camera and line.startswith("    pose:"):
            line = f"    pose: {{{guess}}}   # by eye\n"
        elif in_camera and line.startswith("    lens:"):
            line = f"    lens: {rough}\n"
        if not (in_camera and (line.startswith(("    heads:", "      - {group:")))):
            text += line
    (folder / "site.yaml").write_text(text)


def main() -> None:
    """Write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--points", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unclicked", action="store_true", help="leave the clicking to you")
    options = parser.parse_args()
    write(options.folder, count=options.points, seed=options.seed, clicks=not options.unclicked)


if __name__ == "__main__":
    main()
