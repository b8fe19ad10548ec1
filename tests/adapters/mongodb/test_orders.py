"""Orders: stored once, carried out in order, closed by whoever holds the lease."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.mongodb.driver import Database
from adapters.mongodb.orders import COLLECTION
from adapters.mongodb.orders import Orders as RealOrders
from events.failures import Malformed
from events.integration import Assignee, Released
from events.orders import OPERATOR, Order, OrderKind, operators_order_id, order_id
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOTHING, NOW, after, lease, linked, taken
from tests.adapters.mongodb.subjects import IntegrationStore
from worker.intake.orders import place_order
from worker.ports import Orders


def order(revision: int, whose: Assignee = ANN, **details: Any) -> Order:
    own = order_id(whose.integration_id, revision)
    return Order(own, whose.integration_id, revision, OrderKind.AUTHORIZE, NOW, details)


async def test_an_order_is_open_until_it_is_closed_and_stays_closed_when_it_comes_again(orders: Orders) -> None:
    assert await orders.place(order(1, state="a"))
    assert not await orders.place(order(1, state="b"))
    assert await orders.open(ANN.integration_id) == [order(1, state="a")]
    assert await orders.close(lease(1), order(1))
    assert not await orders.place(order(1, state="c"))
    assert await orders.open(ANN.integration_id) == []


async def test_orders_are_carried_out_in_the_order_of_their_revisions_however_they_came(orders: Orders) -> None:
    for revision in (10, 2, 9):
        await orders.place(order(revision))
    assert [one.revision for one in await orders.open(ANN.integration_id)] == [2, 9, 10]


async def test_orders_of_others_are_not_seen(orders: Orders) -> None:
    await orders.place(order(1, BOB))
    assert await orders.open(ANN.integration_id) == []


async def test_an_operators_order_does_not_get_in_the_way_of_the_platforms(orders: Orders) -> None:
    own = Order(operators_order_id(ANN.integration_id, "x"), ANN.integration_id, OPERATOR, OrderKind.AUTHORIZE, NOW)
    await orders.place(own)
    await orders.place(order(0))
    assert await orders.open(ANN.integration_id) == [own, order(0)]


async def test_whoever_lost_the_lease_does_not_close_what_a_later_holder_closed(orders: Orders) -> None:
    await orders.place(order(1))
    assert await orders.close(lease(2), order(1))
    assert not await orders.close(lease(1), order(1))


async def test_an_order_that_was_never_placed_cannot_be_closed(orders: Orders) -> None:
    assert not await orders.close(lease(1), order(1))


async def test_placing_an_order_makes_its_integration_due_and_known(
    integrations: IntegrationStore, orders: Orders
) -> None:
    assert await place_order(order(1), ANN, integrations, orders, after(1))
    assert not await place_order(order(1), ANN, integrations, orders, after(2))
    known = await integrations.get(ANN.integration_id)
    assert known is not None
    assert (known.epoch, known.due_at) == (0, after(1))


async def test_an_order_that_comes_while_somebody_works_makes_them_run_again(
    integrations: IntegrationStore, orders: Orders, ann: str
) -> None:
    held = await taken(integrations)
    await place_order(order(1), ANN, integrations, orders, NOW)
    assert not isinstance(await integrations.release(held.lease, NOTHING, None, HOUR), Released)
    known = await integrations.get(ann)
    assert known is not None
    assert known.epoch == held.lease.epoch, "an order is no change of what is wanted"


async def test_an_order_for_somebody_elses_integration_is_refused(
    integrations: IntegrationStore, orders: Orders
) -> None:
    await linked(integrations)
    with pytest.raises(Malformed):
        await place_order(order(1), Assignee(ANN.integration_id, 1, 99), integrations, orders, NOW)
    assert await orders.open(ANN.integration_id) == []


async def test_what_a_closed_order_was_about_is_not_kept(opened: Database) -> None:
    orders = RealOrders(opened)
    await orders.place(order(1, state="secret"))
    await orders.close(lease(1), order(1))
    (kept,) = await opened[COLLECTION].find({}).to_list(None)
    assert kept["details"] == {}
    assert kept["closed_at"]


async def test_kinds_that_only_a_newer_worker_knows_are_left_to_it(opened: Database) -> None:
    orders = RealOrders(opened)
    await orders.place(order(1))
    await opened[COLLECTION].update_one({"_id": order(1).id}, {"$set": {"kind": "of tomorrow"}})
    assert await orders.open(ANN.integration_id) == []
