"""Between HTTP and the endpoints: requests become calls, and replies are sent, whole or broken."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final, Protocol, cast
from urllib.parse import parse_qs, parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.cronofy.api.call import Call, Reply
from sandbox.cronofy.api.faults import Effect, Forget, Garble, Hold, Instead, Reset, Thin, Truncate
from sandbox.cronofy.api.front import Served
from sandbox.cronofy.model.shapes import is_object

_WORTH_COMPRESSING: Final = 1024


def _payload(body: bytes, content_type: str) -> dict[str, object] | None:
    if not body:
        return {}
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return dict[str, object](parse_qsl(body.decode(), keep_blank_values=True))
        value: object = orjson.loads(body)
    except ValueError:
        return None
    return value if is_object(value) else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its connection."""

    scope: Scope
    receive: Receive
    send: Send
    clock: Clock

    async def read(self) -> Call:
        """Read the request to its end. A JSON body must be an object; libraries send `{}` even with GET."""
        request = Request(self.scope, self.receive)
        body = await request.body()
        headers = dict(request.headers)
        payload = _payload(body, headers.get("content-type", ""))
        return Call(
            method=request.method,
            path=self.scope["path"],
            now=self.clock.now(),
            payload={} if payload is None else payload,
            readable=payload is not None,
            parameters=parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True),
            headers=headers,
            cookies=request.cookies if "cookie" in headers else {},
            base_url=f"{self.scope['scheme']}://{headers.get('host', 'localhost')}",
        )

    async def answer(self, call: Call, served: Served, *, compress: bool) -> None:
        """Send the reply, or what a fault makes of it."""
        fault = served.fault
        if fault is None:
            await self._send(_response(served.reply, call, compress=compress))
        elif not fault.delay or await self._patient(fault.delay):
            await self._suffer(fault.effect, _response(served.reply, call, compress=False))

    async def _send(self, response: Response) -> None:
        self._date(response)
        await response(self.scope, self.receive, self.send)

    async def _suffer(self, effect: Effect | None, response: Response) -> None:
        """Answer as broken as the effect says; what is wrong besides the answer has happened already."""
        match effect:
            case Hold():
                await self._client_leaves()
            case Reset():
                self._transport().abort()
                await self._client_leaves()
            case Truncate():
                await self._cut_short(response)
            case Garble():
                media_type = response.headers.get("content-type")
                await self._send(Response(b'{"events": [<html>', response.status_code, media_type=media_type))
            case Instead() | Forget() | Thin() | None:
                await self._send(response)

    async def _cut_short(self, response: Response) -> None:
        body = bytes(response.body)
        self._date(response)
        response.headers["content-length"] = str(len(body) + 1)
        await self.send({
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        })
        await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        self._transport().close()
        await self._client_leaves()

    async def _patient(self, seconds: float) -> bool:
        """Wait. False: the client has left meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            waited = tasks.create_task(self.clock.sleep(seconds))
            left = tasks.create_task(self._client_leaves())
            await asyncio.wait({waited, left}, return_when=asyncio.FIRST_COMPLETED)
            waited.cancel()
            left.cancel()
        return not waited.cancelled()

    async def _client_leaves(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    def _date(self, response: Response) -> None:
        """Date the answer by the sandbox's clock, by which clients go; uvicorn would add the real time to it."""
        response.headers["date"] = format_datetime(self.clock.now(), usegmt=True)
        if (cycle := self._cycle()) is not None:
            cycle.default_headers = []

    def _transport(self) -> asyncio.Transport:
        cycle = self._cycle()
        assert cycle is not None, "connections break under uvicorn only"
        return cycle.transport

    def _cycle(self) -> _Cycle | None:
        """Return what uvicorn's `send` is a method of. ASGI itself has no message for either of its uses."""
        return cast("_Cycle | None", getattr(self.send, "__self__", None))


class _Cycle(Protocol):
    """One request in uvicorn: its connection, and what is sent before the app's own headers."""

    transport: asyncio.Transport
    default_headers: list[tuple[bytes, bytes]]


def _response(reply: Reply, call: Call, *, compress: bool) -> Response:
    content = reply.content()
    headers = dict(reply.headers)
    if compress and len(content) >= _WORTH_COMPRESSING and "gzip" in call.headers.get("accept-encoding", ""):
        content = gzip.compress(content, compresslevel=1)
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    return Response(content, reply.status, headers, media_type=reply.media_type)
