"""Tenants, their users and their items with every revision. A pure store: no clock, no chance, no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from events.items import Appointment
from events.link import ItemKey
from sandbox.psa.model.records import Author, Draft, Record, whole
from sandbox.psa.model.spans import span


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a My Calendar."""

    user_id: int
    name: str
    time_zone: str = "UTC"
    active: bool = True


class Ledger:
    """See the module. Tenants and users come into being when they are first mentioned."""

    def __init__(self, tenants: Iterable[int], first_id: int) -> None:
        self._ids = count(first_id)
        self._tenants = dict.fromkeys(tenants, True)
        self._users: dict[tuple[int, int], User] = {}
        self._histories: dict[ItemKey, dict[str | None, list[Record]]] = {}
        self._revisions: dict[ItemKey, int] = defaultdict(int)
        self._shown: dict[tuple[int, int], dict[ItemKey, None]] = defaultdict(dict)
        self._referenced: dict[tuple[int, str], ItemKey] = {}

    def new_id(self) -> int:
        """Return a number that nothing else has, greater than all before."""
        return next(self._ids)

    def tenant_active(self, tenant_id: int) -> bool:
        """Whether calendar sync may work for this tenant. An unknown tenant is not active."""
        return self._tenants.get(tenant_id, False)

    def mention(self, tenant_id: int) -> None:
        """Let a tenant be known."""
        self._tenants.setdefault(tenant_id, True)

    def set_tenant(self, tenant_id: int, *, active: bool) -> None:
        """Sign a tenant on or off."""
        self._tenants[tenant_id] = active

    def user(self, tenant_id: int, user_id: int) -> User:
        """Return a user."""
        return self._users.setdefault((tenant_id, user_id), User(user_id, f"User {user_id}"))

    def set_user(self, tenant_id: int, user: User) -> None:
        """Change what is known of a user."""
        self._users[tenant_id, user.user_id] = user

    def record(self, key: ItemKey) -> Record | None:
        """Return the newest record of exactly this item or part."""
        history = self.history(key)
        return history[-1] if history else None

    def history(self, key: ItemKey) -> Sequence[Record]:
        """Return all records of exactly this item or part, oldest first."""
        return self._histories.get(whole(key), {}).get(key.part_id, ())

    def all_of(self, key: ItemKey) -> tuple[Record, ...]:
        """Return the newest records of the item and all of its parts."""
        return tuple(history[-1] for history in self._histories.get(whole(key), {}).values())

    def shown_to(self, tenant_id: int, user_id: int) -> Iterator[Record]:
        """Return what is assigned to a user and not deleted, oldest id first."""
        keys = sorted(self._shown[tenant_id, user_id], key=_age)
        return (self._histories[whole(key)][key.part_id][-1] for key in keys)

    def referenced(self, tenant_id: int, reference: str) -> Record | None:
        """Return the appointment that was created under this external reference, deleted or not."""
        key = self._referenced.get((tenant_id, reference))
        return self.record(key) if key else None

    def differs(self, draft: Draft) -> bool:
        """Whether something would be another than it is."""
        known = self.record(draft.key)
        now = known and (known.item, known.assignees, known.deleted)
        return now != (draft.item, draft.assignees, draft.deleted)

    def save(self, drafts: Sequence[Draft], author: Author) -> tuple[Record, ...]:
        """Keep one change of one item: everything it touches gets the item's next revision."""
        (key,) = {whole(draft.key) for draft in drafts}
        self._revisions[key] += 1
        return tuple(self._keep(draft, self._revisions[key], author) for draft in drafts)

    def forget(self, key: ItemKey) -> None:
        """Lose the item with all parts and revisions, as a platform does some time after a deletion."""
        for record in self.all_of(key):
            self._hide(record)
            if isinstance(record.item, Appointment) and record.item.external_reference is not None:
                self._referenced.pop((key.tenant_id, record.item.external_reference), None)
        self._histories.pop(whole(key), None)

    def _keep(self, draft: Draft, revision: int, author: Author) -> Record:
        key = draft.key
        former = self.record(key)
        if former:
            self._hide(former)
        shown = None if draft.deleted else span(draft.item, key.part_id)
        record = Record(key, draft.item, draft.assignees, draft.deleted, revision, author, shown)
        self._histories.setdefault(whole(key), {}).setdefault(key.part_id, []).append(record)
        for user_id in () if draft.deleted else draft.assignees:
            self._shown[key.tenant_id, user_id][key] = None
        if isinstance(draft.item, Appointment) and draft.item.external_reference is not None:
            self._referenced.setdefault((key.tenant_id, draft.item.external_reference), key)
        return record

    def _hide(self, record: Record) -> None:
        for user_id in record.assignees:
            self._shown[record.key.tenant_id, user_id].pop(record.key, None)


def _age(key: ItemKey) -> tuple[int, int, str]:
    part_id = key.part_id or ""
    return int(key.item_id), len(part_id), part_id  # parts are named by numbers or by instants of the same length
