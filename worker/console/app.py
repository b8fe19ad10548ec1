"""The app: which page is where."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from worker.console import charts, integrations, letters
from worker.console.asking import Misused, form
from worker.console.guarding import COOKIE, ROOT, Guard, SafeHeaders, new_form_key, refusal
from worker.console.sessions import same_form
from worker.console.showing import STATIC, page
from worker.said import Said

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from adapters.process.logs import Logger


def console(guard: Guard, log: Logger) -> Mount:
    """Return the console as a route, to be served beside others."""
    looking, acting = guard.looking, guard.acting
    pages = [
        Route("/", looking(integrations.listed)),
        Route("/integrations/{id}", looking(integrations.one)),
        Route("/explain", looking(integrations.explained)),
        Route("/letters", looking(letters.groups)),
        Route("/letters/group/{fingerprint}", looking(letters.group)),
        Route("/letters/one/{id}", looking(letters.letter)),
        Route("/jobs", looking(letters.jobs)),
        Route("/charts", looking(charts.page)),
    ]
    deeds = [
        Route("/letters/replay", acting(letters.replayed), methods=["POST"]),
        Route("/letters/discard", acting(letters.discarded), methods=["POST"]),
        Route("/letters/restore", acting(letters.restored), methods=["POST"]),
        Route("/letters/one/{id}/edit", acting(letters.opened), methods=["POST"]),
        Route("/letters/one/{id}/mend", acting(letters.mended), methods=["POST"]),
        Route("/jobs/resume", acting(letters.resumed), methods=["POST"]),
    ]
    app = Starlette(
        routes=[*_doors(guard, log), *pages, *deeds, Mount("/static", StaticFiles(directory=STATIC))],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPStatus.NOT_FOUND: _nowhere, HTTPStatus.METHOD_NOT_ALLOWED: _nowhere},
    )
    return Mount(ROOT, app)


async def _nowhere(_request: Request, _error: Exception) -> Response:  # noqa: RUF029 - Starlette's colour
    return refusal(HTTPStatus.NOT_FOUND, "There is no such page.")


def _doors(guard: Guard, log: Logger) -> list[Route]:
    """Return the ways in and out."""

    async def door(_request: Request) -> Response:  # noqa: RUF029 - as above
        return page("sign_in", HTTPStatus.OK, root=ROOT, wrong=False)

    async def enter(request: Request) -> Response:
        try:
            fields = await form(request)
        except Misused as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        session = guard.sessions.enter(fields.get("who", ""), fields.get("token", ""), new_form_key())
        if session is None:
            log.warning(Said.NOT_SIGNED_IN)
            return page("sign_in", HTTPStatus.FORBIDDEN, root=ROOT, wrong=True)
        log.info(Said.SIGNED_IN, who=session.who, role=session.role)
        return guard.admitted(request, session)

    async def leave(request: Request) -> Response:
        session = guard.session(request)
        try:
            fields = await form(request)
        except Misused as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        answer = RedirectResponse(f"{ROOT}/sign-in", HTTPStatus.SEE_OTHER)
        if session is not None and same_form(session, fields.get("form_key", "")):
            answer.delete_cookie(COOKIE, path=ROOT)
        return answer

    return [
        Route("/sign-in", door),
        Route("/sign-in", enter, methods=["POST"]),
        Route("/sign-out", leave, methods=["POST"]),
    ]
