"""The calendar API: one function per operation of its OpenAPI document, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from events.items import Appointment, ItemType
from events.link import ItemKey
from events.psa import Origin, OriginKind
from sandbox.psa.api import rules
from sandbox.psa.api.bodies import (
    Deletion,
    Edit,
    Exchange,
    Listing,
    NewAppointment,
    NewAppointments,
    Part,
    Reference,
    SignIn,
    from_form,
    from_json,
    from_query,
)
from sandbox.psa.api.envelope import Answer
from sandbox.psa.api.tokens import Pair
from sandbox.psa.model.changes import deleted
from sandbox.psa.model.facts import state
from sandbox.psa.model.records import Author, Record
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.world import World


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as its operation sees it."""

    tenant_id: int
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def key(self) -> ItemKey:
        """Name the item that the call is about."""
        try:
            item_type = ItemType(self.path.get("itemType", ItemType.APPOINTMENT))
        except ValueError:
            raise Refusal(Code.MALFORMED, f"itemType: one of {', '.join(ItemType)}") from None
        return ItemKey(self.tenant_id, item_type, self.path["itemId"], from_query(Part, self.query).part_id)


class Unauthorized(Exception):
    """The credentials or the tokens are not good."""


@dataclass(frozen=True, slots=True)
class SigningIn:
    """An operation that gets a token out of a form, and needs none."""

    method: str
    path: str
    run: Callable[[World, bytes], Answer]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that needs a token."""

    method: str
    path: str
    run: Callable[[World, Call], Answer]


def authenticate(world: World, body: bytes) -> Answer:
    """Get a token for one tenant."""
    form = from_form(SignIn, body)
    known = world.credentials
    if (form.client_id, form.client_secret) != (known.client_id, known.client_secret):
        raise Unauthorized("The credentials are wrong.")
    if not form.tenant.isdecimal() or not world.ledger.tenant_active(int(form.tenant)):
        raise Unauthorized("There is no such tenant, or it is not active.")
    return _tokens(world.tokens.issue(int(form.tenant), world.clock.now(), world.settings))


def refresh_token(world: World, body: bytes) -> Answer:
    """Exchange a refresh token for a new pair."""
    form = from_form(Exchange, body)
    pair = world.tokens.exchange(form.access_token, form.refresh_token, world.clock.now(), world.settings)
    if pair is None:
        raise Unauthorized("The refresh token is expired or unknown.")
    return _tokens(pair)


def _tokens(pair: Pair) -> Answer:
    return Answer({
        "accessToken": pair.access,
        "refreshToken": pair.refresh,
        "accessTokenExpireOn": pair.access_until.isoformat(),
        "refreshTokenExpireOn": pair.refresh_until.isoformat(),
    })


def list_items(world: World, call: Call) -> Answer:
    """Items of one user's My Calendar that overlap a range, oldest id first."""
    asked = from_query(Listing, call.query)
    types = asked.item_types.split(",") if asked.item_types else list(ItemType)
    shown = rules.shown_between(world.ledger, call.tenant_id, asked.user_id, asked.start, asked.end)
    matching = [record for record in shown if record.key.item_type in types]
    begin = (asked.page_number - 1) * asked.page_size
    return Answer([state(record) for record in matching[begin : begin + asked.page_size]], total=len(matching))


def get_item(world: World, call: Call) -> Answer:
    """One item as it is now."""
    return Answer(state(rules.found(world.ledger, call.key())))


def change_item(world: World, call: Call) -> Answer:
    """Change an item, if it is still at the given revision."""
    asked = from_json(Edit, call.body)
    record = rules.current(world.ledger, call.key(), asked.revision)
    drafts = rules.synced(world.ledger, record, asked.changes, world.settings.style)
    if any(map(world.ledger.differs, drafts)):  # the revision counts changes, not requests
        world.save(drafts, _calendar_sync(world, record))
    return Answer(state(rules.found(world.ledger, record.key)))


def create_appointment(world: World, call: Call) -> Answer:
    """Create an appointment under a unique external reference, or find the one that has it."""
    return _created(world, call, from_json(NewAppointment, call.body))


def create_appointments(world: World, call: Call) -> Answer:
    """Create many, each by itself."""
    return Answer([_entry(world, call, to_json(each)) for each in from_json(NewAppointments, call.body).appointments])


def _entry(world: World, call: Call, body: bytes) -> JsonValue:
    try:
        answer = _created(world, call, from_json(NewAppointment, body))
    except Refusal as refusal:
        error: JsonValue = {"code": refusal.code, "message": refusal.message, "details": None, "subErrors": []}
        return {"success": False, "error": error, "result": None}
    return {"success": True, "error": None, "result": answer.result}


def _created(world: World, call: Call, asked: NewAppointment) -> Answer:
    known = world.ledger.referenced(call.tenant_id, asked.external_reference)
    if known:
        return Answer({**state(known), "created": False})
    drafts = rules.appointment(world.ledger, call.tenant_id, asked, world.settings.style)
    origin = Origin(kind=OriginKind.CALENDAR_SYNC, external_reference=asked.external_reference)
    (record,) = world.save(drafts, Author(world.clock.now(), origin=origin))
    return Answer({**state(record), "created": True})


def find_appointment(world: World, call: Call) -> Answer:
    """Find an appointment by its external reference."""
    reference = from_query(Reference, call.query).external_reference
    record = world.ledger.referenced(call.tenant_id, reference)
    if record is None:
        raise Refusal(Code.NOT_FOUND, "There is no appointment with this reference.")
    return Answer(state(record))


def delete_appointment(world: World, call: Call) -> Answer:
    """Delete an appointment, if it is still at the given revision."""
    revision = from_query(Deletion, call.query).revision
    record = rules.current(world.ledger, call.key(), revision)
    if record.deleted:
        return Answer(state(record))
    (gone,) = world.save(deleted(world.ledger, record.key), _calendar_sync(world, record))
    return Answer(state(gone))


def _calendar_sync(world: World, record: Record) -> Author:
    reference = record.item.external_reference if isinstance(record.item, Appointment) else None
    return Author(world.clock.now(), origin=Origin(kind=OriginKind.CALENDAR_SYNC, external_reference=reference))


_ITEM: Final = "/v2/calendar/items/{itemType}/{itemId}"
OPERATIONS: Final[tuple[SigningIn | Operation, ...]] = (
    SigningIn("POST", "/v2/security/authenticate", authenticate),
    SigningIn("POST", "/v2/security/refreshtoken", refresh_token),
    Operation("GET", "/v2/calendar/items", list_items),
    Operation("GET", _ITEM, get_item),
    Operation("PATCH", _ITEM, change_item),
    Operation("POST", "/v2/calendar/appointments", create_appointment),
    Operation("POST", "/v2/calendar/appointments/bulk", create_appointments),
    Operation("GET", "/v2/calendar/appointments", find_appointment),
    Operation("DELETE", "/v2/calendar/appointments/{itemId}", delete_appointment),
)
