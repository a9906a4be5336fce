"""Golden files of the profiles: `python -m tests.outlets.make_profile_golden`, and read the difference."""

from __future__ import annotations

import json
from typing import Any

from rsu_agent.outlets.profiles.table import PROFILES
from rsu_agent.outlets.profiles.told import Teller
from tests.outlets.make_golden import GOLDEN, one_of_each
from tests.outlets.make_vectors import live

FOLDER = GOLDEN.parent / "golden_profiles"
TELLER = Teller(
    "R328328", "SN-0042", "示例路口", 12, 0, 22.7, 114.3, {"stopped_vehicle": 406, "wrong_way": 904}
)


def records() -> list[dict[str, Any]]:
    """One of each kind, live ones too, in an order that does not change."""
    found = [*one_of_each(), *(case["reads"] for case in live())]
    return sorted(found, key=lambda record: str(record["k"]))


def told(profile: str) -> list[dict[str, Any]]:
    """What a profile makes of each."""
    return [
        {"record": record, "told": [list(pair) for pair in PROFILES[profile](record, TELLER)]}
        for record in records()
    ]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PROFILES:
        text = json.dumps(told(name), ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n")
