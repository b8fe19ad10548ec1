"""What people look up."""

from __future__ import annotations

from dataclasses import replace

from adapters.mongodb.driver import Database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from events.integration import Assignee
from events.link import LinkState
from tests.adapters.mongodb.examples import ANN, BOB, item, lease, link, linked
from tests.adapters.mongodb.subjects import VAULT

ABROAD = Assignee("int_abroad", tenant_id=2, user_id=ANN.user_id)


async def test_integrations_are_listed_page_by_page_of_a_tenant_of_a_user_or_all(opened: Database) -> None:
    integrations, overview = Integrations(opened, VAULT, lambda: 0.0), Overview(opened)
    for whose in (BOB, ABROAD, ANN):
        await linked(integrations, whose)

    async def ids(tenant_id: int | None, user_id: int | None, after: str = "", limit: int = 10) -> list[str]:
        return [found.id for found in await overview.page(tenant_id, user_id, after, limit)]

    assert await ids(None, None) == ["int_abroad", "int_ann", "int_bob"]
    assert await ids(None, None, limit=2) == ["int_abroad", "int_ann"]
    assert await ids(None, None, after="int_ann") == ["int_bob"]
    assert await ids(1, None) == ["int_ann", "int_bob"]
    assert await ids(None, 7) == ["int_abroad", "int_ann"]
    assert await ids(2, 8) == []


async def test_an_integrations_links_are_counted_by_state(opened: Database) -> None:
    links, overview = Links(opened), Overview(opened)
    states = [LinkState.SETTLED, LinkState.BLOCKED, LinkState.SETTLED]
    await links.add(lease(1), [replace(link(item(n)), state=state) for n, state in enumerate(states)])
    await links.add(lease(1), [link(item(1), BOB)])
    assert await overview.link_states(ANN.integration_id) == {"settled": 2, "blocked": 1}
    assert await overview.link_states("int_nobody") == {}


async def test_what_does_not_exist_is_not_found(opened: Database) -> None:
    assert await Overview(opened).get("int_nobody") is None
