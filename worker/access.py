"""One integration's way to the calendar service: its tokens, its calendar, and the allowance shared by all."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from adapters.cronofy.client import Query
from adapters.telemetry import metrics
from events.calendar import CalendarWrite, ChannelInfo, Page, Sought, UserInfo, WriteResult
from events.content import Timed, When
from events.failures import Gone, MustReconnect, RateLimited, System, TokenRejected, TryLater
from events.integration import CalendarInfo
from events.lanes import Lane
from events.link import EventKey, ManagedEvent
from events.reasons import Reason
from worker.projection.events import key_of

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.cronofy.client import Cronofy
    from events.integration import Grant, Tokens
    from worker.holding import Holding
    from worker.ports import Budget, Clock

T = TypeVar("T")
_REFRESH_BEFORE: Final = timedelta(minutes=5)
_WAIT_HERE: Final = 3.0
"""Seconds to wait for the allowance in place; longer waits are due times."""


class Access(Protocol):
    """What `worker.setup` needs; see `CronofyAccess`."""

    async def exchange(self, code: str, redirect_uri: str) -> Grant:
        """Exchange an authorization code."""
        ...

    async def userinfo(self) -> UserInfo:
        """Ask who the account is and how its profiles are."""
        ...

    async def calendars(self) -> tuple[CalendarInfo, ...]:
        """List the account's calendars."""
        ...

    async def create_channel(self, calendar_id: str | None) -> ChannelInfo:
        """Create the notification channel of a calendar, or of the whole account, or find it."""
        ...

    async def close_channel(self, channel_id: str) -> None:
        """Close a notification channel."""
        ...

    async def revoke(self, tokens: Tokens) -> None:
        """Give up an authorization."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """The calendar service, the same for all integrations. `callback_url`: where the relay listens."""

    cronofy: Cronofy
    budget: Budget
    clock: Clock
    callback_url: str


class CronofyAccess:
    """Speaks to Cronofy for one integration, as the holder of its lease.

    Raises what `Cronofy` raises, except `TokenRejected`: the token is refreshed and the call repeated, once.
    """

    def __init__(self, service: Service, holding: Holding, lane: Lane = Lane.REAL_TIME) -> None:
        self._cronofy = service.cronofy
        self._service = service
        self._holding = holding
        self._lane = lane

    # For the setup

    async def exchange(self, code: str, redirect_uri: str) -> Grant:
        """Exchange an authorization code."""
        await self._spend()
        return await self._cronofy.exchange_code(code, redirect_uri, self._service.clock.now())

    async def userinfo(self) -> UserInfo:
        """Ask who the account is and how its profiles are."""
        return await self._authorized(self._cronofy.userinfo)

    async def calendars(self) -> tuple[CalendarInfo, ...]:
        """List the account's calendars."""
        return await self._authorized(self._cronofy.calendars)

    async def create_channel(self, calendar_id: str | None) -> ChannelInfo:
        """Create the channel of a calendar, or of the whole account.

        Its address names the integration, so that the first notification finds it.
        """
        url = f"{self._service.callback_url.rstrip('/')}/{self._holding.id}"
        calendar_ids = [] if calendar_id is None else [calendar_id]
        return await self._authorized(lambda token: self._cronofy.create_channel(token, url, calendar_ids))

    async def close_channel(self, channel_id: str) -> None:
        """Close a notification channel. Closing what is closed is success."""
        await self._authorized(lambda token: self._cronofy.close_channel(token, channel_id))

    async def revoke(self, tokens: Tokens) -> None:
        """Give up an authorization. Revoking what is revoked is success."""
        await self._spend()
        await self._cronofy.revoke(tokens)

    # The calendar

    async def first_page(self, calendar_id: str, since: datetime | None) -> Page:
        """Begin to read what changed in a calendar since a moment of Cronofy's clock; everything, if None."""
        query = Query(calendar_ids=(calendar_id,), changed_since=since)
        return await self._authorized(lambda token: self._cronofy.first_page(token, query))

    async def ours(self, calendar_id: str) -> Page:
        """Begin to read all events that this application made in a calendar, whenever they are."""
        query = Query(calendar_ids=(calendar_id,), only_managed=True)
        return await self._authorized(lambda token: self._cronofy.first_page(token, query))

    async def span_page(self, calendar_id: str, start: datetime, end: datetime, *, only_managed: bool) -> Page:
        """Begin to read a calendar's events that touch a span, of those made by this application only or all."""
        query = Query(calendar_ids=(calendar_id,), first=start, last=end, only_managed=only_managed)
        return await self._authorized(lambda token: self._cronofy.first_page(token, query))

    async def next_page(self, url: str) -> Page:
        """Go on reading."""
        return await self._authorized(lambda token: self._cronofy.next_page(token, url))

    async def look_for(self, event: EventKey, when: When | None, page_url: str, over: Callable[[], bool]) -> Sought:
        """Look for one event, wherever it may have gone. There is no call for that, so a listing is read.

        `page_url`: where to go on; empty to begin. `over`: whether there is no time left to read on.
        """
        page = await self._sought_on(page_url) or await self._sought(event, when)
        walked = {page_url}
        while True:
            for found in page.events:
                if key_of(found) == event:
                    return Sought(found)
            if page.next_url is None:
                return Sought(None)
            if page.next_url in walked:
                raise TryLater(System.CRONOFY, Reason.UNREADABLE_ANSWER, "the pages of the read lead in a circle")
            if over():
                return Sought(None, goes_on=page.next_url)
            walked.add(page.next_url)
            await self._holding.assure()  # a long read outlives its lease
            page = await self.next_page(page.next_url)

    async def _sought_on(self, page_url: str) -> Page | None:
        """Go on where a former look has ended; None if that was nowhere, or the page has expired."""
        if not page_url:
            return None
        with contextlib.suppress(Gone):
            return await self.next_page(page_url)
        return None

    async def _sought(self, event: EventKey, when: When | None) -> Page:
        query = Query(calendar_ids=(self._calendar_id,), only_managed=isinstance(event, ManagedEvent))
        if isinstance(when, Timed) and not query.only_managed:
            day = timedelta(days=1)
            query = Query(calendar_ids=(self._calendar_id,), first=when.start - day, last=when.end + day)
        return await self._authorized(lambda token: self._cronofy.first_page(token, query))

    async def write(self, writes: Sequence[CalendarWrite]) -> list[WriteResult]:
        """Carry out writes, in one request. Raises `Stale` if they had to wait, and are no longer ours or wanted."""
        return await self._authorized(lambda token: self._cronofy.batch(token, writes), effect=True)

    @property
    def _calendar_id(self) -> str:
        settings = self._holding.integration.wanted.settings
        assert settings is not None, "only a configured integration has a calendar"
        return settings.calendar_id

    # Tokens and allowance

    async def _authorized(self, call: Callable[[str], Awaitable[T]], *, effect: bool = False) -> T:
        try:
            return await self._call(call, await self._token(), effect=effect)
        except TokenRejected:
            await self._refresh()
        try:
            return await self._call(call, await self._token(), effect=effect)
        except TokenRejected as error:
            # A fresh token that is refused says nothing about the user's authorization.
            raise TryLater(System.CRONOFY, Reason.NOT_AUTHENTICATED, "a fresh token was refused") from error

    async def _call(self, call: Callable[[str], Awaitable[T]], token: str, *, effect: bool) -> T:
        if await self._spend() and effect:
            await self._holding.assure()
        try:
            return await call(token)
        except RateLimited as error:
            await self._service.budget.refused(error.retry_after)
            raise

    async def _token(self) -> str:
        tokens = self._holding.held.tokens
        if tokens is not None and tokens.expires_at - self._service.clock.now() < _REFRESH_BEFORE:
            await self._refresh()
            tokens = self._holding.held.tokens
        if tokens is None:
            raise MustReconnect(Reason.REAUTHORISE_NEEDED, "never connected")
        return tokens.access

    async def _refresh(self) -> None:
        tokens = self._holding.held.tokens
        if tokens is None:
            raise MustReconnect(Reason.REAUTHORISE_NEEDED, "never connected")
        await self._spend()
        fresh = await self._cronofy.refresh(tokens, self._service.clock.now())
        await self._holding.save(tokens=fresh)

    async def _spend(self) -> float:
        """Wait for the allowance to send one request. Returns for how many seconds.

        Raises `RateLimited` if that takes too long to wait here.
        """
        waited = 0.0
        while (wait := await self._service.budget.spend(1, self._lane)) > 0:
            if waited + wait > _WAIT_HERE:
                metrics.BUDGET_WAITS.labels(self._lane, "postponed").inc()
                raise RateLimited(System.CRONOFY, Reason.RATE_LIMITED, "our own allowance", retry_after=wait)
            metrics.BUDGET_WAITS.labels(self._lane, "waited").inc()
            await self._service.clock.sleep(wait)
            waited += wait
        return waited
