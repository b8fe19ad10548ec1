"""What a person does with dead letters. Every action is recorded before it is carried out: who, when, why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from events.letters import Act, Deed, Letter, Status, Which
from events.replays import OperatorAction, ReplayJob
from worker.dead_letters.editing import edited

if TYPE_CHECKING:
    from worker.dead_letters.ports import Actions, Files, Jobs
    from worker.ports import Clock


@dataclass(frozen=True, slots=True)
class Desk:
    """Where `who` sits. Every call raises `TryLater` if the store is away; then it may be repeated."""

    who: str
    letters: Files
    jobs: Jobs
    actions: Actions
    clock: Clock
    new_id: Callable[[], str]

    async def discard(self, which: Which, why: str) -> int:
        """Decide that nothing is to be done about letters. Returns about how many."""
        which = replace(which, statuses=frozenset({Status.OPEN, Status.REPLAYED}))
        return await self._move(which, Status.DISCARDED, Deed.DISCARDED, why)

    async def restore(self, which: Which, why: str) -> int:
        """Open letters again that were discarded, or, where they are named, resolved. Returns how many."""
        statuses = {Status.DISCARDED, Status.RESOLVED} if which.ids else {Status.DISCARDED}
        return await self._move(replace(which, statuses=frozenset(statuses)), Status.OPEN, Deed.RESTORED, why)

    async def _move(self, which: Which, into: Status, deed: Deed, why: str) -> int:
        action = await self._record(deed, which, why)
        moved = await self.letters.move(which, into, Act(deed, action.at, self.who, why))
        await self.actions.write(replace(action, letters=moved))
        return moved

    async def replay(self, which: Which, why: str, rate: float, stop_after: int | None) -> ReplayJob:
        """Order letters to be published again. The job has to be run."""
        now = self.clock.now()
        job = ReplayJob(self.new_id()[:12], self.who, why, which, now, rate, stop_after)
        await self._record(Deed.REPLAYED, which, why, job.id)
        await self.jobs.add(job)
        return job

    async def edit(self, letter: Letter, body: bytes, why: str) -> Letter:
        """Let a mended message stand for a letter. Returns the new letter, which has to be replayed.

        Raises `Refused` if such messages cannot be edited, `Malformed` if the message breaks its contract.
        """
        new = edited(letter, body, self.new_id(), self.who, why, self.clock.now())
        action = await self._record(Deed.EDITED, Which(ids=frozenset({letter.id})), why)
        await self.letters.replace(letter.id, new, Act(Deed.EDITED, action.at, self.who, f"{why} → {new.id}".strip()))
        return new

    async def saw(self, letter_ids: list[str], deed: Deed, why: str = "") -> None:
        """Record that a person was shown private texts."""
        action = await self._record(deed, Which(ids=frozenset(letter_ids)), why)
        await self.letters.tell(letter_ids, Act(deed, action.at, self.who, why))

    async def _record(self, deed: Deed, which: Which, why: str, job: str = "") -> OperatorAction:
        action = OperatorAction(self.new_id(), self.clock.now(), self.who, deed, why, which, job=job)
        await self.actions.write(action)
        return action
