"""What every request passes: the record, what goes wrong on demand, limits, tokens and scopes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from starlette.routing import compile_path

from sandbox.cronofy.api.batch import entries_in, run_batch
from sandbox.cronofy.api.call import Call, Reply, not_found, plain
from sandbox.cronofy.api.channels import create_channel, delete_channel, list_channels
from sandbox.cronofy.api.consent import authorize, grant_permissions, link_again, request_permissions
from sandbox.cronofy.api.faults import Facts, Fault, Forget, Garble, Hold, Instead, Reset, Thin, Truncate
from sandbox.cronofy.api.identity import (
    create_calendar,
    list_calendars,
    list_profiles,
    read_account,
    read_userinfo,
    revoke_profile,
)
from sandbox.cronofy.api.oauth import exchange_token, revoke_token
from sandbox.cronofy.api.reads import read_events, read_events_page, read_free_busy, read_free_busy_page
from sandbox.cronofy.api.scopes import allows
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.api.writes import answer_invitation, delete_all_events, delete_event, write_event
from sandbox.cronofy.model.state import Account

PublicAct = Callable[[Site, Call], Reply]
AccountAct = Callable[[Site, Account, Call], Reply]


@dataclass(frozen=True, slots=True)
class Public:
    """An endpoint that needs no token."""

    method: str
    template: str
    act: PublicAct


@dataclass(frozen=True, slots=True)
class Authorized:
    """An endpoint that acts for an account. Any one of `scopes` will do."""

    method: str
    template: str
    act: AccountAct
    scopes: frozenset[str] = frozenset()


Endpoint = Public | Authorized

_READ: Final = frozenset({"read_events"})
_READ_FREE_BUSY: Final = frozenset({"read_free_busy"})
_CREATE: Final = frozenset({"create_event"})
_DELETE: Final = frozenset({"delete_event"})
_LIST: Final = frozenset({"list_calendars", "read_events", "read_free_busy", "create_event"})

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Authorized("POST", "/v1/batch", run_batch),
    Authorized("GET", "/v1/events", read_events, _READ),
    Authorized("GET", "/v1/events/pages/{page_id}", read_events_page, _READ),
    Authorized("DELETE", "/v1/events", delete_all_events, _DELETE),
    Authorized("POST", "/v1/calendars/{calendar_id}/events", write_event, _CREATE),
    Authorized("DELETE", "/v1/calendars/{calendar_id}/events", delete_event, _DELETE),
    Authorized(
        "POST",
        "/v1/calendars/{calendar_id}/events/{event_uid}/participation_status",
        answer_invitation,
        frozenset({"change_participation_status"}),
    ),
    Authorized("GET", "/v1/free_busy", read_free_busy, _READ_FREE_BUSY),
    Authorized("GET", "/v1/free_busy/pages/{page_id}", read_free_busy_page, _READ_FREE_BUSY),
    Authorized("GET", "/v1/calendars", list_calendars, _LIST),
    Authorized("POST", "/v1/calendars", create_calendar, frozenset({"create_calendar"})),
    Authorized("GET", "/v1/userinfo", read_userinfo),
    Authorized("GET", "/v1/account", read_account, frozenset({"read_account"})),
    Authorized("GET", "/v1/profiles", list_profiles),
    Authorized("POST", "/v1/profiles/{profile_id}/revoke", revoke_profile),
    Authorized("GET", "/v1/channels", list_channels),
    Authorized("POST", "/v1/channels", create_channel),
    Authorized("DELETE", "/v1/channels/{channel_id}", delete_channel),
    Authorized("POST", "/v1/permissions", request_permissions),
    Public("POST", "/oauth/token", exchange_token),
    Public("POST", "/oauth/token/revoke", revoke_token),
    Public("GET", "/oauth/authorize", authorize),
    Public("GET", "/relink/{profile_id}", link_again),
    Public("GET", "/permissions/{request_id}", grant_permissions),
)

_PATTERNS: Final[tuple[tuple[re.Pattern[str], Endpoint], ...]] = tuple(
    (compile_path(endpoint.template)[0], endpoint) for endpoint in ENDPOINTS
)


@dataclass(frozen=True, slots=True)
class Served:
    """What a request led to. `fault`: what still has to go wrong on the way back."""

    reply: Reply
    fault: Fault | None = None


def serve_call(site: Site, call: Call) -> Served:
    """Carry out one request. What was due before has happened."""
    endpoint, call = _route(call)
    operation = "" if endpoint is None else endpoint.act.__name__
    received = site.received.note(operation, call, site.world.settings.requests_kept)
    grant = site.world.tokens.find(call.token or "", call.now)
    fault = site.faults.strike(Facts(operation, call, grant.sub if grant else None))
    reply = _despite(site, endpoint, call, fault)
    if fault is not None:
        received.fault = "delay" if fault.effect is None else fault.effect.kind
    if fault is None or not isinstance(fault.effect, Reset | Hold):
        received.answered(reply)
    return Served(reply, fault)


def _route(call: Call) -> tuple[Endpoint | None, Call]:
    for pattern, endpoint in _PATTERNS:
        match = pattern.match(call.path)
        if match is not None and endpoint.method == call.method:
            return endpoint, replace(call, ids=match.groupdict())
    return None, call


def _despite(site: Site, endpoint: Endpoint | None, call: Call, fault: Fault | None) -> Reply:
    """Carry a request out as far as the fault lets it."""
    match fault.effect if fault else None:
        case Instead() as instead:
            if instead.takes_effect:
                _perform(site, endpoint, call)
            return _instead(instead)
        case Reset(takes_effect=False) | Hold(takes_effect=False):
            return Reply(204)  # never sent
        case Forget():
            return _perform(site, endpoint, replace(call, never_applied=True))
        case Thin(keep=keep):
            return _perform(site, endpoint, replace(call, kept_events=keep))
        case Reset() | Hold() | Truncate() | Garble() | None:
            return _perform(site, endpoint, call)


def _instead(instead: Instead) -> Reply:
    if instead.text is not None:
        return Reply(instead.status, instead.text, instead.headers, media_type="text/html; charset=utf-8")
    return Reply(instead.status, instead.body, instead.headers)


def _perform(site: Site, endpoint: Endpoint | None, call: Call) -> Reply:
    if not call.readable:
        return plain(400, "The body could not be read")
    match endpoint:
        case None:
            return not_found()
        case Public(act=act):
            return act(site, call)
        case Authorized():
            return _limited(site, endpoint, call) or _authorized(site, endpoint, call)


def _limited(site: Site, endpoint: Authorized, call: Call) -> Reply | None:
    settings = site.world.settings
    cost = entries_in(call) if settings.batch_counts_entries and endpoint.act is run_batch else 1
    wait = site.world.allowance.take(cost, call.now, settings)
    if not wait:
        return None
    return Reply(429, headers={"retry-after": str(math.ceil(wait))} if settings.retry_after else {})


def _authorized(site: Site, endpoint: Authorized, call: Call) -> Reply:
    grant = site.world.tokens.find(call.token or "", call.now)
    if grant is None:
        challenge = {"www-authenticate": 'Bearer realm="api", error="invalid_token"'}
        return Reply(401, "Unauthorized", challenge, media_type="text/plain; charset=utf-8")
    if not allows(grant.scope, endpoint.scopes):
        return plain(403, "Forbidden")
    return endpoint.act(site, site.world.accounts[grant.sub], replace(call, scope=grant.scope))
