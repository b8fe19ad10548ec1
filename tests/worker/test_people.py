"""Events about people: who left may come back, and an event may come twice."""

from __future__ import annotations

import pytest

from events.integration import Assignee, ConnectWish
from events.psa import EraseUser, TenantData, TenantLeft, UserData, UserLeft
from tests.memory.steps import MemoryClock, Stepper
from tests.memory.store import MemoryIntegrations, MemoryOrders
from worker.intake.persons import PersonEvent, take_person

WHOSE = UserData(tenant_id=1, user_id=7)
EVENTS: dict[str, PersonEvent] = {
    "left": UserLeft(specversion="1.0", id="1", source="psa", type="psa.user.left.v1", data=WHOSE),
    "erased": EraseUser(specversion="1.0", id="1", source="psa", type="psa.user.erase.v1", data=WHOSE),
    "tenant": TenantLeft(
        specversion="1.0", id="1", source="psa", type="psa.tenant.left.v1", data=TenantData(tenant_id=1)
    ),
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
async def test_an_event_that_comes_twice_does_not_meet_who_has_come_back_since(event: PersonEvent) -> None:
    step = Stepper(by_hand=False)
    clock = MemoryClock(step)
    wishes, orders = MemoryIntegrations(step, clock), MemoryOrders(step)
    for name in ("before", "after"):
        await wishes.want_connect(Assignee(name, 1, 7), ConnectWish(1, "code", "https://psa", None), clock.now())
        await take_person(event, wishes, orders, clock.now())
    wanted = {name: row.integration.wanted.deletion is not None for name, row in wishes.rows.items()}
    assert wanted == {"before": True, "after": False}
    later = event.model_copy(update={"id": "2"})
    assert await take_person(later, wishes, orders, clock.now()) == 1, "who leaves again, leaves again"
