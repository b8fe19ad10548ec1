"""Connections, channels, and how to tell that the broker is away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aio_pika
from aio_pika.exceptions import (
    AMQPError,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
)

from events.failures import Misconfigured, System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from aio_pika.abc import AbstractConnection, AbstractRobustChannel, AbstractRobustConnection

HEARTBEAT: Final = 20
RECONNECT_SECONDS: Final = 1.0
CONNECT_TIMEOUT: Final = 10.0
OPEN_TIMEOUT: Final = 10.0
"""Seconds for opening a channel and finding what it is for; the library itself would wait for ever."""
CLOSE_TIMEOUT: Final = 5.0
_AWAY: Final = (AMQPError, OSError, ChannelInvalidStateError)
"""How the library says that there is no connection, or no longer. `OSError` includes `TimeoutError`."""


@contextlib.asynccontextmanager
async def reaching(seconds: float) -> AsyncGenerator[None, None]:
    """Raise `TryLater` for everything that means that the broker is away, silence for so long included."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except ProbableAuthenticationError as error:
        raise TryLater(System.BROKER, Reason.NOT_AUTHENTICATED, _words(error)) from error
    except _AWAY as error:
        raise TryLater(System.BROKER, _reason(error), _words(error)) from error
    except asyncio.CancelledError as error:
        # On a dead link the library cancels what it waits for, and that must not look like our own cancellation: a
        # consumer would end in silence.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise TryLater(System.BROKER, Reason.UNREACHABLE, "the connection broke") from error


def _reason(error: Exception) -> Reason:
    return Reason.NOT_TRUSTED if "CERTIFICATE_VERIFY_FAILED" in str(error) else Reason.UNREACHABLE


def _words(error: Exception) -> str:
    """Say what the library says. It never shows the URL with its password."""
    said = f"{type(error).__name__}: {error}"
    return said.removesuffix(": ")[:200]


@contextlib.contextmanager
def connected() -> Generator[None, None, None]:
    """Raise `ConnectionError` where the library, asked for a channel, has no better word than `RuntimeError`."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError(str(error)) from error


@contextlib.contextmanager
def must_exist(what: str) -> Generator[None, None, None]:
    """Raise `Misconfigured` with the remedy if the broker does not find it."""
    try:
        yield
    except ChannelNotFoundEntity as error:
        raise Misconfigured(Reason.BAD_SETTINGS, f"{what} does not exist; run `calsync topology apply`") from error


@dataclass(frozen=True, slots=True)
class Connections:
    """One for publishing, one for consuming. Both heal; what is consumed is consumed again after a reconnect.

    They are apart because a broker that raises an alarm stops reading from publishing connections, acks included.
    """

    publishing: AbstractRobustConnection
    consuming: AbstractRobustConnection

    @property
    def there(self) -> bool:
        """Whether both are there now, as far as is known. Who only waits for messages has no other way to notice."""
        return self.publishing.connected.is_set() and self.consuming.connected.is_set()


@contextlib.asynccontextmanager
async def connect(url: str, name: str) -> AsyncGenerator[Connections, None]:
    """Open both connections. `name` is shown by the broker's management pages.

    Raises `TryLater` if the broker cannot be reached now; afterwards an absent broker only makes the operations fail.
    """
    async with contextlib.AsyncExitStack() as stack:
        publishing = await stack.enter_async_context(_healing(url, f"{name} publish"))
        consuming = await stack.enter_async_context(_healing(url, f"{name} consume"))
        yield Connections(publishing, consuming)


@contextlib.asynccontextmanager
async def connect_once(url: str, name: str) -> AsyncGenerator[AbstractConnection, None]:
    """Open a connection that does not heal: for what is over in a moment, such as comparing the topology.

    Raises `TryLater` if the broker cannot be reached.
    """
    async with reaching(CONNECT_TIMEOUT):
        connection = await aio_pika.connect(url, client_properties={"connection_name": name}, heartbeat=HEARTBEAT)
    try:
        yield connection
    finally:
        await _close(connection.close())


@contextlib.asynccontextmanager
async def _healing(url: str, name: str) -> AsyncGenerator[AbstractRobustConnection, None]:
    async with reaching(2 * CONNECT_TIMEOUT):
        connection = await aio_pika.connect_robust(
            url,
            client_properties={"connection_name": name},
            heartbeat=HEARTBEAT,
            timeout=CONNECT_TIMEOUT,  # of the later attempts, too
            reconnect_interval=RECONNECT_SECONDS,
        )
    try:
        yield connection
    finally:
        await _close(connection.close())


@contextlib.asynccontextmanager
async def open_channel(
    connection: AbstractRobustConnection, *, on_return_raises: bool = False
) -> AsyncGenerator[AbstractRobustChannel, None]:
    """Open a channel with publisher confirms. It is restored after a reconnect. Raises `TryLater`."""
    async with reaching(OPEN_TIMEOUT):
        with connected():
            channel = await connection.channel(on_return_raises=on_return_raises)
    try:
        yield channel
    finally:
        await _close(channel.close())


async def restore(channel: AbstractRobustChannel) -> None:
    """Open a closed channel again, with all that belongs to it. Raises `TryLater`.

    The library does so once. If that fails (an exchange is missing for a moment, say), it leaves the channel closed
    for as long as the connection lasts.
    """
    if channel.is_closed:
        async with reaching(OPEN_TIMEOUT):
            with connected():
                await channel.restore()


async def _close(closing: Awaitable[None]) -> None:
    with contextlib.suppress(TryLater):
        async with reaching(CLOSE_TIMEOUT):
            await closing
