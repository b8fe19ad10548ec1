"""What was received and sent, and what is under way."""

from __future__ import annotations

import httpx

from sandbox.cronofy.client.asking import Asking
from sandbox.cronofy.control.operation_messages import (
    ChannelView,
    MailView,
    NewNotification,
    Pending,
    PostView,
    RequestsView,
    RequestView,
    TallyView,
)


class NotQuiet(Exception):
    """Something is still under way. Its text says what."""


class Witness(Asking):
    """Looks behind the scenes."""

    async def requests(self, *, after: int = 0, path: str = "", method: str = "") -> list[RequestView]:
        """List the requests received, oldest first. `path`: what their paths start with."""
        query = httpx.QueryParams({"after": after, "path": path, "method": method})
        return list((await self._ask(RequestsView, "GET", f"/requests?{query}")).requests)

    async def request_count(self) -> int:
        """Tell the number of the newest request: what to pass as `after` later."""
        return (await self._ask(RequestsView, "GET", f"/requests?after={2**62}")).last

    async def tallies(self) -> list[TallyView]:
        """Count how often the application's writes created, updated and deleted each event."""
        return await self._ask(list[TallyView], "GET", "/tallies")

    async def mails(self) -> list[MailView]:
        """List the mails that providers sent because of the application's writes."""
        return await self._ask(list[MailView], "GET", "/mails")

    async def channels(self) -> list[ChannelView]:
        """List all channels, closed ones included."""
        return await self._ask(list[ChannelView], "GET", "/channels")

    async def notifications(self) -> list[PostView]:
        """List the attempts to deliver notifications and what came of them."""
        return await self._ask(list[PostView], "GET", "/notifications")

    async def notify(self, channel_id: str, given: NewNotification) -> None:
        """Send a notification of any type through a channel."""
        await self._do("POST", f"/channels/{channel_id}/notifications", given)

    async def pending(self, *, wait: float = 0) -> Pending:
        """Tell what is under way, after waiting so many real seconds at most for nothing to be."""
        return await self._ask(Pending, "GET", f"/pending?wait={wait}")

    async def wait_until_quiet(self, timeout: float) -> None:  # noqa: ASYNC109 - the server waits, without polling
        """Return once nothing is under way. Raises `NotQuiet` after so many real seconds.

        With a frozen clock nothing happens by waiting: see `run_until_quiet`.
        """
        pending = await self.pending(wait=timeout)
        if not pending.quiet:
            raise NotQuiet(pending.model_dump_json(indent=1))
