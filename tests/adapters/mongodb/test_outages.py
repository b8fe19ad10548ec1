"""The database goes away and comes back. Nobody waits for ever, and nothing that was confirmed is lost."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from adapters.mongodb.driver import Driver
from events.failures import System, TryLater
from events.integration import Busy, Taken
from stack.services import Database as Server
from tests.adapters.mongodb.examples import ANN, HOUR, NOW, linked, observed, seen, settings, stored, taken
from tests.adapters.mongodb.examples import link as a_link
from tests.adapters.mongodb.subjects import Store, real_store
from tests.adapters.mongodb.test_journal import line
from worker.holding import LEASE


async def refusals(store: Store) -> list[BaseException | object]:
    """Ask for everything at once."""
    return await asyncio.gather(
        store.integrations.want_settings(ANN, settings(5), NOW),
        store.integrations.take(ANN.integration_id, "another", HOUR),
        store.integrations.get(ANN.integration_id),
        store.integrations.claim_due(NOW, NOW, 10),
        store.links.observe([observed(a_link(), seen(2))], NOW),
        store.links.by_ids([a_link().id]),
        store.journal.write([line("2")]),
        return_exceptions=True,
    )


def is_away(answer: object) -> bool:
    return isinstance(answer, TryLater) and answer.system is System.STORE


@pytest.mark.parametrize("driver", Driver)
async def test_while_it_is_gone_all_is_tried_later_and_then_goes_on_where_it_was(
    driver: Driver, own_database: Server
) -> None:
    async with real_store(driver, own_database.url, "calsync") as store:
        await linked(store.integrations)
        took = await taken(store.integrations, "message")
        fresh = a_link(psa_seen=seen(1), due_at=NOW)
        await store.links.observe([observed(fresh, seen(1), fresh=fresh)], NOW)
        await store.journal.write([line("1")])

        await asyncio.to_thread(own_database.kill)
        async with asyncio.timeout(20):
            answers = await refusals(store)
        assert [answer for answer in answers if not is_away(answer)] == []

        await asyncio.to_thread(own_database.start)
        assert await store.integrations.current(took.lease)
        assert await store.integrations.take(ANN.integration_id, "another", HOUR) == Busy()
        assert await stored(store.links, fresh) == fresh
        assert [entry.id for entry in await store.lines()] == ["1"]
        assert isinstance(await store.integrations.take(ANN.integration_id, "message", HOUR), Taken)


async def test_a_server_that_stands_still_is_given_up_long_before_a_lease_runs_out(own_database: Server) -> None:
    async with contextlib.AsyncExitStack() as held:
        stores = [await held.enter_async_context(real_store(each, own_database.url, each)) for each in Driver]
        for store in stores:
            await linked(store.integrations)
        began = time.monotonic()
        await asyncio.to_thread(own_database.freeze)
        answers = await asyncio.gather(*map(refusals, stores))
        waited = time.monotonic() - began
        await asyncio.to_thread(own_database.thaw)
        assert [answer for those in answers for answer in those if not is_away(answer)] == []
        assert waited < LEASE.total_seconds() / 2
        for store in stores:
            assert await store.integrations.get(ANN.integration_id) is not None
