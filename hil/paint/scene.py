"""Painting one picture: ground, sky, shadows, users far to near, signal heads, light; with labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint.bodies import FACES, NORMALS, PAINTS, PARTS, corners, rotation, to_world
from hil.paint.glare import glared
from hil.paint.ground import Ground, Picture
from hil.paint.lens import View
from hil.paint.marks import mark
from hil.world.crossing_read import RigHead

NEAREST_M = 1.0
LAMP_COLOURS = {"red": (40, 40, 255), "yellow": (40, 210, 255), "green": (120, 255, 60)}
LIT = {
    "red": ("red",),
    "red_flash": ("red",),
    "yellow": ("yellow",),
    "yellow_flash": ("yellow",),
    "green": ("green",),
    "green_flash": ("green",),
    "red_yellow": ("red", "yellow"),
}
FLASH_HZ = 1.0
LAMP_RADIUS_M = 0.16


@dataclass(frozen=True)
class Look:
    """Light and weather of a picture. sun_deg: where shadows point; sun_height: how long, for each metre."""

    night: bool = False
    rain: bool = False
    sun_deg: float = 220.0
    sun_height: float = 0.8
    glare: float = 0.0  # how much of the sun's light strays in the lens, 0..1; by day only
    gain: float = 1.0
    blur: float = 0.0
    noise: float = 3.0
    seed: int = 0
    planted: bool = False  # faces and plates of colours that nothing else has (marks.py)


@dataclass(frozen=True)
class Label:
    """A user in the picture: box (left, top, right, bottom), ground point, visible share."""

    id: int
    cls: str
    box: tuple[float, float, float, float]
    ground: tuple[float, float]
    visible: float
    x: float
    y: float


@dataclass(frozen=True)
class HeadOutline:
    """A head in the picture: its lamps' middles (red, yellow, green) and housing, both corners included."""

    lamps: npt.NDArray[np.float64]
    radius: int
    corners: tuple[tuple[int, int], tuple[int, int]]
    depth_m: float
    faces: bool


def paint(
    view: View,
    ground: Ground,
    users: Sequence[Mapping[str, Any]],
    heads: Sequence[RigHead],
    lamps: Mapping[int, str],
    look: Look,
    t: float = 0.0,
) -> Picture:
    """One BGR picture. users: rows as the bus tells them; t: for what flashes.

    The scene is painted through a straight lens, then bent as the view's own lens does.
    """
    flat = view.flat()
    picture = _ground(flat, ground)
    inside = [user for user in users if _in_view(flat, user)]
    ordered = sorted(inside, key=lambda u: -math.hypot(u["x"] - view.x, u["y"] - view.y))
    if not look.night:
        _shadows(picture, flat, ordered, look)
    for user in ordered:
        _user(picture, flat, user, look)
        if look.planted:
            mark(picture, flat, user)
    if look.night:
        picture = _darken(picture, flat, ordered, look)
    for head in heads:
        _head(picture, flat, head, lamps.get(head.group, "dark"), t)
    picture = view.through(picture)
    if look.glare > 0 and not look.night:
        picture = glared(picture, view, look.sun_deg, look.sun_height, look.glare)
    return _weather(picture, look)


def head_outline(view: View, head: RigHead) -> HeadOutline | None:
    """Where a head's housing and lamps are painted; None where it is not in front of the camera."""
    spots = np.array([[head.x, head.y, head.height_m + up] for up in (0.35, 0.0, -0.35)])
    pixels, depth = view.project(spots)
    if depth.min() < NEAREST_M:
        return None
    radius = max(1, int(LAMP_RADIUS_M * view.focal_px / depth[0]))
    low, high = pixels[2], pixels[0]
    corners = (
        (int(high[0] - radius - 1), int(high[1] - radius - 2)),
        (int(low[0] + radius + 1), int(low[1] + radius + 2)),
    )
    angle = math.radians(head.facing_deg)
    faces = (view.x - head.x) * math.sin(angle) + (view.y - head.y) * math.cos(angle) > 0
    return HeadOutline(pixels, radius, corners, float(depth[0]), faces)


