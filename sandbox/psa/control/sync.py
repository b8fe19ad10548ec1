"""The control API about calendar sync: the Calendar Sync page's buttons, what was told, and what was called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from pydantic_core import to_json

from events.psa import TenantOptions
from sandbox.psa.api.traffic import Received, WhichRequests
from sandbox.psa.control.endpoint import Ask, Endpoint, tenant_of
from sandbox.psa.control.views import IntegrationView, Number, Pending, PendingEvent
from sandbox.psa.model.integrations import WISH, Integration
from sandbox.psa.model.outcomes import Told, WhichOutcomes
from sandbox.psa.world import World

T = TypeVar("T")
_OLDEST: Final = 100
"""So many of the pending events are named."""


def _wishing(do: str) -> Callable[[World, Ask], IntegrationView]:
    def run(world: World, ask: Ask) -> IntegrationView:
        wish = WISH.validate_json(to_json({**ask.document(), "do": do}))
        return _view(world.wish(tenant_of(world, ask), ask.path["integration_id"], wish))

    return run


def _integrations(world: World, ask: Ask) -> list[IntegrationView]:
    return [_view(each) for each in world.integrations.listed(tenant_of(world, ask))]


def _configure_tenant(world: World, ask: Ask) -> Number:
    options = TenantOptions.model_validate_json(ask.body or b"{}")
    return Number(number=world.configure_tenant(tenant_of(world, ask), options))


def _people(what: str) -> Callable[[World, Ask], Number]:
    def run(world: World, ask: Ask) -> Number:
        whose = {"tenant_id": tenant_of(world, ask)}
        if "user_id" in ask.path:
            whose["user_id"] = ask.number_in_path("user_id")
        return Number(number=world.tell_of_people(what, {**whose, **ask.document()}))

    return run


def _view(integration: Integration) -> IntegrationView:
    return IntegrationView(
        tenant_id=integration.tenant_id,
        integration_id=integration.integration_id,
        user_id=integration.user_id,
        revision=integration.revision,
    )


async def _outcomes(world: World, ask: Ask) -> list[Told]:
    which = WhichOutcomes.model_validate_strings(dict(ask.query))
    return await _awaited(world, ask, partial(world.outcomes.listed, which), lambda: world.outcomes.newest)


async def _requests(world: World, ask: Ask) -> list[Received]:
    which = WhichRequests.model_validate_strings(dict(ask.query))
    return await _awaited(world, ask, partial(world.traffic.listed, which), lambda: world.traffic.newest)


async def _awaited(world: World, ask: Ask, listed: Callable[[int], list[T]], newest: Callable[[], int]) -> list[T]:
    """Return what there is after a number; if nothing, wait for the first, looking at each once."""
    after = ask.number("after") or 0
    try:
        async with asyncio.timeout(ask.seconds("wait")):
            while not (found := listed(after)):
                after = max(after, newest())
                await world.bell.heard(None)
    except TimeoutError:
        return []
    return found


async def _pending(world: World, ask: Ask) -> Pending:
    quiet = await world.quiet(ask.seconds("still_for"), ask.seconds("wait"))
    oldest = (
        PendingEvent(number=each.number, type=each.message.routing_key, subject=each.message.subject)
        for each in world.outbox.pending(_OLDEST)
    )
    return Pending(
        quiet=quiet,
        waiting=world.outbox.waiting,
        published=world.outbox.published,
        lost=world.outbox.lost,
        calls_under_way=world.traffic.under_way,
        oldest=tuple(oldest),
    )


_INTEGRATIONS: Final = "/_control/tenants/{tenant}/integrations"
_PERSON: Final = "/_control/tenants/{tenant}/users/{user_id}"
_INTEGRATION: Final = _INTEGRATIONS + "/{integration_id}"
SYNC_ENDPOINTS: Final = (
    Endpoint("GET", _INTEGRATIONS, "The tenant's integrations, each with its newest revision.", _integrations),
    Endpoint(
        "POST",
        _INTEGRATION + "/authorize",
        "Click to Connect was pressed: {user_id, state, redirect_uri?, provider?}.",
        _wishing("authorize"),
    ),
    Endpoint(
        "POST",
        _INTEGRATION + "/connect",
        "The user granted access: {user_id, code, redirect_uri?, time_zone?}.",
        _wishing("connect"),
    ),
    Endpoint(
        "POST",
        _INTEGRATION + "/configure",
        "The wizard was finished: {calendar_id, inbound, outbound, remove_former?, remove_unticked?, retrieve?, send?}",
        _wishing("configure"),
    ),
    Endpoint(
        "POST",
        _INTEGRATION + "/preview",
        "What would finishing the wizard do: {the same as of configure}.",
        _wishing("preview"),
    ),
    Endpoint("POST", _INTEGRATION + "/activate", "Active was switched on.", _wishing("activate")),
    Endpoint("POST", _INTEGRATION + "/deactivate", "Active was switched off.", _wishing("deactivate")),
    Endpoint("POST", _INTEGRATION + "/sync_now", "A run was asked for: {direction?, range?}.", _wishing("sync_now")),
    Endpoint("POST", _INTEGRATION + "/cancel_run", "A run was ended: {run_id}.", _wishing("cancel_run")),
    Endpoint("POST", _INTEGRATION + "/undo_run", "A run was to be taken back: {run_id}.", _wishing("undo_run")),
    Endpoint("POST", _INTEGRATION + "/list_calendars", "The calendars were asked for.", _wishing("list_calendars")),
    Endpoint(
        "POST",
        _INTEGRATION + "/resolve_account",
        "It was answered whether another account takes the place of the former: {adopt}.",
        _wishing("resolve_account"),
    ),
    Endpoint("POST", _INTEGRATION + "/read_log", "The log was opened.", _wishing("read_log")),
    Endpoint("POST", _INTEGRATION + "/count_copies", "The copies were to be counted.", _wishing("count_copies")),
    Endpoint(
        "POST",
        _INTEGRATION + "/release_deletions",
        "Deletions that are held back are meant: {direction?}.",
        _wishing("release_deletions"),
    ),
    Endpoint(
        "POST",
        _INTEGRATION + "/discard_deletions",
        "What was deleted is wanted back: {direction?}.",
        _wishing("discard_deletions"),
    ),
    Endpoint("POST", _INTEGRATION + "/unfreeze", "Frozen texts are to flow again.", _wishing("unfreeze")),
    Endpoint("POST", _INTEGRATION + "/restore", "A lost value is wanted: {conflict_id, field?}.", _wishing("restore")),
    Endpoint("POST", _INTEGRATION + "/delete", "It was deleted: {remove_events?}.", _wishing("delete")),
    Endpoint(
        "POST",
        "/_control/tenants/{tenant}/sync_settings",
        "The administrator saved the tenant's settings: {ownership?, private_inbound?, private_outbound?, …}.",
        _configure_tenant,
    ),
    Endpoint("POST", "/_control/tenants/{tenant}/left", "The tenant left.", _people("tenant.left")),
    Endpoint("POST", _PERSON + "/left", "The user left.", _people("user.left")),
    Endpoint("POST", _PERSON + "/export", "The user wants to know what is kept: {request_id}.", _people("user.export")),
    Endpoint("POST", _PERSON + "/erase", "The user wants everything erased.", _people("user.erase")),
    Endpoint(
        "GET",
        "/_control/outcomes",
        "What calendar sync told: ?type= &integration_id= &item_id= &after= &wait= (seconds for the first one).",
        _outcomes,
    ),
    Endpoint(
        "GET",
        "/_control/requests",
        "What the calendar API was asked: ?after= &method= &path= (a pattern with *) &wait=",
        _requests,
    ),
    Endpoint(
        "GET",
        "/_control/pending",
        "Events not published yet. ?wait= waits until all is quiet, ?still_for= and has been for so long.",
        _pending,
    ),
)
