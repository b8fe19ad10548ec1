"""Calls that are never cut off: whoever stops waiting for one leaves it to come to its own end.

On Python 3.11, the locks of PyMongo's own client do not survive being cut off. It waits for a server by
`asyncio.wait_for(condition.wait(), …)`; who is cancelled in the moment in which that gives up goes on without the lock,
and the wait that stays behind takes it and never gives it back. From then on every call waits for ever.

Motor's calls go on in their threads when nobody waits for them any more; these go on in tasks of their own. Each ends
by the client's own limits of time, or when the client is closed.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any, TypeVar

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor

T = TypeVar("T")


def uncut(call: Awaitable[T]) -> Awaitable[T]:
    """Have a call run to its end, whether somebody waits for it or not."""
    running = asyncio.ensure_future(call)  # noqa: TID251 - meant to outlive whoever waits for it
    running.add_done_callback(_heard)
    return asyncio.shield(running)


def _heard(ended: asyncio.Future[Any]) -> None:
    """Take note of how a call ended that nobody waits for, or asyncio would report an error that was overlooked."""
    if not ended.cancelled():
        ended.exception()


class Uncut:
    """A database, collection or cursor of PyMongo's, none of whose calls is cut off. All else is as it is there."""

    def __init__(self, handle: Any) -> None:  # noqa: ANN401 - whatever PyMongo gives
        self._handle = handle

    def __getitem__(self, name: str) -> Uncut:
        """Return a collection."""
        return Uncut(self._handle[name])

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as PyMongo has it
        found = getattr(self._handle, name)
        return _calling(found) if inspect.ismethod(found) else found


def _calling(method: Any) -> Any:  # noqa: ANN401 - as PyMongo has it
    def call(*args: object, **options: object) -> object:
        result = method(*args, **options)
        if asyncio.iscoroutine(result):
            return uncut(result)
        return Uncut(result) if isinstance(result, AsyncCollection | AsyncCursor) else result

    return call
