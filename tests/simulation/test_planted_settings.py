# pyright: reportPrivateUsage=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
"""The schedules in which settings change are trusted only after they have killed these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import worker.clearing
import worker.executor
import worker.judging
import worker.reconcile
import worker.revising
from events.integration import Signals
from events.link import Link, ManagedEvent
from events.outcomes import Switched
from tests.memory.store import MemoryIntegrations
from tests.simulation.schedules import CRASHES, NONE, TWICE
from tests.simulation.test_settings import run
from tests.simulation.world import Faults
from worker import outcomes
from worker.setup import Setup

Plant = Callable[[pytest.MonkeyPatch], object]


def going_on_under_old_settings(patch: pytest.MonkeyPatch) -> None:
    """Before an effect only the lease is looked at, and not whether the settings are still wanted."""

    async def current(self: MemoryIntegrations, lease: Any) -> Signals | None:
        await self._step("current")
        row = self._mine(lease)
        return None if row is None else row.integration.signals

    patch.setattr(MemoryIntegrations, "current", current)


def staying_in_the_former_calendar(patch: pytest.MonkeyPatch) -> None:
    """Links keep the calendar in which they were made."""

    def here(link: Link, calendar_id: str) -> Link:
        del calendar_id
        return link

    patch.setattr(worker.judging, "here", here)
    patch.setattr(worker.reconcile, "here", here)


def forgetting_what_ticks_withheld(patch: pytest.MonkeyPatch) -> None:
    """A tick that is set counts for what comes later only."""
    patch.setattr(worker.revising, "is_concerned", lambda link, policy: link.event.calendar_id != policy.calendar_id)


def not_waiting_for_what_is_under_way(patch: pytest.MonkeyPatch) -> None:
    """A former calendar that shows nothing of ours counts as cleared, though a write may still arrive there."""
    patch.setattr(worker.revising, "arrives_until", lambda *_: None)


def not_looking_after_it_was_off(patch: pytest.MonkeyPatch) -> None:
    """What changed in the calendar while it was off is waited for until somebody tells of it."""

    async def switch(self: Setup, wanted: Any) -> None:
        told: Switched = outcomes.switched(self.holding, wanted.active_revision, self.clock.now(), active=wanted.active)
        await self.outcomes.publish([told])
        await self.holding.save(active_revision=wanted.active_revision)
        self.holding.read_served()

    patch.setattr(Setup, "_switch", switch)


def burying_only_once(patch: pytest.MonkeyPatch) -> None:
    """What intake observes while everything is being buried stays."""

    async def bury_late(work: Any) -> None:
        del work

    patch.setattr(worker.executor, "bury_late", bury_late)


def removing_only_what_is_known(patch: pytest.MonkeyPatch) -> None:
    """Links say what there is to remove; what only the calendar knows stays there."""
    honest = worker.clearing._ours

    async def ours(work: Any, calendar_id: str) -> Any:
        known = await work.tools.links.page(work.holding.id, "", 1000)
        names = {link.event for link in known if isinstance(link.event, ManagedEvent)}
        shown = await honest(work, calendar_id)
        return [one for one in shown if ManagedEvent(one.calendar_id, str(one.event_id)) in names]

    patch.setattr(worker.clearing, "_ours", ours)


PLANTS: list[tuple[Plant, Faults, bool, int]] = [
    (going_on_under_old_settings, NONE, False, 54),
    (staying_in_the_former_calendar, NONE, False, 0),
    (forgetting_what_ticks_withheld, NONE, False, 1),
    (not_waiting_for_what_is_under_way, NONE, False, 26),
    (not_looking_after_it_was_off, NONE, False, 10),
    (burying_only_once, TWICE, True, 216),
    (removing_only_what_is_known, CRASHES, False, 6),
]
"""Each with the faults that it needs, whether the user deletes, and the schedule that showed it last, tried first."""
PATIENCE = 1500


@pytest.mark.parametrize(("plant", "faults", "deletes", "shown"), PLANTS, ids=[plant.__name__ for plant, *_ in PLANTS])
def test_a_planted_bug_is_caught(
    plant: Plant, faults: Faults, deletes: bool, shown: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    for seed in (shown, *range(PATIENCE)):
        try:
            run(seed, faults, deletes=deletes)
        except (AssertionError, KeyError):
            return
    pytest.fail(f"{plant.__name__} survived {PATIENCE} schedules")
