"""Acting as a user of the Calendar Sync page, and seeing what calendar sync did and told."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import TypeAdapter

from events.calendar import Provider
from events.content import Field as ContentField
from events.contract import CloudEvent
from events.psa import Inbound, Outbound, Range, SyncDirection, TenantOptions
from sandbox.psa.api.traffic import Received
from sandbox.psa.client.calls import Calls
from sandbox.psa.control.views import IntegrationView, Number, Pending
from sandbox.psa.model.integrations import (
    REDIRECT_URI,
    Activate,
    Authorize,
    CancelRun,
    Configure,
    Connect,
    CountCopies,
    Deactivate,
    Delete,
    DiscardDeletions,
    ListCalendars,
    Preview,
    ReadLog,
    ReleaseDeletions,
    ResolveAccount,
    Restore,
    SyncNow,
    UndoRun,
    Unfreeze,
    Wish,
)
from sandbox.psa.model.outcomes import Told

ALL_IN: Final = Inbound(create=True, update=True, delete=True)
ALL_OUT: Final = Outbound(appointments=True, crm_activities=True, service_calls=True, tasks=True, todos=True)

K = TypeVar("K", bound=CloudEvent)
_INTEGRATION: Final = TypeAdapter(IntegrationView)
_INTEGRATIONS: Final = TypeAdapter(list[IntegrationView])
_NUMBER: Final = TypeAdapter(Number)
_TOLD: Final = TypeAdapter(list[Told])
_RECEIVED: Final = TypeAdapter(list[Received])
_PENDING: Final = TypeAdapter(Pending)


class SyncCalls(Calls):  # noqa: PLR0904 - one method for each button
    """See the module. The buttons return the integration with the revision of the event that they caused."""

    async def authorize(
        self,
        integration_id: str,
        user_id: int,
        state: str,
        *,
        redirect_uri: str = REDIRECT_URI,
        provider: Provider | None = None,
    ) -> IntegrationView:
        """Press Click to Connect."""
        wish = Authorize(user_id=user_id, redirect_uri=redirect_uri, state=state, provider=provider)
        return await self._wish(integration_id, wish)

    async def connect(
        self,
        integration_id: str,
        user_id: int,
        code: str,
        *,
        redirect_uri: str = REDIRECT_URI,
        time_zone: str | None = None,
    ) -> IntegrationView:
        """Grant access, with the code that Cronofy's portal gave to this redirect address."""
        wish = Connect(user_id=user_id, code=code, redirect_uri=redirect_uri, time_zone=time_zone)
        return await self._wish(integration_id, wish)

    async def configure(  # noqa: PLR0913 - the wizard has as many tabs and boxes
        self,
        integration_id: str,
        calendar_id: str,
        *,
        inbound: Inbound = ALL_IN,
        outbound: Outbound = ALL_OUT,
        remove_former: bool = False,
        remove_unticked: bool = False,
        retrieve: Range | None = None,
        send: Range | None = None,
    ) -> IntegrationView:
        """Finish the wizard."""
        wish = Configure(
            calendar_id=calendar_id,
            inbound=inbound,
            outbound=outbound,
            remove_former=remove_former,
            remove_unticked=remove_unticked,
            retrieve=retrieve,
            send=send,
        )
        return await self._wish(integration_id, wish)

    async def preview(self, integration_id: str, wish: Preview) -> IntegrationView:
        """Ask what finishing the wizard would do."""
        return await self._wish(integration_id, wish)

    async def activate(self, integration_id: str) -> IntegrationView:
        """Switch Active on."""
        return await self._wish(integration_id, Activate())

    async def deactivate(self, integration_id: str) -> IntegrationView:
        """Switch Active off."""
        return await self._wish(integration_id, Deactivate())

    async def sync_now(
        self,
        integration_id: str,
        direction: SyncDirection = SyncDirection.BOTH,
        span: Range = Range(),  # noqa: B008 - a frozen value
    ) -> IntegrationView:
        """Ask for a run."""
        return await self._wish(integration_id, SyncNow(direction=direction, range=span))

    async def cancel_run(self, integration_id: str, run_id: str) -> IntegrationView:
        """End a run."""
        return await self._wish(integration_id, CancelRun(run_id=run_id))

    async def undo_run(self, integration_id: str, run_id: str) -> IntegrationView:
        """Take a run back."""
        return await self._wish(integration_id, UndoRun(run_id=run_id))

    async def list_calendars(self, integration_id: str) -> IntegrationView:
        """Ask for the calendars."""
        return await self._wish(integration_id, ListCalendars())

    async def resolve_account(self, integration_id: str, *, adopt: bool) -> IntegrationView:
        """Answer whether another account takes the place of the former."""
        return await self._wish(integration_id, ResolveAccount(adopt=adopt))

    async def count_copies(self, integration_id: str) -> IntegrationView:
        """Ask how many copies there are in the calendar."""
        return await self._wish(integration_id, CountCopies())

    async def read_log(self, integration_id: str, wish: ReadLog) -> IntegrationView:
        """Look into the log."""
        return await self._wish(integration_id, wish)

    async def release(
        self, integration_id: str, wish: ReleaseDeletions | DiscardDeletions | Unfreeze
    ) -> IntegrationView:
        """Say what becomes of what a brake holds back."""
        return await self._wish(integration_id, wish)

    async def delete_integration(self, integration_id: str, *, remove_events: bool = False) -> IntegrationView:
        """Delete the integration."""
        return await self._wish(integration_id, Delete(remove_events=remove_events))

    async def restore_value(
        self, integration_id: str, conflict_id: str, field: ContentField | None = None
    ) -> IntegrationView:
        """Ask for a value back that lost a conflict."""
        return await self._wish(integration_id, Restore(conflict_id=conflict_id, field=field))

    async def configure_tenant(self, options: TenantOptions) -> int:
        """Save the tenant's settings, as its administrator. Returns their revision."""
        body = options.model_dump(mode="json", exclude_unset=True)
        return (await self._call(_NUMBER, "POST", f"{self._tenant}/sync_settings", body)).number

    async def integrations(self) -> list[IntegrationView]:
        """Return the tenant's integrations."""
        return await self._call(_INTEGRATIONS, "GET", f"{self._tenant}/integrations")

    async def outcome(
        self,
        kind: type[K],
        *,
        integration_id: str | None = None,
        item_id: str | None = None,
        after: int = 0,
        within: float = 10.0,
    ) -> K:
        """Return the first outcome of a kind, such as `ItemSynced`; wait for it if need be, or raise `TimeoutError`."""
        of_type = kind.model_fields["type"].default
        told = await self.outcomes(of_type, integration_id=integration_id, item_id=item_id, after=after, within=within)
        for each in told:
            if isinstance(each.event, kind):
                return each.event
        msg = f"no {of_type} of {integration_id or 'any integration'} and {item_id or 'any item'} in {within} s"
        raise TimeoutError(msg)

    async def outcomes(
        self,
        of_type: str | None = None,
        *,
        integration_id: str | None = None,
        item_id: str | None = None,
        after: int = 0,
        within: float = 0.0,
    ) -> list[Told]:
        """Return what calendar sync told; wait for the first one at most so many seconds."""
        about = {"type": of_type, "integration_id": integration_id, "item_id": item_id}
        query = {**about, "after": after, "wait": within}
        return await self._call(_TOLD, "GET", "/_control/outcomes", query=query, waits=within)

    async def requests(
        self, *, after: int = 0, method: str | None = None, path: str | None = None, within: float = 0.0
    ) -> list[Received]:
        """Return what the calendar API was asked; `path` may hold `*`. Wait for the first one if told to."""
        query = {"after": after, "method": method, "path": path, "wait": within}
        return await self._call(_RECEIVED, "GET", "/_control/requests", query=query, waits=within)

    async def pending(self) -> Pending:
        """Return how far publishing is."""
        return await self._call(_PENDING, "GET", "/_control/pending")

    async def wait_until_quiet(self, *, still_for: float = 0.0, within: float = 10.0) -> Pending:
        """Wait until everything is published, and nobody has called or told anything for a while.

        Raises `TimeoutError`.
        """
        query = {"still_for": still_for, "wait": within}
        pending = await self._call(_PENDING, "GET", "/_control/pending", query=query, waits=within)
        if not pending.quiet:
            msg = f"not quiet within {within} s: {pending}"
            raise TimeoutError(msg)
        return pending

    async def _wish(self, integration_id: str, wish: Wish) -> IntegrationView:
        path = f"{self._tenant}/integrations/{integration_id}/{wish.do}"
        return await self._call(_INTEGRATION, "POST", path, wish.model_dump(mode="json", exclude={"do"}))
