"""The lease on one integration, for as long as it is held."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from events.failures import Stale
from events.integration import Held, Integration, Lease, Lost, Note, Released, ReleaseResult, Served, Signals, Taken
from events.reasons import Reason
from events.values import replace

if TYPE_CHECKING:
    from datetime import datetime

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
        self._written: Held = taken.integration.held
        self._served: Served | None = None
        self._hints: Signals = taken.integration.signals

    @property
    def id(self) -> str:
        """Id of the integration."""
        return self.integration.id

    @property
    def lease(self) -> Lease:
        """The lease, as it was last extended."""
        return self._lease

    @property
    def newly_verified(self) -> bool:
        """Whether the calendar was found to agree since that was last written down."""
        return self.held.verified_at is not None and self.held.verified_at != self._written.verified_at

    def note(self, **changes: Any) -> None:  # noqa: ANN401 - fields of `Held`; `replace` refuses others
        """Note parts of what is the case, to be written down with the next save or the release.

        For what costs nothing but another look if it is lost.
        """
        self.held = replace(self.held, **changes)

    async def save(self, **changes: Any) -> None:  # noqa: ANN401 - as above
        """Write down parts of what is the case. Raises `Stale` if the lease was lost."""
        await self.become(replace(self.held, **changes))

    async def become(self, after: Held) -> None:
        """Write down what is the case, as a whole. Raises `Stale` if the lease was lost."""
        self.held = after
        note = self._note()
        if not await self._leases.save(self._lease, note):
            raise Stale(Reason.LEASE_LOST)
        self._written, self._served = note.after, None

    def read_served(self) -> None:
        """Note that a complete read has followed the hints known when the lease was taken."""
        self._serve(self.integration.signals.requested, self.integration.signals.profile_checked)

    def check_served(self) -> None:
        """Note that the connection was checked, as hints known when the lease was taken asked for."""
        self._serve(self.integration.signals.served, self.integration.signals.profile_check)

    def _serve(self, requested: int, profile_check: int) -> None:
        self._served = Served(requested, profile_check)
        signals = replace(self.integration.signals, served=requested, profile_checked=profile_check)
        self.integration = replace(self.integration, signals=signals)

    def forget(self) -> None:
        """Let go of what was noted and not written down: it was found out under settings that are no longer wanted."""
        self.held, self._served = self._written, None

    async def release(self, due_at: datetime | None) -> ReleaseResult:
        """Write down what was noted and give the lease back, or keep it if there is a mark to run again."""
        return await self._leases.release(self._lease, self._note(), due_at, LEASE)

    async def give_way(self, due_at: datetime) -> Released | Lost:
        """Write down what was noted and give the lease back, though there may be a mark: it is due again anyway."""
        return await self._leases.give_way(self._lease, self._note(), due_at)

    def _note(self) -> Note:
        return Note(self._written, self.held, self._served)

    async def assure(self) -> None:
        """Make sure, right before an effect, that the work is still ours and wanted.

        Raises `Stale`: `lease_lost`, or `dropped_stale_epoch` if the settings changed meanwhile. See `hear`, too.
        """
        if self._lease.deadline - self._clock.monotonic() < _RENEW_BELOW:
            extended = await self._leases.extend(self._lease, LEASE)
            if isinstance(extended, Lost):
                raise Stale(Reason.LEASE_LOST)
            if extended.lease.epoch != self._lease.epoch:
                raise Stale(Reason.STALE_EPOCH)
            self._lease, self._hints = extended.lease, extended.integration.signals
            return
        hints = await self._leases.current(self._lease)
        if hints is None:
            raise Stale(Reason.STALE_EPOCH if await self._still_ours() else Reason.LEASE_LOST)
        self._hints = hints

    def hear(self) -> bool:
        """Take note of hints that had come in when `assure` asked. Returns whether the calendar has changed by them."""
        known, hints = self.integration.signals, self._hints
        if hints.requested <= known.requested:
            return False
        heard = replace(known, requested=hints.requested, changes_since=hints.changes_since)
        self.integration = replace(self.integration, signals=heard)
        return True

    async def others_use(self, sub: str) -> bool:
        """Whether another integration needs this account of the calendar service."""
        return await self._leases.uses_account(sub, self.id)

    async def _still_ours(self) -> bool:
        return not isinstance(await self._leases.extend(self._lease, LEASE), Lost)
