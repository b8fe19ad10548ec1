"""What holds for every page: who may see it, and what the browser may do with it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response

from events.failures import Malformed, Refused, SyncError, TryLater
from worker.console.asking import Misused, form
from worker.console.sessions import LASTS, Session, Sessions, same_form
from worker.console.showing import page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from worker.console.offices import Office, Offices
    from worker.ports import Clock

ROOT: Final = "/console"
COOKIE: Final = "calsync_console"
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Nothing runs in these pages but what is in them, and nothing that is in them runs."""

Endpoint = Callable[["Request"], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in."""

    request: Request
    session: Session
    office: Office

    def shown(self, name: str, **values: object) -> Response:
        """Return a page of theirs."""
        now, path = self.office.clock.now(), self.request.url.path
        return page(name, HTTPStatus.OK, session=self.session, root=ROOT, now=now, path=path, **values)


@dataclass(frozen=True, slots=True)
class Done(Visit):
    """A form that was sent by somebody who may act. `why`: their reason, never empty."""

    fields: dict[str, str]
    why: str

    def field(self, name: str) -> str:
        """Return a field; empty if it is absent."""
        return self.fields.get(name, "").strip()


Looking = Callable[[Visit], Awaitable[Response]]
Acting = Callable[[Done], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Guard:
    """Stands before every page."""

    sessions: Sessions
    offices: Offices
    clock: Clock

    def looking(self, show: Looking) -> Endpoint:
        """Return an endpoint for whoever is signed in."""

        async def endpoint(request: Request) -> Response:
            session = self.session(request)
            if session is None:
                return RedirectResponse(f"{ROOT}/sign-in", HTTPStatus.SEE_OTHER)
            return await self._answered(lambda office: show(Visit(request, session, office)))

        return endpoint

    def acting(self, act: Acting) -> Endpoint:
        """Return an endpoint for operators, who say why."""

        async def endpoint(request: Request) -> Response:
            session = self.session(request)
            if session is None:
                return RedirectResponse(f"{ROOT}/sign-in", HTTPStatus.SEE_OTHER)
            if not session.may_act:
                return refusal(HTTPStatus.FORBIDDEN, "Your token lets you look. To change something takes another one.")
            return await self._answered(lambda office: self._act(request, session, office, act))

        return endpoint

    def session(self, request: Request) -> Session | None:
        """Return who is signed in."""
        cookie = request.cookies.get(COOKIE, "")
        return self.sessions.unseal(cookie, self._seconds()) if cookie else None

    def admitted(self, request: Request, session: Session) -> Response:
        """Return the answer that signs somebody in."""
        answer = RedirectResponse(ROOT, HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            self.sessions.seal(session, self._seconds()),
            max_age=int(LASTS.total_seconds()),
            path=ROOT,
            secure=_is_encrypted(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    def _seconds(self) -> int:
        return int(self.clock.now().timestamp())

    async def _act(self, request: Request, session: Session, office: Office, act: Acting) -> Response:
        fields = await form(request)
        if not same_form(session, fields.pop("form_key", "")):
            raise Misused("The form is not from this session. Go back, load the page anew, and send it again.")
        why = fields.pop("why", "").strip()
        if not why or len(why) > 500:
            raise Misused("Say why: one to 500 letters.")
        return await act(Done(request, session, office, fields, why))

    async def _answered(self, answer: Callable[[Office], Awaitable[Response]]) -> Response:
        office = self.offices.here
        if office is None:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The worker is about to begin, or to end.")
        try:
            return await answer(office)
        except Misused as error:
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        except TryLater as error:
            words = f"{error.system} is away: {error.reason.explanation}"
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, words)
        except (Malformed, Refused) as error:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error.reason.explanation} {error.detail}")
        except SyncError as error:
            return refusal(HTTPStatus.CONFLICT, f"{error.reason.explanation} {error.detail}")


def refusal(status: HTTPStatus, words: str) -> Response:
    """Return a page that says why not."""
    return page("refusal", status, root=ROOT, words=words, title=status.phrase)


def new_form_key() -> str:
    """Return a key for the forms of a session."""
    return secrets.token_urlsafe(24)


def _is_encrypted(request: Request) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us. A false word of it only makes the cookie safer."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "")}


class SafeHeaders:
    """Tells the browser with every answer what it may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, tell)