def _in_view(view: View, user: Mapping[str, Any]) -> bool:
    """Whether any of a user may be in the picture."""
    spot = np.array([[user["x"], user["y"], 0.0]])
    pixels, depth = view.project(spot)
    margin = view.focal_px * user["l"] / max(1.0, depth[0]) + 40
    return bool(depth[0] > -user["l"] and -margin < pixels[0, 0] < view.width + margin)


def _ground(view: View, ground: Ground) -> Picture:
    matrix = view.ground_homography() @ np.linalg.inv(ground.to_pixels)
    size = (view.width, view.height)
    warped = cv2.warpPerspective(
        ground.picture,
        matrix,
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(95, 105, 100),
    )
    picture = np.asarray(warped, np.uint8)
    horizon = int(view.height / 2 - view.focal_px * math.tan(math.radians(view.pitch_deg)))
    if horizon > 0:
        sky = np.linspace(225, 190, horizon).astype(np.uint8)[:, None, None] * np.ones(
            (1, view.width, 3), np.uint8
        )
        picture[:horizon] = sky
        _skyline(picture, view, horizon)
    return picture


def _skyline(picture: Picture, view: View, horizon: int) -> None:
    """Buildings that turn with the camera."""
    random = np.random.default_rng(7)
    for bearing in np.arange(0, 360, 4.0):
        height, shade = int(random.integers(5, 55)), int(random.integers(90, 170))
        off = (bearing - view.yaw_deg + 180) % 360 - 180
        if abs(off) < 60:
            x = int(view.width / 2 + view.focal_px * math.tan(math.radians(off)))
            cv2.rectangle(picture, (x, horizon - height), (x + 34, horizon), (shade, shade, shade - 8), -1)


def _shadows(picture: Picture, view: View, users: Sequence[Mapping[str, Any]], look: Look) -> None:
    mask = np.zeros(picture.shape[:2], np.uint8)
    sun = math.radians(look.sun_deg)
    for user in users:
        shift = np.array([math.sin(sun), math.cos(sun), 0.0]) * user["h"] * look.sun_height
        base = corners(PARTS["car"][2], (user["l"], user["w"], 0.0))[:4]
        foot = to_world(base, user["x"], user["y"], user["heading"])
        pixels, depth = view.project(np.vstack([foot, foot + shift]))
        if depth.min() > NEAREST_M:
            hull = cv2.convexHull(np.round(pixels).astype(np.int32))
            cv2.fillConvexPoly(mask, hull, 255)
    shaded = mask > 0
    picture[shaded] = (picture[shaded] * 0.62).astype(np.uint8)


def _user(picture: Picture, view: View, user: Mapping[str, Any], look: Look) -> None:
    size = (user["l"], user["w"], user["h"])
    paint_of = PAINTS[(user.get("shade", 0) >> 8) % len(PAINTS)]
    turn = rotation(user["heading"])
    sun = np.array(
        [math.sin(math.radians(look.sun_deg + 180)), math.cos(math.radians(look.sun_deg + 180)), 0.9]
    )
    eye = np.array([view.x, view.y, view.height_m])
    faces: list[tuple[float, npt.NDArray[np.int32], tuple[int, int, int]]] = []
    for part in PARTS[user["cls"]]:
        world = to_world(corners(part, size), user["x"], user["y"], user["heading"])
        pixels, depth = view.project(world)
        if depth.min() < NEAREST_M:
            continue
        colour = part.colour or paint_of
        for face, normal in zip(FACES, NORMALS, strict=True):
            outward = np.array([*(normal[:2] @ turn), normal[2]])
            centre = world[list(face)].mean(axis=0)
            if outward @ (eye - centre) <= 0:
                continue
            light = 0.62 + 0.38 * max(0.0, float(outward @ sun) / 1.35)
            shade = tuple(int(min(255, channel * light)) for channel in colour)
            outline = np.round(pixels[list(face)] * 8).astype(np.int32)
            faces.append((float(np.linalg.norm(eye - centre)), outline, shade))  # type: ignore[arg-type]
    for _, outline, shade in sorted(faces, key=lambda face: -face[0]):
        cv2.fillConvexPoly(picture, outline, shade, cv2.LINE_AA, 3)


