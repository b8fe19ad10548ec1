"""Whatever is asked, in whatever order: the memory answers as MongoDB does. So what is proved with it is proved."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.mongodb.driver import Database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.links import Links
from events.content import Field
from events.integration import Assignee, Held, Integration, Lease, Note, Served, Taken
from events.link import CREATION, ItemKey, Link, LinkState, Observed, PsaAsk, Standing
from tests.adapters.mongodb.examples import HOUR, NOTHING, NOW, OVER, after, connect, content, item, link, seen
from tests.adapters.mongodb.examples import settings as wish
from tests.adapters.mongodb.subjects import VAULT, IntegrationStore, LinkStore, memory_store

Step = tuple[Any, ...]
"""What is asked, and with which arguments; a tuple, so that a failing story can be read."""
NUMBERS: Final = itertools.count(1)
"""Every story has a tenant, a user and an integration of its own."""

many = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def steps(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.one_of(*kinds), min_size=1, max_size=25)


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(name), *arguments)


owners = st.sampled_from(["first", "second"])
lengths = st.sampled_from([OVER, HOUR])
moments = st.integers(0, 5).map(after)
small = st.integers(0, 3)

INTEGRATION_STEPS = steps(
    step("connect", small),
    step("configure", small),
    step("activate", small, st.booleans()),
    step("list_calendars", small),
    step("mark", moments),
    step("note", st.none() | moments, moments),
    step("note_profile", moments),
    step("take", owners, lengths),
    step("take", owners, lengths),  # twice, because most of what follows needs a lease
    step("extend", owners, lengths),
    step("current", owners),
    step("save", owners, small),
    step("serve", owners, small, small),
    step("release", owners, st.none() | moments),
    step("claim", moments),
)


async def ask(who: People | Workers, story: Step) -> object:
    name, *arguments = story
    return await getattr(who, name)(*arguments)


T = TypeVar("T", Link, Standing)


@dataclass
class People:
    """Those who work on one integration of one store, each remembering the lease last taken."""

    store: IntegrationStore
    whose: Assignee
    leases: dict[str, Lease] = field(default_factory=dict[str, Lease])
    known: dict[str, Held] = field(default_factory=dict[str, Held])

    @property
    def id(self) -> str:
        return self.whose.integration_id

    async def connect(self, revision: int) -> bool:
        return await self.store.want_connect(self.whose, connect(revision, f"code {revision}"), NOW)

    async def configure(self, revision: int) -> bool:
        return await self.store.want_settings(self.whose, wish(revision, f"cal_{revision}"), NOW)

    async def activate(self, revision: int, active: bool) -> bool:
        return await self.store.want_active(self.whose, revision, NOW, active=active)

    async def list_calendars(self, revision: int) -> bool:
        return await self.store.want_calendars(self.whose, revision, NOW)

    async def mark(self, at: datetime) -> None:
        await self.store.mark_due([self.id], at)

    async def note(self, since: datetime | None, at: datetime) -> bool:
        return await self.store.note_change(self.id, since, at)

    async def note_profile(self, at: datetime) -> bool:
        return await self.store.note_profile(self.id, at)

    async def claim(self, at: datetime) -> bool:
        return self.id in await self.store.claim_due(at, after(60), 10_000)

    async def take(self, owner: str, length: timedelta) -> object:
        result = await self.store.take(self.id, owner, length)
        if isinstance(result, Taken):
            self.leases[owner] = result.lease
            self.known[owner] = result.integration.held
        return shown(result)

    async def extend(self, owner: str, length: timedelta) -> object:
        return owner in self.leases and shown(await self.store.extend(self.leases[owner], length))

    async def current(self, owner: str) -> object:
        return owner in self.leases and await self.store.current(self.leases[owner])

    async def save(self, owner: str, number: int) -> bool:
        if owner not in self.leases:
            return False
        become = replace(self.known[owner], connected_revision=number, cursor=after(number))
        saved = await self.store.save(self.leases[owner], Note(self.known[owner], become))
        self.known[owner] = become if saved else self.known[owner]
        return saved

    async def serve(self, owner: str, requested: int, checked: int) -> bool:
        served = Served(requested, checked)
        return owner in self.leases and await self.store.save(self.leases[owner], Note(Held(), Held(), served))

    async def release(self, owner: str, due_at: datetime | None) -> object:
        return owner in self.leases and shown(await self.store.release(self.leases[owner], NOTHING, due_at, HOUR))


def shown(result: object) -> object:
    """Return what can be compared: the ends of leases are by clocks of their own."""
    if isinstance(result, Integration):
        return shown_integration(result)
    if isinstance(result, Taken):
        lease = replace(result.lease, deadline=0.0)
        return replace(result, lease=lease, integration=shown_integration(result.integration))
    return result


def shown_integration(integration: Integration) -> Integration:
    at_the_end_of_a_lease = integration.due_at is not None and integration.due_at > NOW + timedelta(days=30)
    return replace(integration, due_at=None) if at_the_end_of_a_lease else integration


@many
@given(INTEGRATION_STEPS)
async def test_integrations_are_alike(opened: Database, story: list[Step]) -> None:
    number = next(NUMBERS)
    whose = Assignee(f"int_{number}", number, number)
    real = People(Integrations(opened, VAULT, time.monotonic), whose)
    memory = People(memory_store().integrations, whose)
    for one in story:
        assert await ask(real, one) == await ask(memory, one), one
        theirs, ours = await real.store.get(whose.integration_id), await memory.store.get(whose.integration_id)
        assert shown(theirs) == shown(ours), one


# Links

CREATE = PsaAsk(content(), frozenset(Field), content(), CREATION)
CHANGES: Final = ("settle", "answer", "forget content", "turn", "create", "stand")
items = st.integers(0, 2)
fences = st.integers(0, 2)

LINK_STEPS = steps(
    step("observe", items, small, st.booleans(), st.booleans(), moments),
    step("hear", items, small, st.integers(0, 1), moments),
    step("make", items, small, moments),
    step("add", items, fences),
    step("read", st.sets(items, min_size=1)),
    step("save", st.dictionaries(items, st.sampled_from(CHANGES), min_size=1), fences, small, moments),
    step("save", st.dictionaries(items, st.sampled_from(CHANGES), min_size=1), fences, small, moments),
    step("due", moments),
    step("find", st.lists(items), st.lists(items)),
    step("owners", st.lists(items)),
    step("delete", items, small),
)


@dataclass
class Workers:
    """Intake and holders who work on the links of one integration, with what they last read."""

    store: LinkStore
    whose: Assignee
    known: dict[str, Link] = field(default_factory=dict[str, Link])

    def link(self, number: int) -> Link:
        return link(item(number, self.whose.tenant_id), self.whose)

    def item(self, number: int) -> ItemKey:
        return item(number, self.whose.tenant_id)

    async def observe(self, number: int, revision: int, with_content: bool, deleted: bool, at: datetime) -> None:
        what = seen(revision, f"{revision}" if with_content else None, deleted=deleted)
        await self.store.observe([Observed(self.link(number).id, self.item(number), what)], at)

    async def hear(self, number: int, revision: int, made_in: int, at: datetime) -> None:
        news = Observed(self.link(number).id, self.item(number + 10), seen(revision), made_in=made_in)
        await self.store.observe([news], at)

    async def make(self, number: int, revision: int, at: datetime) -> None:
        fresh = replace(self.link(number), psa_seen=seen(revision), due_at=at)
        await self.store.observe([Observed(fresh.id, self.item(number), seen(revision), fresh=fresh)], at)

    async def add(self, number: int, fence: int) -> frozenset[str]:
        return await self.store.add(self._lease(fence), [self.link(number)])

    async def read(self, numbers: set[int]) -> None:
        self.known |= await self.store.by_ids([self.link(number).id for number in numbers])

    async def save(self, changes: dict[int, str], fence: int, revision: int, at: datetime) -> frozenset[str]:
        known = {number: self.known.get(self.link(number).id) for number in changes}
        pairs = [
            (before, self._changed(before, number, changes[number], revision, at))
            for number, before in known.items()
            if before is not None
        ]
        refused = await self.store.save(self._lease(fence), pairs)
        saved = [(before, become) for before, become in pairs if before.id not in refused]
        self.known |= {before.id: replace(become, version=before.version + 1) for before, become in saved}
        return refused

    async def due(self, at: datetime) -> object:
        due = await self.store.due(self.whose.integration_id, at, 100)
        moments_in_order, ids = [one.due_at for one in due], {one.id for one in due}
        return moments_in_order, ids, await self.store.next_due(self.whose.integration_id)

    async def find(self, numbers: list[int], named: list[int]) -> object:
        keys = [self.item(number) for number in numbers]
        references = [(self.whose.tenant_id, self.link(number).reference) for number in named]
        return by_id(await self.store.of_items(keys, references)), await self.store.deleted(keys)

    async def owners(self, numbers: list[int]) -> list[Link]:
        return by_id(await self.store.owners(self.whose.integration_id, [self.item(number) for number in numbers]))

    async def delete(self, number: int, revision: int) -> None:
        await self.store.remember_deleted({self.item(number): revision}, NOW)

    def _changed(self, before: Link, number: int, change: str, revision: int, at: datetime) -> Link:
        match change:
            case "settle":
                return replace(before, state=LinkState.SETTLED, due_at=None, psa_base=content())
            case "answer":
                return replace(before, psa_seen=seen(revision), due_at=at, psa_asks=())
            case "forget content":
                known = before.psa_seen and replace(before.psa_seen, item=None)
                return replace(before, psa_seen=known, due_at=at)
            case "turn":
                return replace(before, item=self.item(number + 10), psa_seen=seen(revision), due_at=at)
            case "create":
                generation = before.generation + 1
                return replace(before, item=None, psa_seen=None, psa_asks=(CREATE,), generation=generation, due_at=at)
            case _:
                return replace(before, item=self.item(number), psa_seen=seen(revision, None), due_at=at)

    def _lease(self, fence: int) -> Lease:
        return Lease(self.whose.integration_id, "message", fence, 1, 0.0)

    async def everything(self) -> dict[str, Link]:
        return await self.store.by_ids([self.link(number).id for number in range(3)])


def by_id(found: Sequence[T]) -> list[T]:
    return sorted(found, key=lambda one: one.id)


@many
@given(LINK_STEPS)
async def test_links_are_alike(opened: Database, story: list[Step]) -> None:
    number = next(NUMBERS)
    whose = Assignee(f"int_{number}", number, number)
    real, memory = Workers(Links(opened), whose), Workers(memory_store().links, whose)
    for one in story:
        assert await ask(real, one) == await ask(memory, one), one
        assert await real.everything() == await memory.everything(), one
