"""The lease on one integration, for as long as it is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from events.failures import Stale
from events.integration import Held, Integration, Lease, Lost, Taken
from events.reasons import Reason

if TYPE_CHECKING:
    from worker.ports import Clock, Leases

LEASE = timedelta(seconds=90)
"""Longer than the longest call, so that a call has ended before the lease does."""
_RENEW_BELOW = 60.0


class Holding:
    """What the holder knows, and the only way in which it records what is the case."""

    def __init__(self, leases: Leases, clock: Clock, taken: Taken) -> None:
        self._leases = leases
        self._clock = clock
        self._lease = taken.lease
        self.integration: Integration = taken.integration
        self.held: Held = taken.integration.held

    @property
    def id(self) -> str:
        """Id of the integration."""
        return self.integration.id

    @property
    def lease(self) -> Lease:
        """The lease, as it was last extended."""
        return self._lease

    async def save(self, **changes: Any) -> None:  # noqa: ANN401 - fields of `Held`; `replace` refuses others
        """Record parts of what is the case. Raises `Stale` if the lease was lost."""
        await self.become(replace(self.held, **changes))

    async def become(self, after: Held) -> None:
        """Record what is the case, as a whole. Raises `Stale` if the lease was lost."""
        if not await self._leases.save(self._lease, self.held, after):
            raise Stale(Reason.LEASE_LOST)
        self.held = after

    async def read_served(self) -> None:
        """Note that a complete read has followed the hints known when the lease was taken."""
        await self._serve(self.integration.signals.requested, self.integration.signals.profile_checked)

    async def check_served(self) -> None:
        """Note that the connection was checked, as hints known when the lease was taken asked for."""
        await self._serve(self.integration.signals.served, self.integration.signals.profile_check)

    async def _serve(self, requested: int, profile_check: int) -> None:
        if not await self._leases.serve(self._lease, requested=requested, profile_check=profile_check):
            raise Stale(Reason.LEASE_LOST)
        signals = replace(self.integration.signals, served=requested, profile_checked=profile_check)
        self.integration = replace(self.integration, signals=signals)

    async def assure(self) -> None:
        """Make sure, right before an effect, that the work is still ours and wanted.

        Raises `Stale`: `lease_lost`, or `dropped_stale_epoch` if the settings changed meanwhile.
        """
        if self._lease.deadline - self._clock.monotonic() < _RENEW_BELOW:
            extended = await self._leases.extend(self._lease, LEASE)
            if isinstance(extended, Lost):
                raise Stale(Reason.LEASE_LOST)
            if extended.lease.epoch != self._lease.epoch:
                raise Stale(Reason.STALE_EPOCH)
            self._lease = extended.lease
        elif not await self._leases.current(self._lease):
            raise Stale(Reason.STALE_EPOCH if await self._still_ours() else Reason.LEASE_LOST)

    async def _still_ours(self) -> bool:
        return not isinstance(await self._leases.extend(self._lease, LEASE), Lost)
