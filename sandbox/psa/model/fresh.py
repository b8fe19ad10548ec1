"""New items, complete and believable, so that whoever creates one names only what matters to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from events.items import ItemType
from events.link import ItemKey
from sandbox.psa.model.changes import with_period
from sandbox.psa.model.commands import CreateItem, Moment, Shift
from sandbox.psa.model.examples import example
from sandbox.psa.model.ledger import Ledger
from sandbox.psa.model.records import Draft, Drafts
from sandbox.psa.model.refusal import Code, Refusal
from sandbox.psa.model.settings import Style
from sandbox.psa.model.snapshots import Document, kind_of, made, overlaid, patched
from sandbox.psa.model.style import in_house_style
from sandbox.psa.model.times import moved

_MOMENT: Final[TypeAdapter[Moment | None]] = TypeAdapter(Moment | None)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when something is created, and how it is written down there."""

    ledger: Ledger
    tenant_id: int
    now: datetime
    style: Style


def created(command: CreateItem, place: Place) -> Drafts:
    """Make an item: a task with its periods, a series as its occurrences."""
    item_type, number = command.item_type, place.ledger.new_id()
    if command.occurrences and item_type is not ItemType.APPOINTMENT:
        raise Refusal(Code.REFUSED, "Only appointments recur.")
    if "periods" in command.fields:
        raise Refusal(Code.REFUSED, "A task's periods are planned; they are no field to fill in.")
    owner = place.ledger.user(place.tenant_id, command.user_ids[0])
    made_up = {**example(item_type, number, owner), **_times(item_type, command.fields, place.now)}
    item = in_house_style(made(kind_of(item_type), overlaid(made_up, command.fields)), place.style)
    drafts: Drafts = (Draft(ItemKey(place.tenant_id, item_type, str(number)), item, command.user_ids, deleted=False),)
    for period in command.periods:
        drafts = with_period(drafts, period, place.ledger.new_id())
    return tuple(_occurrence(drafts[0], at, command.rule) for at in command.occurrences) or drafts


def _occurrence(series: Draft, at: Moment, rule: str | None) -> Draft:
    times = moved(series.item, Shift(start=at))
    recurrence: JsonValue = {"master_id": int(series.key.item_id), "rule": rule, "instance_date": at.isoformat()}
    item = patched(series.item, {**times, "recurrence": recurrence})
    return replace(series, key=replace(series.key, part_id=_original_start(at)), item=item)


def _original_start(at: Moment) -> str:
    """Name an occurrence, for ever, wherever it is moved."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(at, datetime) else at.isoformat()


def _times(item_type: ItemType, given: Document, now: datetime) -> Document:
    tomorrow = (now + _DAY).astimezone(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
    match item_type:
        case ItemType.APPOINTMENT if given.get("all_day") is True:
            return _span(given, ("start_date", "end_date"), tomorrow.date(), _DAY)
        case ItemType.APPOINTMENT | ItemType.SERVICE_CALL:
            return _span(given, ("start", "end"), tomorrow, _HOUR)
        case ItemType.CRM_ACTIVITY:
            return _span(given, ("due", "end"), tomorrow, None)
        case ItemType.TASK:
            return _span(given, ("start_date", "end_date"), tomorrow.date(), _DAY)
        case ItemType.TODO:
            return _span(given, ("date", "end"), tomorrow, None)


def _span(given: Document, names: tuple[str, str], usual: Moment, length: timedelta | None) -> Document:
    """Return times around the start that was given; nothing, if it was given as null."""
    first, last = names
    start = _moment(given[first]) if first in given else usual
    if start is None:
        return {}
    return {first: start.isoformat()} | ({last: (start + length).isoformat()} if length else {})


def _moment(value: JsonValue) -> Moment | None:
    try:
        return _MOMENT.validate_python(value)
    except ValidationError as error:
        raise Refusal(Code.MALFORMED, f"{value!r} is neither an instant with an offset nor a date") from error
