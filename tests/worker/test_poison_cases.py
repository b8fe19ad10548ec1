"""A wake-up that fails again and again is set aside, and keeps nobody else from working on its integration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import structlog
from pydantic import JsonValue
from typing_extensions import override

from adapters.telemetry.pulse import Pulse
from events.commands import Cause, Wake
from events.items import ItemType
from events.orders import Order, OrderKind
from events.outcomes import OrderClosed
from events.reasons import Reason
from tests.memory.platform import stamp
from tests.memory.store import MemoryLeavers
from tests.simulation.world import INTEGRATION, NOON, USER, Message, Task, World
from worker.consumers.commands import CommandsConsumer
from worker.consumers.shop import Shop
from worker.core.retry import POISON_AFTER, Park
from worker.executor import Executor
from worker.holding import LEASE
from worker.outages import Outages

HOUR = timedelta(hours=1)


def fails_on(world: World, message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wake-up fail for a bug of ours, holding its lease."""

    async def broken(*_: object) -> None:
        raise RuntimeError

    world.queue.append(message)
    task = world.deliver(message)
    with monkeypatch.context() as patch:
        patch.setattr(Executor, "_slice", broken)
        with pytest.raises(RuntimeError):
            to_its_end(world, task)
    world.tasks.remove(task)


def to_its_end(world: World, task: Task) -> None:
    while task.alive:
        world.advance_task(task)


def take_in(world: World) -> None:
    """Let everything be handled that has come in."""
    while world.queue:
        to_its_end(world, world.deliver(world.queue[0]))


@pytest.mark.parametrize("meanwhile", [False, True], ids=["nothing has come in", "something has come in"])
def test_what_is_set_aside_keeps_no_lease_and_what_comes_in_is_done_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, *, meanwhile: bool
) -> None:
    wake = Message("wake", "poison", Wake(integration_id=INTEGRATION, cause=Cause.DUE))
    fails_on(world, wake, monkeypatch)
    if meanwhile:
        world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=stamp(NOON), end=stamp(NOON + HOUR))
        take_in(world)
    began = world.clock.now()
    to_its_end(world, world.start("abandon", world.integrations.abandon(INTEGRATION, wake.id)))
    assert not world.integrations.leased(INTEGRATION)
    due_at = world.integrations.rows[INTEGRATION].integration.due_at
    assert due_at == (began if meanwhile else began + LEASE), "it is not tried again faster than by a worker that died"
    if not meanwhile:
        world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=stamp(NOON), end=stamp(NOON + HOUR))
    world.settle()
    assert [event.summary for event in world.calendar.live()] == ["Review"]
    assert world.clock.now() - began < LEASE


def test_an_order_that_fails_again_and_again_is_refused_and_everything_else_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_self: MemoryLeavers, _id: str) -> AsyncIterator[list[Mapping[str, JsonValue]]]:
        yield []
        raise RuntimeError

    monkeypatch.setattr(MemoryLeavers, "told", broken)
    at = world.clock.now()
    for revision, kind in enumerate((OrderKind.EXPORT, OrderKind.COUNT_COPIES)):
        order = Order(f"{INTEGRATION}/{revision}", INTEGRATION, revision, kind, at, {"request_id": "export-1"})
        world.orders.orders[order.id] = order
    world.platform.make(ItemType.APPOINTMENT, USER, subject="Review", start=stamp(NOON), end=stamp(NOON + HOUR))
    failed = [tried_in_vain(world) for _ in range(4)]
    assert failed == [True, True, False, False], "it is tried again at first, for it may be a race"
    closed = [(one.data.order, one.data.reason) for one in world.outcomes if isinstance(one, OrderClosed)]
    assert closed == [("export", "bug"), ("count_copies", None)]
    assert [event.summary for event in world.calendar.live()] == ["Review"]


def tried_in_vain(world: World) -> bool:
    """Handle what has come in, after the former lease has run out. Whether that failed for a reason nobody foresaw."""
    world.clock.advance(LEASE.total_seconds() + 1)
    world.queue.append(Message("wake", f"wake-{world.clock.now()}", Wake(integration_id=INTEGRATION, cause=Cause.DUE)))
    try:
        take_in(world)
    except RuntimeError:
        world.tasks.clear()
        return True
    return False


async def test_a_wake_up_that_fails_too_often_is_set_aside_and_holds_nothing_any_more() -> None:
    world = World(Random(1))
    said: list[str] = []

    class Broken:
        async def execute(self, *_: object) -> str:
            said.append("executed")
            raise RuntimeError

    class Held:
        async def abandon(self, integration_id: str, owner: str) -> bool:
            said.append(f"{integration_id} abandoned by {owner}")
            return True

    class Box:
        async def park_message(self, delivery: object, park: Park) -> None:
            del delivery
            said.append(f"parked: {park.reason}")

    class Pauses(asyncio.Event):
        @override
        async def wait(self) -> Literal[True]:
            raise TimeoutError

    async def ack() -> None:
        said.append("acked")

    nobody: Any = None
    log = structlog.get_logger()
    box: Any = Box()
    shop = Shop(world.clock, lambda: 0.5, nobody, box, nobody, log, Pauses(), Outages(log), Pulse())
    body = Wake(integration_id=INTEGRATION, cause=Cause.DUE).model_dump_json().encode()
    delivery = SimpleNamespace(body=body, message_id="m", queue="calsync.commands.v1", headers={}, ack=ack)
    broken: Any = Broken()
    leases: Any = Held()
    await CommandsConsumer(shop, nobody, broken, nobody, leases, 1)._take(delivery)  # type: ignore[arg-type] # pyright: ignore[reportPrivateUsage]
    executed = ["executed"] * POISON_AFTER
    assert said == [*executed, f"parked: {Reason.POISON}", "acked", f"{INTEGRATION} abandoned by m"]
    world.close()
