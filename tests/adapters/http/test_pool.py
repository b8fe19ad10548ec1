"""What the pool makes of whatever a server does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from adapters.http import pool as pool_module
from adapters.http.pool import LONGEST_WAIT, HttpPool, open_pool
from adapters.http.serve import serve
from events.failures import RateLimited, System, TryLater
from events.reasons import Reason

pytestmark = pytest.mark.asyncio(loop_scope="module")

Answering = Callable[[Request], Awaitable[Response]]
Json = dict[str, Any]


@dataclass
class Server:
    """Answers as it is told, and remembers what it was asked."""

    url: str = ""
    answers: list[Response | Answering] = field(default_factory=list[Response | Answering])
    """One per request; the last one for all that follow."""
    asked: list[Request] = field(default_factory=list[Request])
    bodies: list[bytes] = field(default_factory=list[bytes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(request)
        self.bodies.append(await request.body())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        response = answer if isinstance(answer, Response) else await answer(request)
        await response(scope, receive, send)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running() -> AsyncGenerator[Server]:
    """Started once: starting and stopping takes longer than most tests."""
    server = Server()
    async with serve(server) as server.url:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.answers, running.asked, running.bodies = [JSONResponse({"fine": True})], [], []
    return running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncGenerator[HttpPool]:
    async with open_pool(System.PSA) as pool:
        yield pool


class Broken(Response):
    """Begins to answer, and closes the connection."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4096")]})
        await send({"type": "http.response.body", "body": b'{"fine"', "more_body": True})


# What is asked


async def test_json_is_sent_and_parsed(pool: HttpPool, server: Server) -> None:
    answer = await pool.request("PUT", f"{server.url}/a", json={"naïve": "🗓"}, headers={"x-ours": "1"})
    assert (answer.status, answer.body) == (200, {"fine": True})
    (request,) = server.asked
    assert (request.method, request.url.path, request.headers["x-ours"]) == ("PUT", "/a", "1")
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["accept"] == "application/json"
    assert server.bodies == ['{"naïve":"🗓"}'.encode()]


async def test_a_form_is_sent_as_a_form(pool: HttpPool, server: Server) -> None:
    await pool.request("POST", server.url, form={"a": "1 & 2", "b": "="})
    assert server.bodies == [b"a=1+%26+2&b=%3D"]
    assert server.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"


async def test_parameters_keep_their_order_and_may_repeat(pool: HttpPool, server: Server) -> None:
    await pool.request("GET", server.url, params=[("id[]", "b&"), ("id[]", "a"), ("zone", "Etc/UTC")])
    assert server.asked[0].query_params.multi_items() == [("id[]", "b&"), ("id[]", "a"), ("zone", "Etc/UTC")]


async def test_an_address_keeps_a_query_of_its_own(pool: HttpPool, server: Server) -> None:
    await pool.request("GET", f"{server.url}/pages?page=2&of=3")
    assert server.asked[0].url.query == "page=2&of=3"


