"""The control API about tenants, users and items: what people and workflows do and see in the platform."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from events.items import ItemType
from events.link import ItemKey
from events.psa import ItemChange
from sandbox.psa.control.acting import act
from sandbox.psa.control.endpoint import Ask, Endpoint, tenant_of
from sandbox.psa.control.views import BulkDone, NotDone, Story, Touched, UserView
from sandbox.psa.model.commands import COMMAND, COMMANDS
from sandbox.psa.model.facts import facts
from sandbox.psa.model.ledger import User
from sandbox.psa.model.records import Record
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.world import World

_BREATH: Final = 100
"""So many commands of a bulk are carried out before others get a turn."""


def _acting(do: str) -> Callable[[World, Ask], Touched]:
    """Return the endpoint of one kind of command. Its body holds the command's own fields."""

    def run(world: World, ask: Ask) -> Touched:
        document = ask.document()
        given: dict[str, JsonValue] = {"fields": document} if do == "edit" else document
        who = {"by": ask.number("by")} | {name: ask.query[name] for name in ("part_id", "origin") if name in ask.query}
        command = COMMAND.validate_json(to_json({**given, **ask.path, **who, "do": do}))
        return Touched(items=_seen(act(world, tenant_of(world, ask), command)))

    return run


def _seen(records: Iterable[Record]) -> tuple[ItemChange, ...]:
    return tuple(facts(record) for record in records)


async def _bulk(world: World, ask: Ask) -> BulkDone:
    tenant_id, done, refused = tenant_of(world, ask), list[str](), list[NotDone]()
    for place, command in enumerate(COMMANDS.validate_json(ask.body)):
        try:
            done.append(act(world, tenant_id, command)[0].key.item_id)
        except Refusal as refusal:
            refused.append(NotDone(place=place, code=refusal.code, message=refusal.message))
        if place % _BREATH == 0:
            await asyncio.sleep(0)
    return BulkDone(item_ids=tuple(done), refused=tuple(refused))


def _items(world: World, ask: Ask) -> Touched:
    user_id = ask.number("user_id")
    if user_id is None:
        raise Refusal(Code.MALFORMED, "user_id: whose items?")
    return Touched(items=_seen(world.ledger.shown_to(tenant_of(world, ask), user_id)))


def _story(world: World, ask: Ask) -> Story:
    key = _key(world, ask)
    return Story(items=_seen(_all_of(world, key)), history=_seen(world.ledger.history(key)))


def _forget(world: World, ask: Ask) -> Touched:
    key = _key(world, ask)
    items = _seen(_all_of(world, key))
    world.ledger.forget(key)
    return Touched(items=items)


def _all_of(world: World, key: ItemKey) -> tuple[Record, ...]:
    if records := world.ledger.all_of(key):
        return records
    raise Refusal(Code.NOT_FOUND, f"There is no {key}.")


def _key(world: World, ask: Ask) -> ItemKey:
    try:
        item_type = ItemType(ask.path["item_type"])
    except ValueError:
        raise Refusal(Code.MALFORMED, f"item_type: one of {', '.join(ItemType)}") from None
    return ItemKey(tenant_of(world, ask), item_type, ask.path["item_id"], ask.query.get("part_id"))


def _tenant(world: World, ask: Ask) -> None:
    tenant_id = tenant_of(world, ask)
    active = ask.document().get("active") is not False
    world.ledger.set_tenant(tenant_id, active=active)
    if not active:
        world.tokens.revoke(tenant_id)


def _revoke_tokens(world: World, ask: Ask) -> None:
    world.tokens.revoke(tenant_of(world, ask))


def _user(world: World, ask: Ask) -> UserView:
    tenant_id = tenant_of(world, ask)
    known = world.ledger.user(tenant_id, ask.number_in_path("user_id"))
    view = UserView(user_id=known.user_id, name=known.name, time_zone=known.time_zone, active=known.active)
    wanted = UserView.model_validate_json(to_json(view.model_dump() | ask.document()))
    world.ledger.set_user(tenant_id, User(known.user_id, wanted.name, wanted.time_zone, wanted.active))
    return wanted


_TENANT: Final = "/_control/tenants/{tenant}"
_ITEM: Final = _TENANT + "/items/{item_type}/{item_id}"
ITEM_ENDPOINTS: Final = (
    Endpoint("PUT", _TENANT, "Sign the tenant on or off: {active}. Off ends its tokens.", _tenant),
    Endpoint("POST", _TENANT + "/revoke_tokens", "End all of the tenant's tokens.", _revoke_tokens),
    Endpoint("PUT", _TENANT + "/users/{user_id}", "Change a user: {name?, time_zone?, active?}.", _user),
    Endpoint(
        "POST",
        _TENANT + "/items",
        "Create: {item_type, user_ids, fields?, periods?, occurrences?, rule?}; fields not given are made up. "
        "This and all that follows also takes ?by= (a user's id) and ?origin= (user, api, workflow).",
        _acting("create"),
    ),
    Endpoint("GET", _TENANT + "/items", "Everything assigned to a user: ?user_id=", _items),
    Endpoint("GET", _ITEM, "An item, its parts, and the history of it or of ?part_id=", _story),
    Endpoint("PATCH", _ITEM, "Edit: a JSON merge patch of the snapshot (of a period: ?part_id=).", _acting("edit")),
    Endpoint("DELETE", _ITEM, "Delete all of an item, or ?part_id= of it.", _acting("delete")),
    Endpoint("POST", _ITEM + "/move", "Move: {start, end?} or {by_minutes}.", _acting("move")),
    Endpoint("POST", _ITEM + "/reassign", "Assign to others: {user_ids}.", _acting("reassign")),
    Endpoint("POST", _ITEM + "/complete", "Tick as done: {complete?: true}.", _acting("complete")),
    Endpoint("POST", _ITEM + "/plan", "Plan a period of a task: {start, end, user_id?}.", _acting("plan")),
    Endpoint("POST", _ITEM + "/restore", "Bring back what was deleted last.", _acting("restore")),
    Endpoint("POST", _ITEM + "/forget", "Lose it without a trace, as some time after a deletion.", _forget),
    Endpoint("POST", _TENANT + "/bulk", "Carry out a list of commands, each with `do`, in order.", _bulk),
)
