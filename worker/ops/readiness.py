"""Whether the worker can do its work: each thing that it needs, with the reason if it is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adapters.mongodb.driver import ping
from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.topology import lacking
from events.failures import SyncError, System, TryLater
from events.reasons import Reason

if TYPE_CHECKING:
    from adapters.mongodb.driver import Database
    from adapters.rabbitmq.publisher import Publisher
    from worker.ports import Clock

PATIENCE: Final = 2.0
"""Seconds for one check. Whoever asks does not wait for long."""
_TOPOLOGY_HOLDS: Final = 30.0
"""Seconds for which a topology that was found complete is taken to be so."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is needed. `reason` and `detail` say why it is not there."""

    ok: bool
    reason: Reason | None = None
    detail: str = ""

    def shown(self) -> dict[str, object]:
        """Return it as it is shown."""
        if self.ok or self.reason is None:
            return {"ok": self.ok}
        return {"ok": False, "reason": self.reason, "explanation": self.reason.explanation, "detail": self.detail}


_FINE: Final = Check(ok=True)


@dataclass(frozen=True, slots=True)
class Systems:
    """What a running worker works with."""

    publisher: Publisher
    database: Database
    rabbitmq_url: str


class Readiness:
    """Knows what there is to check, while there is."""

    def __init__(self, clock: Clock, stopping: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopping = stopping
        self._systems: Systems | None = None
        self._obstacle: TryLater | None = None
        self._topology_until = float("-inf")

    def begins(self, systems: Systems) -> None:
        """The worker has opened everything."""
        self._systems, self._obstacle = systems, None

    def ends(self, obstacle: TryLater | None = None) -> None:
        """The worker has ended, or waits for a system to begin."""
        self._systems, self._obstacle = None, obstacle

    @property
    def systems(self) -> Systems | None:
        """What the worker works with, while it does."""
        return self._systems

    def broker_is_there(self) -> bool:
        """Whether the broker is connected, as far as is known."""
        return self._systems is not None and self._systems.publisher.connected

    async def checks(self) -> dict[str, Check]:
        """Check everything."""
        if self._stopping():
            return {"process": Check(ok=False, reason=Reason.STOPPING)}
        if self._systems is None:
            return self._before_begin()
        broker = self._broker()
        async with asyncio.TaskGroup() as tasks:
            mongodb = tasks.create_task(_patiently(System.STORE, _ping(self._systems)))
            topology = await _patiently(System.BROKER, self._topology(self._systems)) if broker.ok else broker
        return {"rabbitmq": broker, "topology": topology, "mongodb": mongodb.result()}

    def _before_begin(self) -> dict[str, Check]:
        obstacle = self._obstacle
        if obstacle is None:
            return {"process": Check(ok=False, reason=Reason.STARTING)}
        name = "mongodb" if obstacle.system is System.STORE else "rabbitmq"
        return {name: Check(ok=False, reason=obstacle.reason, detail=obstacle.detail)}

    def _broker(self) -> Check:
        return _FINE if self.broker_is_there() else Check(ok=False, reason=Reason.UNREACHABLE, detail="reconnecting")

    async def _topology(self, systems: Systems) -> Check:
        now = self._clock.monotonic()
        if now < self._topology_until:
            return _FINE
        # A connection of its own: on a channel that heals, the broker's "not found" would be healed as well.
        async with connect_once(systems.rabbitmq_url, "calsync readiness") as connection:
            missing = await lacking(connection)
        if missing:
            detail = f"missing: {', '.join(missing)}; run `calsync topology apply`"
            return Check(ok=False, reason=Reason.BAD_SETTINGS, detail=detail)
        self._topology_until = now + _TOPOLOGY_HOLDS
        return _FINE


async def _ping(systems: Systems) -> Check:
    await ping(systems.database)  # reads from primaries only, so it finds one or says so
    return _FINE


async def _patiently(system: System, checking: Awaitable[Check]) -> Check:
    try:
        async with asyncio.timeout(PATIENCE):
            return await checking
    except TimeoutError:
        return Check(ok=False, reason=Reason.UNREACHABLE, detail=f"{system} does not answer within {PATIENCE:g} s")
    except SyncError as error:
        return Check(ok=False, reason=error.reason, detail=error.detail)
