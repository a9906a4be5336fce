"""How a device says where it is: once it is up, and at the same address after it was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def announce(run_dir: Path, device: str, **facts: Any) -> None:
    """Write what the rig waits for; the rig takes it away before it starts a device again."""
    _write(run_dir / "ready" / f"{device}.json", facts)
    _write(run_dir / "address" / f"{device}.json", facts)


def former(run_dir: Path, device: str) -> dict[str, Any]:
    """What the device said before it was killed; empty at its first start."""
    path = run_dir / "address" / f"{device}.json"
    facts: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return facts


def _write(path: Path, facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(facts))
    draft.replace(path)
