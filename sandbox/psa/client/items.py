"""Acting as a user who works with items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from events.items import ItemType
from events.psa import ItemChange
from sandbox.psa.client.calls import NOTHING, Calls
from sandbox.psa.control.views import BulkDone, Story, Touched, UserView
from sandbox.psa.model.commands import Command, Moment, NewPeriod, Shift

_TOUCHED: Final = TypeAdapter(Touched)
_STORY: Final = TypeAdapter(Story)
_BULK: Final = TypeAdapter(BulkDone)
_USER: Final = TypeAdapter(UserView)


@dataclass(frozen=True, slots=True)
class PsaItem:
    """An item, or one part of it, as of one revision."""

    facts: ItemChange

    @property
    def item_type(self) -> ItemType:
        """Which kind of item it is."""
        return self.facts.item_type

    @property
    def item_id(self) -> str:
        """Its id, the same for all of its parts."""
        return self.facts.item_id

    @property
    def part_id(self) -> str | None:
        """Which part of the item it is, if it is one."""
        return self.facts.part_id

    @property
    def revision(self) -> int:
        """Its revision."""
        return self.facts.revision

    @property
    def deleted(self) -> bool:
        """Whether it is deleted."""
        return self.facts.deleted

    @property
    def assignees(self) -> tuple[int, ...]:
        """Whose My Calendar shows it."""
        return self.facts.assignees or ()

    @property
    def whole(self) -> PsaItem:
        """The item of which it is a part: to change a whole series, say."""
        return PsaItem(self.facts.model_copy(update={"part_id": None}))

    def field(self, name: str) -> object:
        """Return a field of its snapshot."""
        return getattr(self.facts.item, name)


class ItemCalls(Calls):
    """See the module. `by`: the id of the user who does it."""

    async def create_item(
        self,
        item_type: ItemType | str,
        user_ids: Sequence[int],
        *,
        periods: Iterable[NewPeriod] = (),
        by: int | None = None,
        **fields: object,
    ) -> PsaItem:
        """Create an item. Fields of the snapshot that are not given are made up."""
        body = {"item_type": item_type, "user_ids": user_ids, "periods": tuple(periods), "fields": fields}
        touched = await self._call(_TOUCHED, "POST", f"{self._tenant}/items", body, query={"by": by})
        return PsaItem(touched.items[0])

    async def create_series(
        self, user_ids: Sequence[int], occurrences: Sequence[Moment], rule: str | None = None, **fields: object
    ) -> tuple[PsaItem, ...]:
        """Create a recurring appointment, and return its occurrences."""
        recurring = {"occurrences": occurrences, "rule": rule}
        body = {"item_type": ItemType.APPOINTMENT, "user_ids": user_ids, "fields": fields, **recurring}
        touched = await self._call(_TOUCHED, "POST", f"{self._tenant}/items", body)
        return tuple(PsaItem(facts) for facts in touched.items)

    async def edit_item(self, item: PsaItem, *, by: int | None = None, **fields: object) -> PsaItem:
        """Change fields of the snapshot. Without any, the item is saved as it is, at a new revision."""
        return await self._touch("PATCH", item, "", fields, by)

    async def move_item(
        self,
        item: PsaItem,
        start: Moment | None = None,
        end: Moment | None = None,
        *,
        by_minutes: int | None = None,
        by: int | None = None,
    ) -> PsaItem:
        """Move it to a start, or by some minutes; its length stays unless an end is given."""
        return await self._touch("POST", item, "/move", Shift(start=start, end=end, by_minutes=by_minutes), by)

    async def reassign_item(self, item: PsaItem, user_ids: Sequence[int], *, by: int | None = None) -> PsaItem:
        """Assign it to others."""
        return await self._touch("POST", item, "/reassign", {"user_ids": user_ids}, by)

    async def complete_item(self, item: PsaItem, *, complete: bool = True, by: int | None = None) -> PsaItem:
        """Tick it as done, or not done."""
        return await self._touch("POST", item, "/complete", {"complete": complete}, by)

    async def plan_period(
        self, task: PsaItem, start: datetime, end: datetime, *, user_id: int | None = None
    ) -> PsaItem:
        """Plan a period of a task, and return the period."""
        period = NewPeriod(start=start, end=end, user_id=user_id)
        touched = await self._call(_TOUCHED, "POST", f"{self._path(task)}/plan", period)
        return PsaItem(touched.items[-1])

    async def delete_item(self, item: PsaItem, *, by: int | None = None) -> PsaItem:
        """Delete it: a part alone, anything else with all of its parts."""
        return await self._touch("DELETE", item, "", None, by)

    async def restore_item(self, item: PsaItem, *, by: int | None = None) -> PsaItem:
        """Bring back what was deleted last."""
        return await self._touch("POST", item, "/restore", None, by)

    async def forget_item(self, item: PsaItem) -> None:
        """Lose it without a trace."""
        await self._call(_TOUCHED, "POST", f"{self._path(item)}/forget")

    async def bulk(self, commands: Sequence[Command]) -> BulkDone:
        """Carry out many commands in one call."""
        return await self._call(_BULK, "POST", f"{self._tenant}/bulk", commands, waits=60)

    async def items(self, user_id: int) -> tuple[PsaItem, ...]:
        """Return everything that is assigned to a user."""
        touched = await self._call(_TOUCHED, "GET", f"{self._tenant}/items", query={"user_id": user_id})
        return tuple(PsaItem(facts) for facts in touched.items)

    async def item(self, item_type: ItemType | str, item_id: str, part_id: str | None = None) -> PsaItem:
        """Return an item, or one part of it, as it is now."""
        story = await self._story(item_type, item_id, part_id)
        return PsaItem(story.history[-1])

    async def history(self, item: PsaItem) -> tuple[PsaItem, ...]:
        """Return every revision of an item or part, oldest first."""
        story = await self._story(item.item_type, item.item_id, item.part_id)
        return tuple(PsaItem(facts) for facts in story.history)

    async def parts(self, item: PsaItem) -> tuple[PsaItem, ...]:
        """Return the parts of an item as they are now: a task's periods, a series' occurrences."""
        story = await self._story(item.item_type, item.item_id, None)
        return tuple(PsaItem(facts) for facts in story.items if facts.part_id is not None)

    async def set_user(self, user_id: int, **changes: object) -> UserView:
        """Change a user: `name`, `time_zone`, `active`."""
        return await self._call(_USER, "PUT", f"{self._tenant}/users/{user_id}", changes)

    async def set_tenant(self, *, active: bool) -> None:
        """Sign the tenant on or off."""
        await self._call(NOTHING, "PUT", self._tenant, {"active": active})

    async def revoke_tokens(self) -> None:
        """End all of the tenant's tokens."""
        await self._call(NOTHING, "POST", f"{self._tenant}/revoke_tokens")

    def _path(self, item: PsaItem) -> str:
        return f"{self._tenant}/items/{item.item_type}/{item.item_id}"

    async def _story(self, item_type: ItemType | str, item_id: str, part_id: str | None) -> Story:
        path = f"{self._tenant}/items/{item_type}/{item_id}"
        return await self._call(_STORY, "GET", path, query={"part_id": part_id})

    async def _touch(self, method: str, item: PsaItem, verb: str, body: object, by: int | None) -> PsaItem:
        query = {"part_id": item.part_id, "by": by}
        touched = await self._call(_TOUCHED, method, self._path(item) + verb, body, query=query)
        return PsaItem(next((facts for facts in touched.items if facts.part_id == item.part_id), touched.items[0]))
