# pyright: reportPrivateUsage=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
"""A property test is trusted only after it has killed its planted bugs. Each one here was a tempting simplification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import tests.memory.store
import worker.at_calendar
import worker.core.record
import worker.core.sides
import worker.intake.items
import worker.judging
import worker.reconcile
from events.integration import Released, ReleaseResult, Signals
from events.link import CalendarAsk, Link
from tests.memory.platform import MemoryPlatform
from tests.memory.store import MemoryIntegrations, MemoryLinks
from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES, TWICE, run_schedule
from tests.simulation.world import Faults
from worker.core import record
from worker.core.sides import settle_calendar

Plant = Callable[[pytest.MonkeyPatch], object]


def one_base_for_both_sides(patch: pytest.MonkeyPatch) -> None:
    """Taking acceptance for proof: the calendar is believed to show what it accepted."""
    honest = record.sent

    def sent(link: Link, *args: Any) -> Link:
        last = link.calendar_asks[-1]
        link = honest(link, *args)
        if last.content is None:
            return link
        return replace(link, calendar_base=last.content, psa_base=last.source, calendar_asks=(), due_at=None)

    patch.setattr(record, "sent", sent)


def believing_the_first_sight(patch: pytest.MonkeyPatch) -> None:
    """After A, B, A the old A is taken for the new one while B is still on its way."""
    patch.setattr(worker.core.sides, "_unmistakable", lambda *_: True)


def looking_only_where_the_hint_points(patch: pytest.MonkeyPatch) -> None:
    """An unseen edit of the other side is written over in silence."""

    def must_look(work: Any, due: Any) -> bool:
        del due
        signals = work.holding.integration.signals
        return work.read_at is None and signals.requested > signals.served

    patch.setattr(worker.reconcile, "_must_look", must_look)


def writing_before_writing_down(patch: pytest.MonkeyPatch) -> None:
    """The intention is recorded with the result only: a crash in between makes our own write look like an edit."""
    asks: dict[str, CalendarAsk] = {}

    def ask_calendar(link: Link, ask: CalendarAsk, timing: Any) -> Link:
        del timing
        asks[link.id] = ask
        return link

    def sent(link: Link, now: Any, timing: Any) -> Link:
        link = replace(link, calendar_asks=(*link.calendar_asks, replace(asks[link.id], sent=True)))
        return replace(link, due_at=record.next_look(link, now, timing))

    patch.setattr(record, "_ask_calendar", ask_calendar)
    patch.setattr(record, "sent", sent)


def saving_without_a_fence(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes last is right, even if somebody else took over long ago."""
    honest = MemoryLinks.save

    async def save(self: MemoryLinks, lease: Any, changes: Any) -> frozenset[str]:
        now = [
            (self.links[before.id], replace(after, version=self.links[before.id].version)) for before, after in changes
        ]
        self.fences.update({before.id: 0 for before, _ in changes})
        return await honest(self, lease, now)

    async def current(self: MemoryIntegrations, lease: Any) -> Signals:
        return self.rows[lease.integration_id].integration.signals

    patch.setattr(MemoryLinks, "save", save)
    patch.setattr(MemoryIntegrations, "current", current)
    patch.setattr(MemoryIntegrations, "_mine", lambda self, lease: self.rows[lease.integration_id])


def releasing_without_looking_at_the_mark(patch: pytest.MonkeyPatch) -> None:
    """What was observed while somebody worked is forgotten."""

    async def release(self: MemoryIntegrations, lease: Any, note: Any, due_at: Any, length: Any) -> ReleaseResult:
        del length
        await self._step("release")
        row = self.rows[lease.integration_id]
        tests.memory.store._write_down(row, note)
        row.owner = row.until = None
        row.integration = replace(row.integration, due_at=due_at)
        return Released()

    patch.setattr(MemoryIntegrations, "release", release)


def believing_the_latest_message(patch: pytest.MonkeyPatch) -> None:
    """The observation that arrives last wins, not the newest revision."""
    patch.setattr(tests.memory.store, "_newer", lambda *_: True)
    patch.setattr(worker.intake.items, "_is_news", lambda *_: True)


