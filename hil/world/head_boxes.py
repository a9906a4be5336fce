"""Boxes of the signal heads that face the virtual camera: `python -m hil.world.head_boxes` prints YAML."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from hil.devices.camera import view_of
from hil.paint.lens import View
from hil.paint.scene import LAMP_RADIUS_M, head_outline
from hil.world.crossing_read import RigHead, read_rig_crossing

LEAST_RADIUS_PX = 1.0  # a smaller lamp is painted larger than it is, and runs into the next one
MOST_SHARED = 0.2  # of the smaller box: who stands so far in front of another head is not told from it


@dataclass(frozen=True)
class RigBox:
    """A head's housing in the picture."""

    group: int
    left: int
    top: int
    width: int
    height: int

    def shared(self, other: RigBox) -> float:
        """Share of the smaller of both boxes that they have in common."""
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        down = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        smaller = min(self.width * self.height, other.width * other.height)
        return max(0, across) * max(0, down) / smaller

    @property
    def plain(self) -> dict[str, object]:
        """As the site file has it."""
        box = [self.left, self.top, self.width, self.height]
        return {"group": self.group, "box": box, "layout": "vertical"}


def head_boxes(view: View, heads: Sequence[RigHead]) -> list[RigBox]:
    """Heads that show their lamps to the camera, whole, large enough, apart from others; from the left."""
    painted = [box for head in heads if (box := _box(view, head)) is not None]
    readable = [
        box
        for head in heads
        if (box := _box(view, head)) is not None
        and _readable(view, head, box)
        and not any(
            other is not box and other != box and box.shared(other) > MOST_SHARED for other in painted
        )
    ]
    return sorted(readable, key=lambda box: (box.left, box.top))


def _box(view: View, head: RigHead) -> RigBox | None:
    outline = head_outline(view, head)
    if outline is None:
        return None
    (left, top), (right, bottom) = outline.corners
    return RigBox(head.group, left, top, right - left + 1, bottom - top + 1)


def _readable(view: View, head: RigHead, box: RigBox) -> bool:
    outline = head_outline(view, head)
    if (
        outline is None
        or not outline.faces
        or LAMP_RADIUS_M * view.focal_px / outline.depth_m < LEAST_RADIUS_PX
    ):
        return False
    return (
        box.left >= 0
        and box.top >= 0
        and box.left + box.width <= view.width
        and box.top + box.height <= view.height
    )


def boxes_of_site(site: Path) -> dict[str, list[RigBox]]:
    """By camera of a site file."""
    document = YAML(typ="safe").load(site.read_text())
    crossing = read_rig_crossing(site.parent / document["crossing"]["file"])
    return {camera["name"]: head_boxes(view_of(camera), crossing.heads) for camera in document["cameras"]}


def main() -> None:
    """`python -m hil.world.head_boxes [--site FILE]`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, default=Path("config/virtual.yaml"))
    for name, boxes in boxes_of_site(parser.parse_args().site).items():
        print(f"# camera {name}")
        print("    heads:")
        for box in boxes:
            text = f"[{box.left}, {box.top}, {box.width}, {box.height}]"
            print(f"      - {{group: {box.group}, box: {text}, layout: vertical}}")


if __name__ == "__main__":
    main()
