"""What `rsu calibrate camera` prints for people: points, errors to expect, what changes in the site file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rsu_agent.cli.calibrate_subject import written_said
from rsu_agent.settings.language import say
from rsu_agent.settings.sections import CameraSection

POINT_HEAD = f"{'point':<16}{'away':>8}{'residual':>11}{'left out':>11}"
EXPECTED_HEAD = f"{'ahead':<8}{'pose':>9}{'2 px':>9}{'tilt':>9}{'all':>9}"
UNLEVEL_M = 0.25


def lines_of(told: Mapping[str, Any], section: CameraSection) -> Iterator[str]:
    """The whole report of an accepted calibration."""
    if "points" in told:
        yield from point_lines(told["points"])
        yield from _swapped(told["exchanged"])
        yield (
            say(
                "residuals {rms_px:.2f} px; a point left out is missed by {left_out_m:.2f} m "
                "within 40 m (median)",
                rms_px=told["rms_px"],
                left_out_m=told["left_out_m"],
            )
        )
        if told["unlevel_m"] > UNLEVEL_M:
            yield say(
                "the road is not level: that costs up to {unlevel_m:.2f} m within 40 m",
                unlevel_m=told["unlevel_m"],
            )
        yield say("one standard deviation on the ground, m:")
        yield from _expected(told["expected"])
    else:
        yield say(
            "taken over as it is: draw it over a still (--still, --out) and look at it before you trust it"
        )
    yield from _changes(told["changes"], section, written=told["written"])
    if "picture" in told:
        yield say("{picture}: look at it: painted lines must lie on the road's", picture=told["picture"])


def point_lines(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line a point; those that do not fit say so."""
    yield POINT_HEAD
    for point in points:
        mark = "" if point["used"] else say("   does not fit: not used")
        numbers = say(
            "{away_m:>6.1f} m{residual_px:>8.1f} px{left_out_m:>9.2f} m",
            away_m=point["away_m"],
            residual_px=point["residual_px"],
            left_out_m=point["left_out_m"],
        )
        yield f"{point['name']:<16}{numbers}{mark}"


def _swapped(pairs: Sequence[Sequence[str]]) -> Iterator[str]:
    for a, b in pairs:
        yield say(
            "{a} and {b} would fit if their clicks were exchanged: put that right and calibrate again",
            a=a,
            b=b,
        )


def _expected(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield EXPECTED_HEAD
    for row in rows:
        numbers = "".join(f"{row[key]:>9.2f}" for key in ("pose_m", "pixel_m", "tilt_m", "total_m"))
        outside = "" if row["in_picture"] else say("   not in the picture")
        yield f"{row['away_m']:<4.0f} m  {numbers}{outside}"


def _changes(
    changes: Mapping[str, Mapping[str, Any]], section: CameraSection, *, written: bool
) -> Iterator[str]:
    if not changes:
        yield say("the site file says so already")
        return
    yield say("cameras, {name}:", name=section.name)
    for part, values in changes.items():
        before = getattr(section, part).model_dump()
        for key, value in values.items():
            yield f"  {part}.{key}: {_word(before.get(key))} -> {_word(value)}"
    yield written_said(written)


def _word(value: Any) -> str:
    return "(none)" if value is None or value == [] else str(value)
