"""The buttons of the PSA's Calendar Sync page, and the integrations they are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, TypeAdapter

from events.calendar import Provider
from events.content import Field as ContentField
from events.contract import Contract, Int32
from events.psa import Inbound, Outbound, Range, SyncDirection
from sandbox.psa.model.refusal import Code, Refusal

REDIRECT_URI: Final = "https://psa.example/calendar-sync/connected"


class _Wish(Contract):
    user_id: Int32 | None = None
    """Whose integration it is. Needed the first time an integration is named."""


class Authorize(_Wish):
    """The user pressed Click to Connect."""

    do: Literal["authorize"] = "authorize"
    redirect_uri: str = REDIRECT_URI
    state: str = Field(min_length=1, max_length=1024, repr=False)
    provider: Provider | None = None


class Connect(_Wish):
    """The user granted access in the portal, which gave this code."""

    do: Literal["connect"] = "connect"
    code: str = Field(min_length=1, max_length=1024, repr=False)
    redirect_uri: str = REDIRECT_URI
    time_zone: str | None = None


class _Wizard(_Wish):
    calendar_id: str
    inbound: Inbound
    outbound: Outbound
    remove_former: bool = False
    remove_unticked: bool = False
    retrieve: Range | None = None
    send: Range | None = None


class Configure(_Wizard):
    """The user finished the wizard."""

    do: Literal["configure"] = "configure"


class Preview(_Wizard):
    """The user is about to finish the wizard, and wants to know what that would do."""

    do: Literal["preview"] = "preview"


class Activate(_Wish):
    """The user switched Active on."""

    do: Literal["activate"] = "activate"


class Deactivate(_Wish):
    """The user switched Active off."""

    do: Literal["deactivate"] = "deactivate"


class SyncNow(_Wish):
    """The user asked for a run."""

    do: Literal["sync_now"] = "sync_now"
    direction: SyncDirection = SyncDirection.BOTH
    range: Range = Range()


class CancelRun(_Wish):
    """The user ended a run."""

    do: Literal["cancel_run"] = "cancel_run"
    run_id: str


class UndoRun(_Wish):
    """The user wants back what was there before a run."""

    do: Literal["undo_run"] = "undo_run"
    run_id: str


class ListCalendars(_Wish):
    """The user opened the list of calendars."""

    do: Literal["list_calendars"] = "list_calendars"


class ResolveAccount(_Wish):
    """The user answered whether another account takes the place of the former."""

    do: Literal["resolve_account"] = "resolve_account"
    adopt: bool


class CountCopies(_Wish):
    """The user is about to remove copies, and wants to know how many there are."""

    do: Literal["count_copies"] = "count_copies"


class ReadLog(_Wish):
    """The user looks into the log."""

    do: Literal["read_log"] = "read_log"
    manual: bool = False
    direction: Literal["from_calendar", "to_calendar"] | None = None
    result: str | None = None
    run_id: str | None = None
    item_type: str | None = None
    item_id: str | None = None
    part_id: str | None = None
    after: str | None = None
    limit: int = 50


class ReleaseDeletions(_Wish):
    """Deletions that are held back were looked at, and are meant."""

    do: Literal["release_deletions"] = "release_deletions"
    direction: Literal["from_calendar", "to_calendar"] | None = None


class DiscardDeletions(_Wish):
    """Deletions that are held back were looked at, and what was deleted is wanted back."""

    do: Literal["discard_deletions"] = "discard_deletions"
    direction: Literal["from_calendar", "to_calendar"] | None = None


class Unfreeze(_Wish):
    """Texts that went to and fro are to flow again."""

    do: Literal["unfreeze"] = "unfreeze"


class Delete(_Wish):
    """The user deleted the integration."""

    do: Literal["delete"] = "delete"
    remove_events: bool = False


class Restore(_Wish):
    """The user wants a value back that lost a conflict."""

    do: Literal["restore"] = "restore"
    conflict_id: str
    field: ContentField | None = None


Wish = Annotated[
    Authorize
    | Connect
    | Configure
    | Preview
    | Activate
    | Deactivate
    | SyncNow
    | CancelRun
    | UndoRun
    | ListCalendars
    | ResolveAccount
    | CountCopies
    | ReadLog
    | ReleaseDeletions
    | DiscardDeletions
    | Unfreeze
    | Delete
    | Restore,
    Discriminator("do"),
]
WISH: Final[TypeAdapter[Wish]] = TypeAdapter(Wish)


@dataclass(frozen=True, slots=True)
class Integration:
    """One user's link to one calendar, as the platform knows it."""

    tenant_id: int
    integration_id: str
    user_id: int
    revision: int = 0


class Integrations:
    """All of them. Each event of one has a revision greater than those before."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Integration] = {}
        self._tenants: dict[int, int] = {}

    def listed(self, tenant_id: int) -> tuple[Integration, ...]:
        """Return a tenant's integrations."""
        return tuple(each for each in self._known.values() if each.tenant_id == tenant_id)

    def next_revision(self, tenant_id: int, integration_id: str, user_id: int | None) -> Integration:
        """Return what the integration is to be at its next revision. An unknown one begins with its first."""
        known = self._known.get((tenant_id, integration_id))
        owner = user_id if user_id is not None else known.user_id if known else None
        if owner is None:
            raise Refusal(Code.NOT_FOUND, f"There is no integration {integration_id} yet; say whose it is (user_id).")
        return Integration(tenant_id, integration_id, owner, known.revision + 1 if known else 1)

    def keep(self, integration: Integration) -> None:
        """Remember an integration at its newest revision."""
        self._known[integration.tenant_id, integration.integration_id] = integration

    def next_tenant_revision(self, tenant_id: int) -> int:
        """Return the revision of the settings that a tenant saves now."""
        self._tenants[tenant_id] = self._tenants.get(tenant_id, 0) + 1
        return self._tenants[tenant_id]
