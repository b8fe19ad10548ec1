"""From the queues to the handlers, and what becomes of each message. The only place that acks.

Handlers never settle a message, and a cancelled handler settles nothing, so the message comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from adapters.rabbitmq.consumer import Delivery, Inbox, ack_batch
from events.addresses import SIGNATURE_HEADER
from events.commands import WAKE, Cause, Wake
from events.contract import parse
from events.failures import Malformed, TryLater
from events.psa import PSA_EVENT, ItemChanged
from events.reasons import Reason
from worker.core.retry import Ack, Hold, Park, Settlement, settle
from worker.intake.items import Wakes, take_items
from worker.intake.notifications import take_notification
from worker.intake.wishes import take_wish
from worker.said import Said

if TYPE_CHECKING:
    from adapters.process.logs import Logger
    from worker.executor import Executor
    from worker.ports import Chance, Clock, Commands, Observations, Wishes
    from worker.publishing import DeadLetterBox

T = TypeVar("T")

BATCH: Final = 250
"""How many events are taken from the queue together, if so many are there."""
PREFETCH: Final = 1000
_SUSPICIOUS: Final = 2
"""A message that came back so often is handled alone, so that one that makes workers die takes nobody along."""
_HOLD_WAKES: Final = 5.0
"""Seconds for which wake-ups wait while the queue is behind: what follows may supersede what was read."""


@dataclass(frozen=True, slots=True)
class Shop:
    """What all consumers work with."""

    clock: Clock
    chance: Chance
    commands: Commands
    dead_letters: DeadLetterBox
    log: Logger
    stopping: asyncio.Event

    async def next_batch(self, inbox: Inbox, limit: int) -> list[Delivery]:
        """Wait for messages. Empty if the process is about to end."""
        batch = asyncio.ensure_future(inbox.batch(limit))  # noqa: TID251 - awaited or cancelled right here
        stop = asyncio.ensure_future(self.stopping.wait())  # noqa: TID251
        try:
            await asyncio.wait({batch, stop}, return_when=asyncio.FIRST_COMPLETED)
            return batch.result() if batch.done() else []
        finally:
            batch.cancel()
            stop.cancel()

    async def insist(self, action: Callable[[], Awaitable[T]]) -> T | Park:
        """Do something until it succeeds, for as long as store or broker are away. Anything else ends as `Park`."""
        attempts = 0
        while True:
            try:
                result = await action()
            except Exception as error:  # noqa: BLE001 - `settle` says what becomes of each kind
                decision = settle(error, attempts, self.chance())
                await self._say(error, decision, attempts)
                match decision:
                    case Park():
                        return decision
                    case Ack():
                        return Park(Reason.BUG, "nothing was done")  # unreachable for handlers that return something
                    case Hold(delay=delay):
                        await self.clock.sleep(delay.total_seconds())
                attempts += 1
            else:
                if attempts:
                    self.log.info(Said.BACK, attempts=attempts)
                return result

    async def _say(self, error: Exception, decision: Settlement, attempts: int) -> None:
        if isinstance(error, TryLater):
            if attempts == 0 or isinstance(decision, Park):
                self.log.warning(Said.AWAY, system=error.system, reason=error.reason, detail=error.detail)
        elif not isinstance(error, Malformed):
            self.log.error(Said.FAILED, error=type(error).__name__, attempts=attempts + 1, exc_info=error)

    async def set_aside(self, delivery: Delivery, park: Park, attempts: int = 1) -> None:
        """Dead-letter a message and ack it."""
        await self.insist(lambda: self.dead_letters.park_message(delivery, park, attempts))
        self.log.warning(
            Said.PARKED, queue=delivery.queue, message_id=delivery.message_id, reason=park.reason, detail=park.detail
        )
        await delivery.ack()


@dataclass(slots=True)
class ItemsConsumer:
    """Takes item-changed events."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    observations: Observations
    _wakes: Wakes = field(default_factory=Wakes)
    _held_since: float | None = None

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, BATCH):
            groups = [[one] for one in batch] if any(map(_suspicious, batch)) else [batch]
            for group in groups:
                await self._take(group, behind=len(batch) == BATCH)
        await self._flush()

    async def _take(self, batch: list[Delivery], *, behind: bool) -> None:
        began = self.shop.clock.monotonic()
        events = [event for delivery in batch if (event := await self._read(delivery)) is not None]
        taken = await self.shop.insist(
            lambda: take_items(events, self.wishes, self.observations, self.shop.clock.now())
        )
        if isinstance(taken, Park):
            await self._one_by_one(batch, taken)
            return
        self._wakes |= taken.wakes
        # What was seen is stored and its integration marked due; the wake-up only makes it quick.
        if not self._may_hold(behind=behind):
            await self._flush()
        await ack_batch(batch)
        self.shop.log.info(
            Said.ITEMS_TAKEN,
            received=len(batch),
            nobody=taken.nobody,
            old=taken.old,
            woken=len(taken.wakes),
            seconds=round(self.shop.clock.monotonic() - began, 4),
        )

    def _may_hold(self, *, behind: bool) -> bool:
        now = self.shop.clock.monotonic()
        if not behind:
            return False
        self._held_since = self._held_since or now
        return now - self._held_since < _HOLD_WAKES

    async def _flush(self) -> None:
        wakes = [
            Wake(integration_id=integration_id, cause=Cause.PSA_EVENT, correlation_id=event_id)
            for integration_id, event_id in self._wakes.items()
        ]
        self._held_since = None
        if wakes:
            await self.shop.insist(lambda: self.shop.commands.wake(wakes))
            self._wakes.clear()

    async def _read(self, delivery: Delivery) -> ItemChanged | None:
        try:
            event = parse(PSA_EVENT, delivery.body)
        except Malformed as error:
            await self.shop.set_aside(delivery, Park(error.reason, error.detail))
            return None
        if isinstance(event, ItemChanged):
            return event
        await self.shop.set_aside(delivery, Park(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue"))
        return None

    async def _one_by_one(self, batch: Sequence[Delivery], park: Park) -> None:
        if len(batch) == 1:
            await self.shop.set_aside(batch[0], park)
            return
        for delivery in batch:
            await self._take([delivery], behind=False)


def _suspicious(delivery: Delivery) -> bool:
    count = delivery.headers.get("x-delivery-count", 0)
    return isinstance(count, int) and count >= _SUSPICIOUS


@dataclass(frozen=True, slots=True)
class WishesConsumer:
    """Takes integration events."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, 1):
            await self._take(batch[0])

    async def _take(self, delivery: Delivery) -> None:
        result = await self.shop.insist(lambda: self._handle(delivery.body))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        self.shop.log.info(Said.WISH_TAKEN, type=result[0], integration_id=result[1], new=result[2])
        await delivery.ack()

    async def _handle(self, body: bytes) -> tuple[str, str, bool]:
        event = parse(PSA_EVENT, body)
        if isinstance(event, ItemChanged):
            raise Malformed(Reason.UNKNOWN_TYPE, f"{event.type} does not belong in this queue")
        new = await take_wish(event, self.wishes, self.shop.clock.now())
        integration_id = event.data.integration_id
        # Also what is known already is woken for: the first delivery may have ended in between.
        wake = Wake(integration_id=integration_id, cause=Cause.SETTINGS, correlation_id=event.id)
        await self.shop.commands.wake([wake])
        return event.type, integration_id, new


@dataclass(frozen=True, slots=True)
class NotificationsConsumer:
    """Takes Cronofy's notifications."""

    shop: Shop
    inbox: Inbox
    wishes: Wishes
    secrets: tuple[str, ...]

    async def run(self) -> None:
        """Run until the process is about to end."""
        while batch := await self.shop.next_batch(self.inbox, BATCH):
            for delivery in batch:
                await self._take(delivery)

    async def _take(self, delivery: Delivery) -> None:
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        self.shop.log.info(Said.NOTIFICATION_TAKEN, integration_id=result or None)
        await delivery.ack()

    async def _handle(self, delivery: Delivery) -> str:
        header = delivery.headers.get(SIGNATURE_HEADER)
        signature = header if isinstance(header, str) else None
        woken = await take_notification(delivery.body, signature, self.secrets, self.wishes, self.shop.clock.now())
        if woken is None:
            return ""
        wake = Wake(integration_id=woken, cause=Cause.NOTIFICATION, correlation_id=delivery.message_id)
        await self.shop.commands.wake([wake])
        return woken


@dataclass(frozen=True, slots=True)
class CommandsConsumer:
    """Executes wake-ups, many integrations at a time."""

    shop: Shop
    inbox: Inbox
    executor: Executor
    at_once: int

    async def run(self) -> None:
        """Run until the process is about to end; then what is under way comes to an end first."""
        async with asyncio.TaskGroup() as tasks:
            while batch := await self.shop.next_batch(self.inbox, self.at_once):
                for delivery in batch:
                    tasks.create_task(self._take(delivery))

    async def _take(self, delivery: Delivery) -> None:
        began = self.shop.clock.monotonic()
        result = await self.shop.insist(lambda: self._handle(delivery))
        if isinstance(result, Park):
            await self.shop.set_aside(delivery, result)
            return
        wake, outcome = result
        self.shop.log.info(
            Said.WOKEN,
            integration_id=wake.integration_id,
            cause=wake.cause,
            correlation_id=wake.correlation_id,
            outcome=outcome,
            seconds=round(self.shop.clock.monotonic() - began, 4),
        )
        await delivery.ack()

    async def _handle(self, delivery: Delivery) -> tuple[Wake, str]:
        wake = parse(WAKE, delivery.body)
        return wake, await self.executor.execute(wake, delivery.message_id)
