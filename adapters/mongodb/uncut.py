"""Calls that are never cut off: whoever stops waiting for one leaves it to come to its own end.

On Python 3.11, the locks of PyMongo's own client do not survive being cut off. It waits for a server by
`asyncio.wait_for(condition.wait(), …)`; who is cancelled in the moment in which that gives up goes on without the lock,
and the wait that stays behind takes it and never gives it back. From then on every call waits for ever.

Motor's calls go on in their threads when nobody waits for them any more; these go on in tasks of their own. Each ends
by the client's own limits of time, or soon after the client was closed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any, Final

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor

_HANDLES: Final = (AsyncCollection, AsyncCursor, AsyncCommandCursor)
_CLOSED_NOTICED: Final = 2.0
"""Seconds. Who waits for a server looks up every half a second, and gives up then if the client was closed."""


class Calls:
    """The calls of a client that have not come to their end yet."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    def uncut(self, call: Awaitable[Any]) -> Awaitable[Any]:
        """Have a call run to its end, whether somebody waits for it or not."""
        running = asyncio.ensure_future(self._through(call))  # noqa: TID251 - meant to outlive whoever waits for it
        self._running.add(running)
        running.add_done_callback(self._ended)
        return asyncio.shield(running)

    async def _through(self, call: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever PyMongo gives
        return self.handle(await call)

    def handle(self, given: Any) -> Any:  # noqa: ANN401 - whatever PyMongo gives
        """Return what a call gave, so that what is called on it is not cut off either."""
        return Uncut(given, self) if isinstance(given, _HANDLES) else given

    def _ended(self, ended: asyncio.Future[Any]) -> None:
        """Take note of how a call ended that nobody waits for, or asyncio would report an error that was overlooked."""
        self._running.discard(ended)
        if not ended.cancelled():
            ended.exception()

    async def end(self) -> None:
        """Wait for those that wait for a server: a loop that ends would cut them off, and wait for them for ever.

        To be called when the client was closed. What is left then waits for an answer, and that may be cut off.
        """
        if self._running:
            _, waiting = await asyncio.wait(self._running, timeout=_CLOSED_NOTICED)
            for call in waiting:
                call.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


class Uncut:
    """A database, collection or cursor of PyMongo's, none of whose calls is cut off. All else is as it is there."""

    def __init__(self, handle: Any, calls: Calls) -> None:  # noqa: ANN401 - whatever PyMongo gives
        self._handle = handle
        self._calls = calls

    def __getitem__(self, name: str) -> Uncut:
        """Return a collection."""
        return Uncut(self._handle[name], self._calls)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as PyMongo has it
        found = getattr(self._handle, name)
        return self._calling(found) if inspect.ismethod(found) else found

    def _calling(self, method: Any) -> Any:  # noqa: ANN401 - as PyMongo has it
        def call(*args: object, **options: object) -> object:
            result = method(*args, **options)
            return self._calls.uncut(result) if asyncio.iscoroutine(result) else self._calls.handle(result)

        return call