async def test_proxies_of_the_environment_are_ignored(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with open_pool(System.PSA) as pool:
        assert (await pool.request("GET", server.url)).status == 200


async def test_a_redirect_is_an_answer_and_not_followed(pool: HttpPool, server: Server) -> None:
    server.answers = [Response(status_code=302, headers={"location": f"{server.url}/elsewhere"})]
    answer = await pool.request("GET", f"{server.url}/here", headers={"authorization": "Bearer secret"})
    assert answer.status == 302
    assert [request.url.path for request in server.asked] == ["/here"]


async def test_no_cookie_is_kept(pool: HttpPool, server: Server) -> None:
    greedy = JSONResponse({})
    greedy.set_cookie("session", "of somebody else")
    server.answers = [greedy]
    for _ in range(20):  # more often than there are clients
        await pool.request("GET", server.url)
    assert not any("cookie" in request.headers for request in server.asked)


async def test_many_requests_at_once_share_few_connections(pool: HttpPool, server: Server) -> None:
    answers = await asyncio.gather(*(pool.request("GET", server.url) for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({request.client for request in server.asked}) <= 24


# What is answered


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 403, 404, 422, 423])
async def test_a_status_is_an_answer(status: int, pool: HttpPool, server: Server) -> None:
    server.answers = [Response(status_code=status)]
    answer = await pool.request("GET", server.url)
    assert (answer.status, answer.body) == (status, None)


@pytest.mark.parametrize(
    "body",
    [
        b"<h1>Bad Gateway</h1>",
        b'{"truncated": ',
        b"\xff\xfe",
        b"NaN",
        b'{"large": 1e999}',
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 500 + b"1" + b"}" * 500,
        b"",
    ],
)
async def test_a_body_that_is_no_json_is_none(body: bytes, pool: HttpPool, server: Server) -> None:
    server.answers = [Response(body, media_type="application/json")]
    assert (await pool.request("GET", server.url)).body is None


async def test_the_date_of_an_answer_is_utc(pool: HttpPool, server: Server) -> None:
    answer = await pool.request("GET", server.url)
    assert answer.date is not None
    assert abs(answer.date.timestamp() - time.time()) < 60  # noqa: TID251 - the server's own clock


async def test_an_answer_without_end_is_not_read_to_the_end(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MAX_BYTES", 1000)
    server.answers = [Response(b"1" * 1001), Response(b"1" * 1000)]
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert failure.value.reason is Reason.UNREADABLE_ANSWER
    assert (await pool.request("GET", server.url)).status == 200


async def test_what_is_compressed_wrongly_cannot_be_read(pool: HttpPool, server: Server) -> None:
    server.answers = [Response(b"no gzip", headers={"content-encoding": "gzip"})]
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert failure.value.reason is Reason.UNREADABLE_ANSWER


# What fails


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_an_internal_error_is_an_outage(status: int, pool: HttpPool, server: Server) -> None:
    server.answers = [Response(status_code=status)]
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert not isinstance(failure.value, RateLimited)
    assert (failure.value.system, failure.value.reason) == (System.PSA, Reason.SERVER_ERROR)
    assert (failure.value.detail, failure.value.retry_after) == (str(status), None)
    assert len(server.asked) == 1, "the system said what is the case; asking again at once helps nobody"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("1.5", 1.5),
        ("-5", 0),
        ("99999999999", LONGEST_WAIT),
        ("9" * 400, None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_who_says_when_to_come_back_is_listened_to(
    status: int, said: str | None, seconds: float | None, pool: HttpPool, server: Server
) -> None:
    server.answers = [Response(status_code=status, headers={} if said is None else {"retry-after": said})]
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert isinstance(failure.value, RateLimited) == (status == 429)
    assert failure.value.retry_after == seconds


MONDAY_NOON = "Mon, 09 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("until", "date", "seconds"),
    [
        ("Mon, 09 Mar 2026 12:01:30 GMT", MONDAY_NOON, 90),
        ("Mon, 09 Mar 2026 11:00:00 GMT", MONDAY_NOON, 0),
        ("Tue, 09 Mar 2027 12:00:00 GMT", MONDAY_NOON, LONGEST_WAIT),
        ("Mon, 09 Mar 2026 12:01:30 GMT", "today", None),
        ("Mon, 09 Mar 2026 12:01:30 GMT", "", None),
    ],
)
async def test_a_date_to_come_back_at_is_taken_by_the_clock_of_who_named_it(
    until: str, date: str, seconds: float | None, pool: HttpPool
) -> None:
    answer = f"HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After:  {until} \r\nDate: {date}\r\n\r\n"
    async with saying(answer.encode()) as url:
        with pytest.raises(RateLimited) as failure:
            await pool.request("GET", url)
    assert failure.value.retry_after == seconds


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 999999 OK\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_an_outage(nonsense: bytes, pool: HttpPool) -> None:
    async with saying(nonsense) as url:
        with pytest.raises(TryLater) as failure:
            await pool.request("GET", url)
    assert failure.value.reason is Reason.UNREACHABLE


@contextlib.asynccontextmanager
async def saying(said: bytes) -> AsyncGenerator[str]:
    """Run a server that says this, whatever it is asked, and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(10_000)
            writer.write(said)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def test_a_broken_connection_is_tried_again(pool: HttpPool, server: Server) -> None:
    server.answers = [Broken(), Broken(), JSONResponse({"fine": True})]
    assert (await pool.request("POST", server.url, json={"n": 1})).body == {"fine": True}
    assert server.bodies == [b'{"n":1}'] * 3


async def test_a_connection_that_breaks_again_and_again_is_an_outage(pool: HttpPool, server: Server) -> None:
    server.answers = [Broken()]
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert (failure.value.reason, failure.value.detail) == (Reason.UNREACHABLE, "RemoteProtocolError")
    assert len(server.asked) == 3


async def test_what_must_not_be_done_twice_is_not_sent_again(pool: HttpPool, server: Server) -> None:
    server.answers = [Broken(), JSONResponse({"fine": True})]
    with pytest.raises(TryLater):
        await pool.request("POST", server.url, json={}, repeatable=False)
    assert len(server.asked) == 1


async def test_what_was_never_sent_may_be_sent_again_even_if_it_must_not_be_done_twice(server: Server) -> None:
    nowhere = httpx.AsyncHTTPTransport(uds="/nowhere")
    async with httpx.AsyncClient(transport=nowhere) as unlucky, httpx.AsyncClient(trust_env=False) as lucky:
        pool = HttpPool(System.PSA, (unlucky, lucky))
        assert (await pool.request("POST", server.url, json={}, repeatable=False)).status == 200
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://no-such-host.invalid/",
        "gopher://127.0.0.1/",
        "http://[bad/",
        "",
    ],
)
async def test_an_address_that_leads_nowhere_is_an_outage(url: str, pool: HttpPool) -> None:
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", url)
    assert failure.value.reason is Reason.UNREACHABLE


async def test_a_server_that_does_not_answer_is_not_waited_for(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def silent(_: Request) -> Response:
        await released.wait()
        return Response()

    monkeypatch.setattr(pool_module, "CALL_SECONDS", 0.3)
    server.answers = [silent]
    began = time.monotonic()
    with pytest.raises(TryLater) as failure:
        await pool.request("GET", server.url)
    assert time.monotonic() - began < 2
    assert (failure.value.reason, failure.value.detail) == (Reason.UNREACHABLE, "TimeoutError")
    released.set()


async def test_a_server_that_answers_a_byte_at_a_time_is_not_waited_for(
    pool: HttpPool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = asyncio.Event()

    class Trickle(Response):
        @override
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not gone.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(0.01)
            await send({"type": "http.response.body", "body": b""})

    monkeypatch.setattr(pool_module, "CALL_SECONDS", 0.3)
    server.answers = [Trickle()]
    with pytest.raises(TryLater):
        await pool.request("GET", server.url)
    gone.set()


async def test_our_own_cancellation_is_not_taken_for_an_outage(pool: HttpPool, server: Server) -> None:
    arrived, released = asyncio.Event(), asyncio.Event()

    async def silent(_: Request) -> Response:
        arrived.set()
        await released.wait()
        return Response()

    server.answers = [silent]
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(pool.request("GET", server.url))
        await arrived.wait()
        asking.cancel()
    assert asking.cancelled()
    released.set()
