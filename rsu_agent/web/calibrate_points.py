"""The page on which surveyed points are clicked on a still: `rsu calibrate points`."""

from __future__ import annotations

import math
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio.to_thread
import cv2
import numpy as np
import numpy.typing as npt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rsu_agent.perception.calibrate_camera import Calibration, calibrate
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.surveyed import CalibrationRefused, GroundPoint
from rsu_agent.runtime.safe_headers import SafeHeaders
from rsu_agent.settings.points_file import MOST_POINTS, PointsInvalid, TablePoint, read_points, write_clicks
from rsu_agent.web.calibrate_heads import HERE, MOST_BYTES
from rsu_agent.world.place import GeoPoint

Clicks = dict[str, tuple[float, float] | None]


def points_app(
    camera: str, image: npt.NDArray[np.uint8], table: Path, origin: GeoPoint, lens: PinholeLens
) -> Starlette:
    """The page over one still and one table of points that can be read. origin: the crossing's."""
    static = Path(str(files("rsu_agent.web"))) / "static"
    page = _Page(camera, image, table, origin, lens)

    async def index(_request: Request) -> Response:
        return FileResponse(static / "calibrate_points.html")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/api/state", page.state),
            Route("/api/still", page.picture),
            Route("/api/fit", page.fit, methods=["POST"]),
            Route("/api/points", page.save, methods=["PUT"]),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HERE), Middleware(SafeHeaders)],
    )


class _Page:
    """What the page asks for."""

    def __init__(
        self, camera: str, image: npt.NDArray[np.uint8], table: Path, origin: GeoPoint, lens: PinholeLens
    ) -> None:
        self._camera, self._image, self._table = camera, image, table
        self._origin, self._lens = origin, lens

    async def state(self, _request: Request) -> Response:
        """The camera and the points as the table has them now."""
        try:
            points = await anyio.to_thread.run_sync(self._points)
        except (PointsInvalid, OSError) as error:
            return _refused(422, str(error))
        height, width = self._image.shape[:2]
        rows = [asdict(point) for point in points]
        return JSONResponse(
            {"camera": self._camera, "file": str(self._table), "picture": [width, height], "points": rows}
        )

    async def picture(self, _request: Request) -> Response:
        """The still, without loss."""
        _, png = await anyio.to_thread.run_sync(cv2.imencode, ".png", self._image)
        return Response(png.tobytes(), media_type="image/png")

    async def fit(self, request: Request) -> Response:
        """How the clicks fit together, or why they do not yet."""
        clicks = await _told_clicks(request)
        if clicks is None:
            return _refused(400, "is no object of clicks")
        try:
            points = await anyio.to_thread.run_sync(self._points)
            return JSONResponse(await anyio.to_thread.run_sync(self._fitted, points, clicks))
        except (PointsInvalid, OSError) as error:
            return _refused(422, str(error))

    async def save(self, request: Request) -> Response:
        """Puts the clicks into the table."""
        clicks = await _told_clicks(request)
        if clicks is None or not request.headers.get("content-type", "").startswith("application/json"):
            return _refused(400, "is no object of clicks")
        try:
            await anyio.to_thread.run_sync(write_clicks, self._table, clicks)
        except PointsInvalid as invalid:
            return _refused(422, str(invalid))
        except OSError as error:
            return _refused(500, f"{self._table}: {error.strerror or error}")
        return JSONResponse({"saved": sum(click is not None for click in clicks.values())})

    def _points(self) -> tuple[TablePoint, ...]:
        return read_points(self._table, self._origin)

    def _fitted(self, points: tuple[TablePoint, ...], clicks: Clicks) -> dict[str, Any]:
        chosen = tuple(
            GroundPoint(point.name, point.east_m, point.north_m, point.up_m, *click)
            for point in points
            if (click := clicks.get(point.name)) is not None
        )
        try:
            return {"refused": None, **_told(calibrate(self._lens, chosen))}
        except CalibrationRefused as refused:
            told = {} if refused.so_far is None else _told(refused.so_far)
            return {"refused": {"reason": refused.reason, "values": refused.values}, **told}


def _told(found: Calibration) -> dict[str, Any]:
    return {
        "rms_px": found.rms_px,
        "left_out_m": found.left_out_m,
        "exchanged": found.exchanged,
        "points": {point.name: asdict(point) for point in found.points},
    }


async def _told_clicks(request: Request) -> Clicks | None:
    """Name -> pixel in the body; None where there is none, or one that no page would send."""
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        return None
    try:
        told = await request.json()
    except ValueError:
        return None
    clicks = told.get("clicks") if isinstance(told, dict) else None
    if not isinstance(clicks, dict) or len(clicks) > MOST_POINTS:
        return None
    read = {str(name): _pixel(value) for name, value in clicks.items()}
    wrong = any(read[str(name)] is None and value is not None for name, value in clicks.items())
    return None if wrong else read


def _pixel(value: Any) -> tuple[float, float] | None:
    """A pixel, None where it is none."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    numbers = all(
        isinstance(each, (int, float)) and math.isfinite(each) and abs(each) < 1e5 for each in value
    )
    return (float(value[0]), float(value[1])) if numbers else None


def _refused(status: int, reason: str) -> Response:
    return JSONResponse({"reason": reason}, status_code=status)
