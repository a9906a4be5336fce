"""Who may what on the page: logging in and out, and the question before every answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rsu_agent.web.accounts import AccountRefused, Accounts, may
from rsu_agent.web.audit import Audit
from rsu_agent.web.sessions import LockOut, Sessions

COOKIE = "rsu_session"
ASKS = "x-rsu-page"  # a header that no form of another site can send
OF_A_PERSON = "/api/session"  # the page asks it when somebody has touched it; all else goes by itself
MOST_BODY = 4096
MOST_NAME = 64
AUDIT_SHOWN = 200


class Access:
    """open_view: whoever reaches the page may look, as on this machine only; secure: it is on TLS."""

    def __init__(self, folder: Path, *, open_view: bool, secure: bool = False) -> None:
        self.accounts, self.audit = Accounts(folder), Audit(folder)
        self._sessions, self._lock_out = Sessions(), LockOut()
        self._open_view, self._secure = open_view, secure
        self._one_at_a_time = asyncio.Lock()  # scrypt takes 32 MB a try

    def who(self, request: Request) -> tuple[str, str] | None:
        """(name, role) of whoever asks; None: nobody who is in."""
        token = request.cookies.get(COOKIE)
        used = request.method == "POST" or request.url.path == OF_A_PERSON
        session = None if token is None else self._sessions.of(token, time.monotonic(), used=used)
        if session is None or self.accounts.mark(session.name) != session.mark:
            return None
        role = self.accounts.role(session.name)
        return None if role is None else (session.name, role)

    def refusal(self, request: Request, least: str) -> Response | None:
        """None where the one who asks may; else the answer that says no."""
        if request.method == "POST" and not _is_of_the_page(request):
            return JSONResponse({"error": "not asked by the page"}, status_code=403)
        if least == "viewer" and self._open_view and request.method == "GET":
            return None
        try:
            who = self.who(request)
        except (OSError, AccountRefused) as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        if who is None:
            return JSONResponse({"error": "log in first", "role": least}, status_code=401)
        if not may(who[1], least):
            return JSONResponse({"error": f"only for the role {least}", "role": least}, status_code=403)
        return None

    def guarded(self, least: str, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """`answer` for those who may."""

        async def ask(request: Request) -> Response:
            refused = self.refusal(request, least)
            made = refused if refused is not None else await answer(request)
            assert isinstance(made, Response)
            return made

        return ask

    def routes(self) -> list[Route]:
        """Log in, log out, who am I; the audit for the admin."""
        return [
            Route("/api/login", self._login, methods=["POST"]),
            Route("/api/logout", self._logout, methods=["POST"]),
            Route(OF_A_PERSON, self._session),
            Route("/api/audit", self.guarded("admin", self._audited)),
        ]

    async def _session(self, request: Request) -> Response:
        try:
            who, there = self.who(request), bool(self.accounts.names())
        except (OSError, AccountRefused) as error:
            return JSONResponse({"error": str(error)}, status_code=503)
        name, role = who or (None, None)
        return JSONResponse({"name": name, "role": role, "open": self._open_view, "accounts": there})

    async def _login(self, request: Request) -> Response:
        if not _is_of_the_page(request):
            return JSONResponse({"error": "not asked by the page"}, status_code=403)
        said = await body_of(request)
        name, password = said.get("name"), said.get("password")
        if not isinstance(name, str) or not isinstance(password, str) or len(name) > MOST_NAME:
            return JSONResponse({"error": "name and password"}, status_code=400)
        try:
            return await self._tried(name, password, _from(request))
        except (OSError, AccountRefused) as error:
            return JSONResponse({"error": str(error)}, status_code=503)

    async def _tried(self, name: str, password: str, host: str) -> Response:
        async with self._one_at_a_time:  # the wait is asked for inside: many tries at once are still many
            left_s = self._lock_out.left_s(name, time.monotonic())
            if left_s > 0:
                return JSONResponse({"error": "locked", "left_s": round(left_s)}, status_code=429)
            if not await asyncio.to_thread(self.accounts.is_right, name, password):
                locked = self._lock_out.failed(name, time.monotonic())
                self.audit.write(name, "locked out" if locked else "wrong password", host=host)
                return JSONResponse({"error": "wrong"}, status_code=401)
            self._lock_out.right(name)
            self.audit.write(name, "logged in", host=host)
            mark, role = self.accounts.mark(name), self.accounts.role(name)
        answer = JSONResponse({"name": name, "role": role})
        token = self._sessions.begin(name, mark or "", time.monotonic())
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=self._secure)
        return answer

    async def _logout(self, request: Request) -> Response:
        if not _is_of_the_page(request):
            return JSONResponse({"error": "not asked by the page"}, status_code=403)
        who = self.who(request)
        if who is not None:
            self._sessions.end(request.cookies[COOKIE])
            self.audit.write(who[0], "logged out", host=_from(request))
        answer = JSONResponse({})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._secure)
        return answer

    async def _audited(self, _request: Request) -> Response:
        return JSONResponse({"lines": self.audit.lines(AUDIT_SHOWN)})


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a small body; empty where it is none."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            return {}
    try:
        said = json.loads(bytes(body) or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_of_the_page(request: Request) -> bool:
    """Not of another site's page: those can neither send our header nor say our origin."""
    origin = request.headers.get("origin")
    same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return same and request.headers.get(ASKS) == "1"


def _from(request: Request) -> str:
    return request.client.host if request.client else "unknown"
