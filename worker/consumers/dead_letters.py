"""The keeper: takes dead letters from the broker into the store, and finds out what becomes of replayed ones."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adapters.rabbitmq.consumer import Delivery, Inbox, ack_batch
from events.letters import Occurrence
from worker.consumers.shop import GivenBack
from worker.core.retry import Park
from worker.dead_letters.reading import Dead, occurrence
from worker.dead_letters.settling import settle_links
from worker.parts import Part
from worker.said import Said

if TYPE_CHECKING:
    from worker.consumers.shop import Shop
    from worker.ports import Letters, Links, Owners

BATCH: Final = 100
_SETTLE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Keeper:
    """See the module. A message is acked when it is kept; while the store is away it stays with the broker."""

    shop: Shop
    inbox: Inbox
    letters: Letters
    links: Links
    owners: Owners

    async def run(self) -> None:
        """Run until the process is about to end. Whatever is wrong with links, taking dead letters goes on."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_all())
            tasks.create_task(self._settle_all())

    async def _take_all(self) -> None:
        while batch := await self.shop.next_batch(self.inbox, BATCH):
            with self.shop.handling(self.inbox.queue):
                await self._take(batch)

    async def _take(self, batch: Sequence[Delivery]) -> None:
        now = self.shop.clock.now()
        occurrences = [occurrence(_dead(delivery), now) for delivery in batch]
        new = await self.shop.insist(lambda: self._keep(occurrences))
        if isinstance(new, Park):
            await self._one_by_one(batch, occurrences)
            return
        await ack_batch(batch)
        self.shop.processed(self.inbox.queue, "done", len(batch))
        self.shop.log.info(Said.KEPT, received=len(batch), new=new)

    async def _keep(self, occurrences: Sequence[Occurrence]) -> int:
        unknown = {one.letter.subject.integration_id for one in occurrences if one.letter.subject.tenant_id is None}
        tenants = await self.owners.tenants_of(sorted(unknown - {""}))
        whole = [_with_tenant(one, tenants.get(one.letter.subject.integration_id)) for one in occurrences]
        return await self.letters.keep(whole, self.shop.clock.now())

    async def _one_by_one(self, batch: Sequence[Delivery], occurrences: Sequence[Occurrence]) -> None:
        """Keep what can be kept. What cannot, stays with the broker: it is delivered again to the next process."""
        for delivery, one in zip(batch, occurrences, strict=True):
            bare = replace(one.letter, original=replace(one.letter.original, headers={}, properties={}))
            if await self._kept(one) or await self._kept(replace(one, letter=bare)):
                self.shop.processed(self.inbox.queue, "done")
                await delivery.ack()

    async def _kept(self, one: Occurrence) -> bool:
        return not isinstance(await self.shop.insist(lambda: self._keep([one])), Park)

    async def _settle_all(self) -> None:
        """See now and then what has become of items."""
        while not self.shop.stopping.is_set():
            with self.shop.pulse.handling(Part.DEAD_LETTERS), contextlib.suppress(GivenBack):
                settled = await self.shop.insist(self._settle)
                if isinstance(settled, int) and settled:
                    self.shop.log.info(Said.RESOLVED, letters=settled)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SETTLE_SECONDS):
                    await self.shop.stopping.wait()

    async def _settle(self) -> int:
        return await settle_links(self.letters, self.links, self.shop.clock.now())


def _dead(delivery: Delivery) -> Dead:
    return Dead(delivery.body, delivery.headers, delivery.message_id, delivery.properties)


def _with_tenant(one: Occurrence, tenant_id: int | None) -> Occurrence:
    if tenant_id is None or one.letter.subject.tenant_id is not None:
        return one
    return replace(one, letter=replace(one.letter, subject=replace(one.letter.subject, tenant_id=tenant_id)))
