"""Connections that end without an answer."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override


class Cut(Response):
    """The connection ends in the middle of the answer."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin to answer; the server closes the connection when no more comes."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4096")]})
        await send({"type": "http.response.body", "body": b'{"success"', "more_body": True})


class Silence(Response):
    """No answer at all."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait until the caller has hung up."""
        while (await receive())["type"] != "http.disconnect":
            pass