def _darken(picture: Picture, view: View, users: Sequence[Mapping[str, Any]], look: Look) -> Picture:
    """Night: ambient light down, head and tail lights on, their bloom."""
    dark = (picture * (0.30 * look.gain)).astype(np.uint8)
    glow = np.zeros_like(dark)
    for user in users:
        if user["cls"] in ("pedestrian", "bicycle"):
            continue
        for forward, colour in ((0.5, (225, 245, 255)), (-0.5, (40, 40, 230))):
            for side in (-0.35, 0.35):
                spot = np.array([[forward * user["l"], side * user["w"], 0.45 * min(user["h"], 1.6)]])
                pixels, depth = view.project(to_world(spot, user["x"], user["y"], user["heading"]))
                angle = math.radians(user["heading"])
                facing = (view.x - user["x"]) * math.sin(angle) + (view.y - user["y"]) * math.cos(angle)
                if depth[0] > NEAREST_M and facing * forward > 0:
                    radius = int(max(1, 60 / depth[0]))
                    cv2.circle(glow, (int(pixels[0, 0]), int(pixels[0, 1])), radius, colour, -1)
    bloom = cv2.GaussianBlur(glow, (0, 0), 7)
    return np.asarray(cv2.add(cv2.add(dark, glow), bloom), np.uint8)


def _head(picture: Picture, view: View, head: RigHead, colour: str, t: float) -> None:
    """A housing with three lamps; only heads that face the camera show what shines."""
    outline = head_outline(view, head)
    if outline is None:
        return
    cv2.rectangle(picture, *outline.corners, (25, 25, 25), -1)
    if not outline.faces:
        return
    off = colour.endswith("_flash") and int(t * FLASH_HZ * 2) % 2 == 1
    for name, (px, py) in zip(("red", "yellow", "green"), outline.lamps, strict=True):
        lit = not off and name in LIT.get(colour, ())
        shade = LAMP_COLOURS[name] if lit else (50, 50, 50)
        cv2.circle(picture, (int(px), int(py)), outline.radius, shade, -1)


def _weather(picture: Picture, look: Look) -> Picture:
    random = np.random.default_rng(look.seed)
    work: Any = picture.astype(np.float32) * (look.gain if not look.night else 1.0)
    if look.rain:
        streaks = np.zeros(picture.shape[:2], np.float32)
        for x, y in random.integers(0, [picture.shape[1], picture.shape[0]], (160, 2)):
            cv2.line(streaks, (int(x), int(y)), (int(x) + 2, int(y) + 9), 40.0, 1)
        work = work * 0.92 + streaks[:, :, None]
    if look.blur > 0.3:
        work = cv2.GaussianBlur(work, (0, 0), look.blur)
    if look.noise > 0:
        work += cv2.resize(
            random.normal(0, look.noise, (96, 160, 1)).astype(np.float32), picture.shape[1::-1]
        )[..., None]
    return np.asarray(np.clip(work, 0, 255), np.uint8)


def labels(view: View, users: Sequence[Mapping[str, Any]]) -> list[Label]:
    """Exact labels with visible shares by a mask painted near to far at half resolution."""
    taken = np.zeros((view.height // 2, view.width // 2), np.uint8)
    found = []
    for user in sorted(users, key=lambda u: math.hypot(u["x"] - view.x, u["y"] - view.y)):
        whole = corners(PARTS["bus"][2], (user["l"], user["w"], user["h"]))
        world = to_world(whole, user["x"], user["y"], user["heading"])
        world[:4, 2] = 0.0
        pixels, depth = view.project(world)
        if depth.min() < NEAREST_M:
            continue
        own = np.zeros_like(taken)
        hull = cv2.convexHull(np.round(pixels / 2).astype(np.int32))
        cv2.fillConvexPoly(own, hull, 1)
        area = float(cv2.contourArea(hull.astype(np.float32))) or 1.0
        free = int(np.count_nonzero(own & ~taken & 1))
        taken |= own
        (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
        spot, _ = view.project(np.array([[user["x"], user["y"], 0.0]]))
        box = (float(left), float(top), float(right), float(bottom))
        point = (float(spot[0, 0]), float(spot[0, 1]))
        share = min(1.0, free / area)
        found.append(Label(user["id"], user["cls"], box, point, share, user["x"], user["y"]))
    return found
