"""The site file as people look at it: what waits, what would change, and the words that end the waiting."""

from __future__ import annotations

import difflib
import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rsu_agent.runtime.still_desk import asker
from rsu_agent.settings.generations import Generations, Pending, Refused
from rsu_agent.settings.secrets import secrets_of, without_secrets

log = logging.getLogger(__name__)
HISTORY = 30  # events that are shown
MOST_BODY = 4096
LONGEST_NAME = 40


def start_again() -> None:
    """Ask the parent process to start its children again, as `rsu config` does."""
    os.kill(os.getppid(), signal.SIGHUP)


class ConfigDesk:
    """again: called after the site file went back, so that the agent reads it."""

    def __init__(self, site: Path, state: Path, again: Callable[[], None] = start_again) -> None:
        self._site, self._kept, self._again = site, Generations(state / "config"), again

    def told(self) -> dict[str, Any]:
        """The site file, generations, what waits and its difference; no secret. Raises OSError, Refused."""
        pending, numbers = self._kept.pending(), self._kept.numbers()
        waits = (
            None if pending is None else {"new": pending.new, "old": pending.old, "left_s": _left(pending)}
        )
        return {
            "file": self._site.name,
            "text": self._plain(self._site.read_bytes()),
            "pending": waits,
            "generations": numbers,
            "diff": [] if pending is None else self._difference(pending.old, pending.new),
            "history": self._kept.history()[-HISTORY:],
        }

    def confirm(self, who: str) -> dict[str, Any]:
        """Keep what waits. Raises OSError, Refused."""
        pending = self._kept.confirm()
        log.warning("generation %d of the site file confirmed by %s", pending.new, who)
        return {"generation": pending.new}

    def rollback(self, who: str) -> dict[str, Any]:
        """Let go what waits, and start again with what was. Raises OSError, Refused."""
        pending = self._kept.revert(f"asked for by {who}")
        if pending is None:
            raise Refused("nothing waits for a confirmation")
        log.warning("the site file went back to generation %d, asked for by %s", pending.old, who)
        self._again()
        return {"generation": pending.old}

    def _difference(self, old: int, new: int) -> list[str]:
        was, comes = (self._plain(self._kept.text(number)).splitlines() for number in (old, new))
        return list(difflib.unified_diff(was, comes, f"generation {old}", f"generation {new}", lineterm=""))

    @staticmethod
    def _plain(text: bytes) -> str:
        plain = text.decode(errors="replace")
        return without_secrets(plain, secrets_of(plain))


def config_routes(desk: ConfigDesk) -> list[Route]:
    """Looking, and the two words; who is at the page is told by it, beside who holds the socket."""

    async def give(_request: Request) -> Response:
        return _answered(desk.told)

    async def decide(request: Request) -> Response:
        act = {"confirm": desk.confirm, "rollback": desk.rollback}.get(request.path_params["word"])
        who = await _who(request)
        if act is None or who is None:
            return JSONResponse({"refused": "say confirm or rollback, and who"}, status_code=400)
        return _answered(lambda: act(who))

    return [
        Route("/v1/config", give),
        Route("/v1/config/{word}", decide, methods=["POST"]),
    ]


def _answered(act: Callable[[], dict[str, Any]]) -> Response:
    try:
        return JSONResponse(act(), headers={"Cache-Control": "no-store"})
    except (Refused, OSError) as refused:
        return JSONResponse({"refused": str(refused)}, status_code=409)


async def _who(request: Request) -> str | None:
    if int(request.headers.get("content-length") or 0) > MOST_BODY:
        return None
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    name = body.get("who") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.isprintable():
        return None
    return f"{name[:LONGEST_NAME]} (through {asker(request)})"


def _left(pending: Pending) -> float:
    return round(pending.left_s, 1)
