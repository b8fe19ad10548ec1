"""Executing a wake-up: take the lease, work in slices until nothing is due, release."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from adapters.telemetry import metrics, tracing
from adapters.telemetry.pulse import moved
from events.commands import Cause, Wake
from events.failures import (
    Gone,
    Misconfigured,
    MustReconnect,
    NotUnderstood,
    RateLimited,
    Refused,
    Stale,
    System,
    TryLater,
)
from events.integration import Busy, Lost, Released, Status, Taken, Unknown
from events.reasons import Reason
from worker.auditing import audit
from worker.core.audits import upcoming
from worker.core.ownership import overridden
from worker.core.permit import Policy
from worker.core.retry import backoff
from worker.holding import LEASE, Holding
from worker.intake.safety import SAFETY_NET
from worker.leaving import answer_late, forget, leave, leave_former
from worker.orders import Desk, carry_out
from worker.reconcile import reconcile
from worker.revising import bury_late, revise
from worker.runs.going import Found, bring_to_rest, find
from worker.setup import Setup
from worker.slice import Slice
from worker.telling import Occasion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from datetime import datetime

    from events.integration import SettingsWish
    from events.lanes import Lane
    from events.orders import Order
    from events.tenant import Tenant, TenantSettings
    from worker.access import Access
    from worker.ports import Calendar, Commands, Leases
    from worker.slice import Tools
    from worker.tenants import TenantCache

_NEWS: Final = frozenset({Cause.PSA_EVENT, Cause.NOTIFICATION})
_TURN: Final = 50.0
"""Seconds after which a wake-up gives way to a new one, so that no message is held for long."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Brings integrations to rest. `open_calendar` and `open_access` make an integration's way to its calendar."""

    leases: Leases
    commands: Commands
    tenants: TenantCache
    tools: Tools
    open_access: Callable[[Holding], Access]
    open_calendar: Callable[[Holding, Lane], Calendar]
    fill_purse: Callable[[], Coroutine[Any, Any, None]]

    async def execute(self, wake: Wake, message_id: str) -> str:
        """Execute a wake-up. Returns what came of it, for the log. Raises `TryLater` if store or broker are away."""
        try:
            return await self._take(wake, message_id)
        except (NotUnderstood, Misconfigured) as error:
            return error.reason.value  # it is due later, and not for us

    async def _take(self, wake: Wake, message_id: str) -> str:
        taken, _ = await self.tools.together(
            self.leases.take(wake.integration_id, message_id, LEASE), self._prepare(wake)
        )
        match taken:
            case Unknown():
                await self.tools.leavers.erase_late(wake.integration_id, self.tools.clock.now())
                return Reason.UNKNOWN_INTEGRATION.value
            case Busy():
                metrics.LEASE_CONFLICTS.inc()
                return "busy"
            case Taken():
                return await self._work(wake, taken)

    async def _prepare(self, wake: Wake) -> None:
        """Have allowance in hand when something happened, for then there is something to look at or to write."""
        if wake.cause in _NEWS:
            await self.fill_purse()

    async def _work(self, wake: Wake, taken: Taken) -> str:
        began = self.tools.clock.monotonic()
        while True:
            holding = Holding(self.leases, self.tools.clock, taken)
            try:
                due_at = await self._slice(wake, holding)
            except Stale as error:
                metrics.STALE_DROPS.labels(error.reason).inc()
                if error.reason is Reason.LEASE_LOST:
                    return error.reason.value
                holding.forget()
                due_at = self.tools.clock.now()  # new settings: begin anew under them
            if self.tools.clock.monotonic() - began > _TURN or _at_once(due_at, self.tools.clock.now()):
                return await self._give_way(holding)
            moved()
            match await holding.release(due_at):
                case Released():
                    return self._rest(holding, due_at)
                case Lost():
                    metrics.STALE_DROPS.labels(Reason.LEASE_LOST).inc()
                    return Reason.LEASE_LOST.value
                case Taken() as again:
                    taken = again

    def _rest(self, holding: Holding, due_at: datetime | None) -> str:
        """Name how it was left, for log and metrics: an outage is seen there, though nothing fails because of it."""
        now, held = self.tools.clock.now(), holding.held
        if held.calendar_hold is not None and held.calendar_hold > now:
            return "calendar_on_hold"
        if held.psa_hold is not None and held.psa_hold > now:
            return "psa_on_hold"
        return "rested" if due_at is None else "waiting"

    async def _give_way(self, holding: Holding) -> str:
        """Let a new message go on, behind all that wait by now, whether or not something has come in meanwhile.

        It is sent after the release: whoever took it before could only leave a mark, and we would never end.
        """
        if isinstance(await holding.give_way(self.tools.clock.now() + SAFETY_NET), Lost):
            return Reason.LEASE_LOST.value
        await self.commands.wake([Wake(integration_id=holding.id, cause=Cause.DUE, traceparent=tracing.current())])
        return "gave_way"

    async def _slice(self, wake: Wake, holding: Holding) -> datetime | None:
        """Do what can be done now. Returns when there is more to do."""
        hold = holding.held.calendar_hold
        if hold is not None and hold > self.tools.clock.now():
            return _earliest(hold, await self._orders(wake, holding))
        try:
            due_at = await self._attempt(wake, holding)
        except TryLater as error:
            if error.system is not System.CRONOFY:
                raise
            return _earliest(await self._hold(holding, error), await self._orders(wake, holding))
        if holding.held.calendar_failures:
            self.tools.outages.back(System.CRONOFY)
            holding.note(calendar_failures=0, calendar_hold=None)
        return due_at

    async def _attempt(self, wake: Wake, holding: Holding) -> datetime | None:
        together = self.tools.together
        setup = Setup(holding, self.open_access(holding), self.tools.outcomes, self.tools.clock)
        if holding.integration.wanted.deletion is not None:
            # Orders first: whoever wants everything told and then erased is to be told.
            return _earliest(await self._orders(wake, holding), await self._leave(wake, holding, setup))
        try:
            await setup.run()
            orders, (found, tenant) = await together(
                self.tools.orders.open(holding.id), together(find(self.tools, holding.id), self._tenant(holding))
            )
            go_on_at = await self._carry_out(wake, holding, orders)
            fresh = None if orders or holding.held.revising else found
            due_at = _earliest(go_on_at, await self._reconcile(wake, setup, tenant, fresh) if setup.ready() else None)
        except (MustReconnect, Refused, Gone) as error:
            # A whole request was turned down. Only the account's own state says whether the connection is to blame.
            await _account_asked(setup)
            if error.reason is Reason.PROVIDER_ERROR and setup.in_use:
                await setup.provider_failed()
            elif holding.held.status is Status.CONNECTED:
                raise TryLater(System.CRONOFY, error.reason, error.detail) from error
            due_at = await self._orders(wake, holding)
        return _earliest(due_at, holding.held.probe_at)

    async def _orders(self, wake: Wake, holding: Holding) -> datetime | None:
        return await self._carry_out(wake, holding, await self.tools.orders.open(holding.id))

    async def _carry_out(self, wake: Wake, holding: Holding, orders: Sequence[Order]) -> datetime | None:
        return await carry_out(Desk(self.tools, holding, partial(self._pretend, wake, holding)), orders)

    async def _pretend(self, wake: Wake, holding: Holding, settings: SettingsWish) -> Slice:
        """Return a slice under settings that are not saved."""
        integration = holding.integration
        tenant = await self.tenants.of(integration.tenant_id, integration.wanted.tenant_version)
        return self._opened(wake, holding, _policy(holding, settings, tenant.settings), _no_trouble)

    async def _tenant(self, holding: Holding) -> Tenant:
        integration, known = holding.integration, holding.held.tenant_version
        if known < 0:
            # What the tenant decided before there was this integration, nobody has told it.
            tenant = await self.tenants.now(integration.tenant_id)
        else:
            tenant = await self.tenants.of(integration.tenant_id, integration.wanted.tenant_version)
        if known < integration.wanted.tenant_version:
            # How long the log is kept holds for one that is switched off, too.
            await self.tools.journal.keep_anew(integration.id, integration.tenant_id, self.tools.clock.now())
        return tenant

    async def _begin(self, wake: Wake, setup: Setup, tenant: Tenant) -> Slice:
        holding = setup.holding
        integration = holding.integration
        wanted, known = integration.wanted.tenant_version, holding.held.tenant_version
        if known < wanted:
            await self.tools.links.all_due(integration.id, self.tools.clock.now())
            await holding.save(tenant_version=tenant.version)
        policy = _policy(holding, integration.wanted.settings, tenant.settings)
        return self._opened(wake, holding, policy, setup.trouble)

    def _opened(
        self, wake: Wake, holding: Holding, policy: Policy, trouble: Callable[[], Awaitable[Reason | None]]
    ) -> Slice:
        occasion = Occasion(self.tools.clock.now(), wake.cause, wake.correlation_id)
        return Slice(self.tools, holding, partial(self.open_calendar, holding), policy, occasion, trouble)

    async def _reconcile(self, wake: Wake, setup: Setup, tenant: Tenant, found: Found | None) -> datetime | None:
        work, holding = await self._begin(wake, setup, tenant), setup.holding
        if holding.held.revising:
            await revise(work)
        due_at = await bring_to_rest(work, found or await find(self.tools, holding.id))
        if not work.over and await audit(work, setup):
            due_at = await reconcile(work)
        due_at = _earliest(due_at, upcoming(holding.held.audit))
        await setup.worked()
        return _earliest(due_at, await leave_former(work) if not work.over else work.now())

    async def _leave(self, wake: Wake, holding: Holding, setup: Setup) -> datetime | None:
        work = await self._begin(wake, setup, await self._tenant(holding))
        if not holding.held.deleted:
            return await leave(work, setup)
        await bury_late(work)
        await answer_late(work, setup)
        await forget(work)
        return None

    async def _hold(self, holding: Holding, error: TryLater) -> datetime:
        """Leave the calendar service alone for a while. An outage is nobody's fault, and lasts as long as it lasts."""
        metrics.retried(error)
        self.tools.outages.away(error)
        failures = holding.held.calendar_failures
        until = self.tools.clock.now() + backoff(failures, self.tools.chance(), error.retry_after)
        # Having used up the allowance is not a failure of the service.
        more = 0 if isinstance(error, RateLimited) else 1
        await holding.save(calendar_hold=until, calendar_failures=failures + more)
        return until


async def _account_asked(setup: Setup) -> None:
    """Ask how the account is. If that is turned down as well, nobody knows, and it is asked again later."""
    try:
        await setup.check_connection()
    except (Refused, Gone) as error:
        raise TryLater(System.CRONOFY, error.reason, error.detail) from error


async def _no_trouble() -> Reason | None:  # noqa: RUF029 - asked like any other
    return None


def _policy(holding: Holding, settings: SettingsWish | None, tenant: TenantSettings) -> Policy:
    if settings is None:
        return Policy("", inbound_create=False, inbound_update=False, inbound_delete=False, outbound=frozenset())
    chosen = [calendar for calendar in holding.held.calendars if calendar.calendar_id == settings.calendar_id]
    return Policy(
        calendar_id=settings.calendar_id,
        inbound_create=settings.inbound_create,
        inbound_update=settings.inbound_update,
        inbound_delete=settings.inbound_delete,
        outbound=settings.outbound,
        remove_unticked=settings.remove_unticked,
        unrestricted=bool(chosen) and chosen[0].unrestricted,
        linked_since=holding.held.linked_since,
        ownership=overridden(tenant.ownership),
        tenant=tenant,
    )


def _at_once(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
