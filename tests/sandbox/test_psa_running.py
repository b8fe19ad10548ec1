"""The sandbox as a running thing: its control API's table, its end, and its pace."""

from __future__ import annotations

import asyncio

import pytest

from adapters.http.serve import serve
from events.items import ItemType
from sandbox.clock import Clock
from sandbox.psa.app import psa_sandbox
from sandbox.psa.client import psa_control
from sandbox.psa.client.calls import ControlRefused
from sandbox.psa.control.table import ENDPOINTS
from sandbox.psa.model.commands import CreateItem, EditItem
from sandbox.psa.world import Credentials
from tests.sandbox.psa_running import USER, Broker, running

CREDENTIALS = Credentials("calsync", "correct")


async def test_the_control_api_lists_itself() -> None:
    async with running() as world:
        listed = await world.psa.endpoints()
    assert [(each.method, each.path) for each in listed] == [(each.method, each.path) for each in ENDPOINTS]
    assert len({(each.method, each.path) for each in listed}) == len(listed)
    assert all(each.meaning for each in listed)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/tenants/x/items", {}, 400),
        ("POST", "/tenants/1204/items", {"item_type": "meeting", "user_ids": [1]}, 400),
        ("POST", "/tenants/1204/items", {"item_type": "todo", "user_ids": []}, 400),
        ("GET", "/tenants/1204/items", None, 400),
        ("GET", "/tenants/1204/items?user_id=me", None, 400),
        ("GET", "/tenants/1204/items/meeting/1", None, 400),
        ("GET", "/tenants/1204/items/todo/1", None, 404),
        ("DELETE", "/tenants/1204/items/todo/1?by=me", None, 400),
        ("POST", "/tenants/1204/items/todo/1/forget", None, 404),
        ("POST", "/tenants/1204/bulk", {"do": "create"}, 400),
        ("POST", "/tenants/1204/integrations/int-1/connect", {"user_id": 1}, 400),
        ("POST", "/tenants/1204/integrations/int-1/configure", {"user_id": 1, "calendar_id": "c"}, 400),
        ("PUT", "/tenants/1204/users/1", {"name": 5}, 400),
        ("GET", "/pending?wait=soon", None, 400),
        ("GET", "/requests?after=first", None, 400),
        ("GET", "/outcomes?after=first", None, 400),
        ("DELETE", "/faults/first", None, 400),
        ("PATCH", "/settings", {"seed": "x"}, 400),
        ("PATCH", "/settings", [], 400),
    ],
)
async def test_what_the_control_api_does_not_understand_it_refuses(
    method: str, path: str, body: object, status: int
) -> None:
    async with running() as world:
        answer = await world.api.http.request(method, f"/_control{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["message"]


async def test_a_connect_code_is_not_repeated_in_a_refusal() -> None:
    async with running() as world:
        with pytest.raises(ControlRefused) as refused:
            await world.psa.connect("not an id!", USER, "very-secret-code")
    assert "very-secret-code" not in str(refused.value)


async def test_who_stops_the_sandbox_is_not_kept_waiting_by_a_silent_broker() -> None:
    begun = asyncio.Event()

    async def silent(routing_key: str, body: bytes) -> None:
        assert routing_key
        assert body
        begun.set()
        await asyncio.Event().wait()

    async with psa_sandbox(Clock(), silent, CREDENTIALS) as sandbox, serve(sandbox.app) as url, psa_control(url) as psa:
        await psa.create_item("todo", [USER])
        await begun.wait()


async def test_what_goes_wrong_in_the_block_comes_out_of_it_as_it_is() -> None:
    with pytest.raises(LookupError, match="in the block"):
        async with psa_sandbox(Clock(), Broker(), CREDENTIALS):
            raise LookupError("in the block")


async def test_a_bug_in_publishing_ends_the_sandbox_and_is_not_retried() -> None:
    async def broken(routing_key: str, body: bytes) -> None:
        raise LookupError(routing_key + body.decode())

    async def run() -> None:
        async with psa_sandbox(Clock(), broken, CREDENTIALS) as sandbox, serve(sandbox.app) as url:
            async with psa_control(url) as psa:
                await psa.create_item("todo", [USER])
            await asyncio.Event().wait()

    with pytest.RaisesGroup(LookupError):
        await run()


async def test_cancelling_is_not_swallowed() -> None:
    started = asyncio.Event()

    async def run() -> None:
        async with psa_sandbox(Clock(), Broker(), CREDENTIALS):
            started.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await started.wait()
        task.cancel()
    assert task.cancelled()


async def test_a_second_run_may_number_its_items_from_above_the_first() -> None:
    async with (
        psa_sandbox(Clock(), Broker(), CREDENTIALS, tenants=[7], first_id=5) as sandbox,
        serve(sandbox.app) as url,
        psa_control(url, tenant_id=7) as psa,
    ):
        assert (await psa.create_item("todo", [USER])).item_id == "5"


async def test_5000_edits_in_one_call_are_all_published() -> None:
    async with running() as world:
        create = [CreateItem(item_type=ItemType.APPOINTMENT, user_ids=(USER,)) for _ in range(100)]
        created = (await world.psa.bulk(create)).item_ids
        edits = [
            EditItem(item_type=ItemType.APPOINTMENT, item_id=created[number % 100], fields={"subject": str(number)})
            for number in range(5000)
        ]
        done = await world.psa.bulk(edits)
        pending = await world.psa.wait_until_quiet(within=30)
    assert (len(done.item_ids), done.refused, pending.published) == (5000, (), 5100)
