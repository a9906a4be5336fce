"""A lens in the site file: one focal length or two, a principal point inside, five numbers of distortion."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsu_agent.ports.assets import asset
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import read_site
from rsu_agent.settings.sections import Lens

NOW = "lens: {width_px: 640, height_px: 384, focal_px: 430.0}"
SIZE = "width_px: 640, height_px: 384"


def site(folder: Path, lens: str) -> Path:
    """The virtual site with another lens."""
    text = asset("config/virtual.yaml").read_text()
    assert NOW in text
    (folder / "site.yaml").write_text(text.replace(NOW, f"lens: {{{SIZE}, {lens}}}"))
    (folder / "crossings").mkdir(exist_ok=True)
    crossing = asset("config/crossings/virtual.geojson")
    (folder / "crossings" / "virtual.geojson").write_text(crossing.read_text())
    return folder / "site.yaml"


@pytest.mark.parametrize(
    "lens",
    [
        "focal_px: 430",
        "fx_px: 430, fy_px: 431",
        "focal_px: 430, cx_px: 300, cy_px: 200, distortion: [-0.1, 0.02, 0, 0, 0.001]",
        "fx_px: 430, fy_px: 431, cx_px: 300, cy_px: 200, distortion: []",
    ],
)
def test_a_whole_lens_is_taken(tmp_path: Path, lens: str) -> None:
    found = read_site(site(tmp_path, lens)).settings.cameras[0].lens
    assert (found.width_px, found.height_px) == (640, 384)


@pytest.mark.parametrize(
    ("lens", "reason"),
    [
        ("cx_px: 300", "give focal_px, or fx_px and fy_px"),
        ("fx_px: 430", "fy_px is missing: give both, or focal_px"),
        ("focal_px: 430, fx_px: 430, fy_px: 430", "give focal_px, or fx_px and fy_px"),
        ("focal_px: 430, cx_px: 640", "must lie in the picture"),
        ("focal_px: 430, cy_px: 400", "must lie in the picture"),
        ("focal_px: 430, distortion: [-0.1, 0.02, 0, 0]", "five numbers: k1 k2 p1 p2 k3"),
        ("focal_px: 430, distortion: [0, 0, 0, 0, 0, 0]", "at most 5"),
        ("focal_px: 430, distortion: [0, 0, .nan, 0, 0]", "finite number"),
        ("focal_px: -1", "more than 0"),
    ],
)
def test_half_a_lens_is_refused_at_its_line(tmp_path: Path, lens: str, reason: str) -> None:
    with pytest.raises(SiteInvalid) as caught:
        read_site(site(tmp_path, lens))
    (fault,) = caught.value.faults
    assert fault.path.startswith("cameras.0.lens")
    assert reason in fault.reason


def test_the_old_words_still_mean_what_they_meant() -> None:
    old = Lens(width_px=640, height_px=384, focal_px=430.0)
    assert (old.focal_px, old.fx_px, old.cx_px, old.distortion) == (430.0, None, None, [])
