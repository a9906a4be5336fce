"""What a technician may ask for on the page: a change of the site file kept or let go, a still."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rsu_agent.runtime.still_files import NAME
from rsu_agent.web.access import Access, body_of
from rsu_agent.web.upstream import Upstream

LEAST = "technician"
LONGEST_CAMERA = 64
WORDS = ("confirm", "rollback")


def order_routes(upstream: Upstream, access: Access) -> list[Route]:
    """Each order is written into the audit before it is passed on, and with what came of it."""

    async def decide(request: Request) -> Response:
        word = request.path_params["word"]
        if word not in WORDS:
            return JSONResponse({"error": "no such order"}, status_code=404)
        return await _ordered(request, f"config/{word}", {}, f"config {word}")

    async def still(request: Request) -> Response:
        camera = (await body_of(request)).get("camera")
        if not isinstance(camera, str) or not 0 < len(camera) <= LONGEST_CAMERA:
            return JSONResponse({"error": "name a camera"}, status_code=400)
        return await _ordered(request, "still", {"camera": camera}, f"still of {camera}")

    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        if not NAME.match(name):
            return JSONResponse({"error": "no such still"}, status_code=404)
        try:
            return Response(await upstream.file(f"still/{name}"), media_type="image/png")
        except ConnectionError as error:
            return JSONResponse({"error": str(error)}, status_code=503)

    async def _ordered(request: Request, what: str, said: dict[str, str], words: str) -> Response:
        who = access.who(request)
        assert who is not None, "asked before"
        host = request.client.host if request.client else "unknown"
        try:
            access.audit.write(who[0], words, host=host)
            status, told = await upstream.order(what, {**said, "who": who[0]})
        except OSError as error:  # ConnectionError is one
            return JSONResponse({"error": str(error)}, status_code=503)
        if isinstance(told, dict) and "refused" in told:
            access.audit.write(who[0], f"{words}: refused", why=told["refused"])
        return JSONResponse(told, status_code=status)

    return [
        Route("/api/config/{word}", access.guarded(LEAST, decide), methods=["POST"]),
        Route("/api/still", access.guarded(LEAST, still), methods=["POST"]),
        Route("/api/still/{name}", access.guarded(LEAST, picture)),
    ]
