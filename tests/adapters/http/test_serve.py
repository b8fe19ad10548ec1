"""Serving an app for as long as a block runs."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from adapters.http.serve import serve


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.released = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.released.wait()
        await PlainTextResponse("done")(scope, receive, send)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_app_is_served_at_the_address_that_is_told(host: str) -> None:
    async with serve(PlainTextResponse("here"), host) as url, httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(url)).text == "here"


async def test_at_the_end_nobody_listens_any_more() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        async with serve(PlainTextResponse("here")) as url:
            pass
        with pytest.raises(httpx.ConnectError):
            await http.get(url)


async def test_a_request_under_way_is_finished_at_the_end() -> None:
    app = Slow()
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.TaskGroup() as tasks:
        async with serve(app) as url:
            asking = tasks.create_task(http.get(url))
            await app.asked.wait()
            asyncio.get_running_loop().call_later(0.1, app.released.set)
        assert (await asking).text == "done"


async def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    async with serve(PlainTextResponse("first")) as url:
        with pytest.raises(OSError, match="in use"):
            async with serve(PlainTextResponse("second"), port=int(url.rpartition(":")[2])):
                pass


async def test_a_connection_stays_open_for_as_long_as_clients_keep_it() -> None:
    """A request that meets its connection being closed is lost; httpx keeps them for 5 s, as uvicorn would."""
    async with serve(PlainTextResponse("here")) as url:
        host, _, port = url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert (await reader.readuntil(b"here")).endswith(b"here")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 6.0)
        writer.close()
        await writer.wait_closed()
