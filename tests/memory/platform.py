"""A PSA in memory: items with revisions, an API that guards them, and events about every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from events.failures import System, TryLater
from events.items import ItemType
from events.link import ItemKey
from events.platform import (
    Absent,
    AppointmentDraft,
    AppointmentTimes,
    CreateAnswer,
    Created,
    Declined,
    Done,
    ItemAnswer,
    ItemChanges,
    ItemNow,
    ItemPage,
    MovedOn,
    ServiceCallTimes,
)
from events.psa import PSA_EVENT, ItemChanged
from events.reasons import Reason
from tests.memory.steps import MemoryClock, Stepper

CALL = timedelta(seconds=15)
_REFERENCE = "external_reference"


@dataclass(frozen=True)
class Row:
    """One item."""

    key: ItemKey
    revision: int
    assignees: frozenset[int]
    item: dict[str, Any]
    deleted: bool = False
    reference: str | None = None
    modified_on: datetime | None = None


@dataclass
class MemoryPlatform:
    """See `worker.ports.Platform`. The people who use it act through `make`, `edit` and `remove`."""

    step: Stepper
    clock: MemoryClock
    tenant_id: int = 1
    rows: dict[str, Row] = field(default_factory=dict)
    on_change: Callable[[ItemChanged], None] = lambda _: None
    telling: bool = True
    """Whether events say for which of our creations an item was made."""
    refuses: Callable[[ItemChanges], str | None] = lambda _: None
    mishap: Callable[[], bool] = lambda: False
    """Whether a call fails now: asked when it arrives, and again when its answer leaves."""
    page_size: int = 3
    hidden: set[str] = field(default_factory=set)
    """Items, by their ids, that lists leave out for now, though they look complete."""
    on_write: Callable[[], None] = lambda: None
    """Called at the very moment at which a write begins."""
    writes: list[tuple[str, Row | None, Row]] = field(default_factory=list)
    _numbers: int = 0

    # The port

    async def read(self, key: ItemKey) -> ItemNow | None:
        began = self.clock.now()
        await self.step("read item")
        self._get_through(began)
        row = self.rows.get(key.item_id)
        return None if row is None else state_of(row)

    async def find(self, tenant_id: int, reference: str) -> ItemNow | None:
        del tenant_id
        began = self.clock.now()
        await self.step("find item")
        self._get_through(began)
        return next((state_of(row) for row in self.rows.values() if row.reference == reference), None)

    async def create(self, draft: AppointmentDraft) -> CreateAnswer:
        self.on_write()
        began = self.clock.now()
        await self.step("create item")
        self._get_through(began)
        found = next((row for row in self.rows.values() if row.reference == draft.reference), None)
        row = found or self._new(ItemType.APPOINTMENT, draft.user_id, _appointment(draft), draft.reference)
        if found is None:
            self.writes.append(("create", None, row))
        answer = Created(state_of(row), found is not None)
        await self.step("item created")
        self._get_through(self.clock.now())
        return answer

    async def create_all(self, drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        return [await self.create(draft) for draft in drafts]

    async def items(self, user: tuple[int, int], start: datetime, end: datetime, page: int) -> ItemPage:
        began = self.clock.now()
        await self.step("list items")
        self._get_through(began)
        mine = [row for row in self.live() if user[1] in row.assignees and _overlaps(row.item, start, end)]
        mine = [row for row in mine if row.key.item_id not in self.hidden]
        shown = mine[(page - 1) * self.page_size : page * self.page_size]
        return ItemPage(tuple(state_of(row) for row in shown), len(shown) < self.page_size, len(mine))

    async def change(self, key: ItemKey, revision: int, changes: ItemChanges) -> ItemAnswer:
        self.on_write()
        began = self.clock.now()
        await self.step("change item")
        self._get_through(began)
        row = self.rows.get(key.item_id)
        if row is None:
            return Absent()
        refusal = self.refuses(changes)
        if refusal:
            return Declined(refusal)
        if row.revision != revision or row.deleted:
            return MovedOn(state_of(row))
        changed = {**row.item, **_changed(changes)}
        after = row if changed == row.item else self._store(replace(row, item=changed))  # a revision counts changes
        self.writes.append(("change", row, after))
        answer = Done(state_of(after))
        await self.step("item changed")
        self._get_through(self.clock.now())
        return answer

    async def delete(self, key: ItemKey, revision: int) -> ItemAnswer:
        self.on_write()
        began = self.clock.now()
        await self.step("delete item")
        self._get_through(began)
        row = self.rows.get(key.item_id)
        if row is None:
            return Absent()
        if row.revision != revision or row.deleted:
            return MovedOn(state_of(row))
        after = self._store(replace(row, deleted=True))
        self.writes.append(("delete", row, after))
        answer = Done(state_of(after))
        await self.step("item deleted")
        self._get_through(self.clock.now())
        return answer

    def _get_through(self, began: datetime) -> None:
        if self.clock.now() - began > CALL or self.mishap():
            raise TryLater(System.PSA, Reason.UNREACHABLE, "no answer")

    def _new(self, kind: ItemType, user_id: int, item: dict[str, Any], reference: str | None = None) -> Row:
        self._numbers += 1
        key = ItemKey(self.tenant_id, kind, str(self._numbers))
        named = {"id": self._numbers, **item} | ({_REFERENCE: reference} if reference else {})
        return self._store(Row(key, 0, frozenset({user_id}), named, reference=reference))

    def _store(self, row: Row) -> Row:
        row = replace(row, revision=row.revision + 1, modified_on=self.clock.now())
        self.rows[row.key.item_id] = row
        self.on_change(self.event(row))
        return row

    def event(self, row: Row) -> ItemChanged:
        """Return the event about an item as it is now."""
        data = {
            "tenant_id": row.key.tenant_id,
            "item_type": row.key.item_type.value,
            "item_id": row.key.item_id,
            "revision": row.revision,
            "deleted": row.deleted,
            "assignees": sorted(row.assignees),
            "item": None if row.deleted else {k: v for k, v in row.item.items() if self.telling or k != _REFERENCE},
        }
        body = {
            "specversion": "1.0",
            "id": f"{row.key.item_id}:{row.revision}",
            "source": "psa",
            "type": "psa.calendar_item.changed.v1",
            "data": data,
        }
        event = PSA_EVENT.validate_json(json.dumps(body))
        assert isinstance(event, ItemChanged)
        return event

    # People

    def make(self, kind: ItemType, assignee: int, /, **item: Any) -> str:
        """Make an item as somebody who works in the PSA. Returns its id."""
        return self._new(kind, assignee, item).key.item_id

    def edit(self, item_id: str, **item: Any) -> bool:
        """Change an item. False if it is gone."""
        row = self.rows[item_id]
        if row.deleted:
            return False
        self._store(replace(row, item={**row.item, **item}))
        return True

    def assign(self, item_id: str, *users: int) -> None:
        """Assign an item to other users."""
        self._store(replace(self.rows[item_id], assignees=frozenset(users)))

    def remove(self, item_id: str) -> bool:
        """Delete an item. False if it is gone."""
        row = self.rows[item_id]
        if row.deleted:
            return False
        self._store(replace(row, deleted=True))
        return True

    def live(self) -> list[Row]:
        """Return the items that are there."""
        return [row for row in self.rows.values() if not row.deleted]


def _overlaps(item: dict[str, Any], start: datetime, end: datetime) -> bool:
    """Whether an item lies in a span; a whole day as it is in UTC."""
    names = ("start_date", "end_date") if item.get("all_day") else ("start", "end")
    first, last = (datetime.fromisoformat(item[name]) for name in names)
    if item.get("all_day"):
        first, last = first.replace(tzinfo=UTC), last.replace(tzinfo=UTC)
    return first < end and (last > start or first >= start)


def state_of(row: Row) -> ItemNow:
    item = None if row.deleted else json.dumps(row.item)
    return ItemNow(row.key, row.revision, row.deleted, row.assignees, item, row.modified_on)


def _appointment(draft: AppointmentDraft) -> dict[str, Any]:
    return {
        "subject": draft.subject.strip(),
        "description": draft.description,
        "location": draft.location,
        "is_private": draft.private,
        **_times(draft.start, draft.end),
    }


def _times(start: datetime | date, end: datetime | date) -> dict[str, Any]:
    if isinstance(start, datetime) and isinstance(end, datetime):
        return {"all_day": False, "start": stamp(start), "end": stamp(end)}
    return {"all_day": True, "start_date": start.isoformat(), "end_date": end.isoformat()}


def _changed(changes: ItemChanges) -> dict[str, Any]:
    named = {
        "subject": changes.subject,
        "description": changes.description,
        "location": changes.location,
        "is_private": changes.private,
    }
    values: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    match changes.times:
        case AppointmentTimes(start=start, end=end):
            values |= _times(start, end)
        case ServiceCallTimes(start=start, end=end):
            values |= {"start": stamp(start), "end": stamp(end)}
        case _:
            pass
    return values


def stamp(moment: datetime) -> str:
    """Return an instant as the PSA writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
