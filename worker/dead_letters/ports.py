"""What working with dead letters needs of the outside. The implementation's docstring is the contract."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from events.integration import Assignee, Integration
from events.letters import Act, Letter, Place, Replay, Status, Verdict, Which
from events.link import ItemKey, Link, Standing
from events.replays import OperatorAction, ReplayJob


class Replays(Protocol):
    """Where single replays are written down."""

    async def begin(self, letter_id: str, replay: Replay, why: str) -> Letter | None: ...
    async def ended(self, letter_id: str, replay: str, verdict: Verdict, detail: str, now: datetime) -> None: ...


class Queue(Protocol):
    """The letters, as jobs go through them."""

    async def in_order(self, which: Which, after: Place | None, limit: int) -> list[Letter]: ...
    async def verdicts(self, replays: Sequence[tuple[str, str]]) -> dict[str, tuple[Verdict, str]]: ...


class Jobs(Protocol):
    """Jobs that replay many letters."""

    async def add(self, job: ReplayJob) -> None: ...
    async def claim(self, job_id: str, runner: str, now: datetime, length: timedelta) -> ReplayJob | None: ...
    async def save(self, job: ReplayJob, runner: str, until: datetime | None) -> bool: ...


class Files(Protocol):
    """The letters, as people decide about them."""

    async def get(self, letter_id: str) -> Letter | None: ...
    async def move(self, which: Which, into: Status, act: Act) -> int: ...
    async def replace(self, letter_id: str, by: Letter, act: Act) -> None: ...
    async def tell(self, letter_ids: Sequence[str], act: Act) -> None: ...


class Actions(Protocol):
    """What people did."""

    async def write(self, action: OperatorAction) -> None: ...


class Standings(Protocol):
    """What is known of items."""

    async def of_items(self, items: Sequence[ItemKey], references: Sequence[tuple[int, str]]) -> list[Standing]: ...
    async def by_ids(self, ids: Sequence[str]) -> dict[str, Link]: ...


class Integrations(Protocol):
    """What is known of integrations."""

    async def get(self, integration_id: str) -> Integration | None: ...
    async def assignees(self, users: Sequence[tuple[int, int]]) -> list[Assignee]: ...
