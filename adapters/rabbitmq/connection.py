"""Two connections: one for publishing, one for consuming.

They are apart because a broker that raises an alarm stops reading from publishing connections, acks included.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aio_pika
from aio_pika.exceptions import AMQPException

from events.failures import System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from aio_pika.abc import AbstractRobustConnection

HEARTBEAT: Final = 20
RECONNECT_SECONDS: Final = 1.0
CONNECT_TIMEOUT: Final = 10.0
AWAY: Final = (AMQPException, ConnectionError, OSError, TimeoutError, RuntimeError)
"""How aio-pika says that there is no connection, or no longer. RuntimeError: a closed writer."""


@dataclass(frozen=True, slots=True)
class Connections:
    """Both heal by themselves; what is consumed is consumed again after a reconnect."""

    publishing: AbstractRobustConnection
    consuming: AbstractRobustConnection


@contextlib.asynccontextmanager
async def connect(url: str, name: str) -> AsyncGenerator[Connections, None]:
    """Open both connections. `name` is shown by the broker's management pages.

    Raises `TryLater` if the broker cannot be reached now; afterwards an absent broker only makes the operations fail.
    """
    async with contextlib.AsyncExitStack() as stack:
        publishing = await stack.enter_async_context(_closing(await _connect(url, f"{name} publish")))
        consuming = await stack.enter_async_context(_closing(await _connect(url, f"{name} consume")))
        yield Connections(publishing, consuming)


async def _connect(url: str, name: str) -> AbstractRobustConnection:
    try:
        return await aio_pika.connect_robust(
            url,
            client_properties={"connection_name": name},
            heartbeat=HEARTBEAT,
            timeout=CONNECT_TIMEOUT,
            reconnect_interval=RECONNECT_SECONDS,
        )
    except AWAY as error:
        raise TryLater(System.BROKER, Reason.UNREACHABLE, type(error).__name__) from error


@contextlib.asynccontextmanager
async def _closing(connection: AbstractRobustConnection) -> AsyncGenerator[AbstractRobustConnection, None]:
    try:
        yield connection
    finally:
        with contextlib.suppress(*AWAY):
            await connection.close()