def forgetting_early_deletions(patch: pytest.MonkeyPatch) -> None:
    """A deletion that overtakes the creation is dropped, because nobody knows the item yet."""
    honest = worker.intake.items._plan_item

    def plan_item(plan: Any, key: Any, links: Any, assignees: Any) -> None:
        if plan.changes[key].deleted and not links:
            return
        honest(plan, key, links, assignees)

    patch.setattr(worker.intake.items, "_plan_item", plan_item)


def creating_without_a_reference(patch: pytest.MonkeyPatch) -> None:
    """A creation repeated after a crash makes a second appointment."""
    honest = MemoryPlatform.create
    numbers = iter(range(1_000_000))

    async def create(self: MemoryPlatform, draft: Any) -> Any:
        return await honest(self, replace(draft, reference=f"{draft.reference}~{next(numbers)}"))

    patch.setattr(MemoryPlatform, "create", create)


def forgetting_what_was_overruled(patch: pytest.MonkeyPatch) -> None:
    """The loser of a conflict, still shown until our write arrives, passes for a fresh edit."""

    def allowed(link: Link, field: Any) -> tuple[Any, ...]:
        values = [link.calendar_base.value(field)] if link.calendar_base else []
        return (*values, *(ask.content.value(field) for ask in link.calendar_asks if ask.content))

    patch.setattr(worker.core.sides, "allowed", allowed)


def not_expecting_what_was_taken_over(patch: pytest.MonkeyPatch) -> None:
    """A write under way arrives after an edit was taken over, and passes for settled."""
    patch.setattr(worker.core.sides, "believe", lambda link, *_: link)
    patch.setattr(worker.core.record, "believe", lambda link, *_: link)


def writing_twins(patch: pytest.MonkeyPatch) -> None:
    """The news of an appointment that we made outruns the PSA's answer, and becomes a second event."""

    async def without_twins(work: Any, steps: Any) -> Any:
        del work
        return list(steps)

    patch.setattr(worker.at_calendar, "_without_twins", without_twins)


def settling_on_a_single_look(patch: pytest.MonkeyPatch) -> None:
    """Whatever the event shows once is taken for what was asked."""

    def settle(link: Link, *, waited: bool) -> Link:
        del waited
        return settle_calendar(link, waited=True)

    patch.setattr(worker.judging, "settle_calendar", settle)


PLANTS: list[tuple[Plant, Faults, int]] = [
    (one_base_for_both_sides, NONE, 5),
    (believing_the_first_sight, CRASHES, 620),
    (looking_only_where_the_hint_points, NONE, 3),
    (writing_before_writing_down, OUTAGES, 50),
    (saving_without_a_fence, CUTS, 23),
    (releasing_without_looking_at_the_mark, CRASHES, 1673),
    (believing_the_latest_message, TWICE, 4),
    (forgetting_early_deletions, NONE, 69),
    (creating_without_a_reference, OUTAGES, 5),
    (forgetting_what_was_overruled, NONE, 41),
    (not_expecting_what_was_taken_over, NONE, 125),
    (writing_twins, OUTAGES, 59),
    (settling_on_a_single_look, CRASHES, 620),
]
"""Each with the faults that it needs and the schedule that showed it last, which is tried first."""
PATIENCE = 3000
"""Schedules. The rarest of them shows in one of a few hundred."""


@pytest.mark.parametrize(("plant", "faults", "shown"), PLANTS, ids=[plant.__name__ for plant, *_ in PLANTS])
def test_a_planted_bug_is_caught(plant: Plant, faults: Faults, shown: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    faultless = faults in (NONE, TWICE)  # noqa: PLR6201 - not hashable
    for seed in (shown, *range(PATIENCE)):
        try:
            run_schedule(seed, faults, faultless=faultless)
        except (AssertionError, KeyError):
            return
    pytest.fail(f"{plant.__name__} survived {PATIENCE} schedules")
