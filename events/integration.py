"""One PSA user's link to one calendar: what the user wants, what is the case, and who is working on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from events.items import ItemType
from events.reasons import Reason


@dataclass(frozen=True, slots=True)
class ConnectWish:
    """The newest authorization the user granted. `code` is single-use."""

    revision: int
    code: str = field(repr=False)
    redirect_uri: str
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class SettingsWish:
    """The newest settings the user saved."""

    revision: int
    calendar_id: str
    inbound_create: bool
    inbound_update: bool
    inbound_delete: bool
    outbound: frozenset[ItemType]
    remove_former: bool = False
    """Whether to remove our copies from the calendar that was linked before; otherwise they stay there."""
    remove_unticked: bool = False
    """Whether to remove copies of items whose type is not ticked (any more); otherwise they stay as they are."""


@dataclass(frozen=True, slots=True)
class DeletionWish:
    """The integration is not wanted any more, for good."""

    revision: int
    """Of the event; `LEFT` if its user or tenant left."""
    remove_events: bool = False
    """Whether to remove from the calendar what we wrote there."""
    erase: bool = False
    """Whether everything that is known about the user is to be erased afterwards."""


LEFT: Final = 0
"""The revision of a deletion that no event of the integration asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants. Written by intake only; each part has the revision of the event that brought it."""

    connect: ConnectWish | None = None
    settings: SettingsWish | None = None
    active: bool = True
    active_revision: int = -1
    list_calendars_revision: int = -1
    deletion: DeletionWish | None = None
    tenant_version: int = 0
    """Of the tenant's settings that count."""


class Status(StrEnum):
    """The two words of the PSA's listing; the reason stands beside them."""

    CONNECTED = "connected"
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens the account. Never logged, encrypted at rest."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    """By our clock, computed from `expires_in` when the tokens came."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who was connected."""

    sub: str
    profile_id: str
    profile_name: str
    provider_name: str
    provider_service: str


@dataclass(frozen=True, slots=True)
class Grant:
    """An account, and what opens it."""

    account: Account
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class CalendarInfo:
    """One calendar of the account, as last listed."""

    calendar_id: str
    name: str
    profile_id: str
    profile_name: str = ""
    provider_name: str = ""
    provider_service: str = ""
    read_only: bool = False
    deleted: bool = False
    primary: bool = False
    unrestricted: bool = False

    @property
    def writable(self) -> bool:
        """Whether it can be chosen as the linked calendar."""
        return not (self.read_only or self.deleted)


@dataclass(frozen=True, slots=True)
class DeepLook:
    """A complete look at the calendar that is under way, part by part."""

    began: datetime
    start: datetime
    end: datetime
    parts: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class Stock:
    """When the PSA's items are listed unasked, and how far that has come."""

    at: datetime | None = None
    look: DeepLook | None = None
    newest: datetime | None = None
    """By the PSA's clock: the newest change that the listing under way has shown so far."""
    until: datetime | None = None
    """By the PSA's clock: the newest change that the first complete listing showed. Of later ones events tell."""
    suspicious: int = 0
    """How many listings in a row showed so little that they were not believed."""


@dataclass(frozen=True, slots=True)
class Audit:
    """When calendar and PSA are looked at unasked."""

    light_at: datetime | None = None
    deep_at: datetime | None = None
    look: DeepLook | None = None
    suspicious: int = 0
    """How many complete looks in a row showed so little that they were not believed."""
    stock: Stock = Stock()


@dataclass(frozen=True, slots=True)
class Search:
    """How far an event has been looked for in a calendar that is too large to be read at once."""

    link_id: str
    page: str
    """Where to go on; empty to begin."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is the case. Written by the holder of the lease only."""

    connected_revision: int = -1
    """Revision of the connect wish that was carried out."""
    configured_revision: int = -1
    """Revision of the settings that are in force (channel made, cursor set)."""
    listed_revision: int = -1
    tenant_version: int = -1
    """Of the tenant's settings under which all links have been judged; -1 before any were."""
    turns: int = 0
    """How often the PSA was told that the connection works or does not; names each time."""
    active_revision: int = -1
    """Revision of the position of the Active toggle that was acknowledged."""
    deleted: bool = False
    """Whether a deletion was carried out: nothing is left to be done, ever."""
    deletion_revision: int = -1
    """Revision of the deletion that the PSA was told of last."""
    cleared: bool = False
    """Whether what we had written was removed from the calendar with the deletion."""
    removed: int = 0
    """How many events were removed from a calendar by the deletion, or the change of calendar, that is under way."""
    status: Status = Status.NOT_CONNECTED
    reason: Reason = Reason.NOT_CONFIGURED
    relink_url: str | None = None
    probe_at: datetime | None = None
    """When to ask again how a broken connection is, because nobody tells when it works."""
    account: Account | None = None
    tokens: Tokens | None = None
    offered: Grant | None = None
    """Another account that the user connected: the PSA platform was asked whether it takes the place of the former."""
    retired: tuple[Grant, ...] = ()
    """What is not needed any more and is to be revoked, unless somebody else uses the account."""
    time_zone: str | None = None
    calendars: tuple[CalendarInfo, ...] = ()
    channel_id: str | None = None
    calendar_id: str = ""
    """The calendar that is linked by the settings in force."""
    revising: bool = False
    """Whether links have not been looked through yet since settings came into force."""
    former: tuple[str, ...] = ()
    """Calendars that were linked before and from which our copies are to be removed."""
    clear_after: datetime | None = None
    """Until then something that was asked of a former calendar may still arrive there."""
    surveyed: bool = True
    """Whether the calendar was searched for events of ours, to be adopted."""
    unread: bool = False
    """Whether the calendar may have changed unnoticed, so that it has to be read without a hint."""
    cursor: datetime | None = None
    """By Cronofy's clock: everything changed before it has been read."""
    linked_since: datetime | None = None
    """By Cronofy's clock: events created before are not new."""
    last_sync: datetime | None = None
    verified_at: datetime | None = None
    """When the calendar was last read completely."""
    audit: Audit = Audit()
    search: Search | None = None
    """An event that is being looked for."""
    empty_looks: int = 0
    """Reads in a row that did not show what a notification had announced."""
    calendar_hold: datetime | None = None
    """Not before this is Cronofy asked again, after an outage or a rate limit."""
    calendar_failures: int = 0
    """Outages in a row, as seen by this integration."""
    psa_hold: datetime | None = None
    psa_failures: int = 0


@dataclass(frozen=True, slots=True)
class Signals:
    """Hints that intake left for the holder of the lease."""

    requested: int = 0
    """Grows with every notification."""
    served: int = 0
    """What of it the last complete read has served."""
    changes_since: datetime | None = None
    """The earliest `changes_since` among the unserved notifications (Cronofy's clock)."""
    profile_check: int = 0
    """Grows with every hint that the profile's connection changed."""
    profile_checked: int = 0


@dataclass(frozen=True, slots=True)
class Integration:
    """See the module."""

    id: str
    tenant_id: int
    user_id: int
    epoch: int
    """Grows with every change of what is wanted; work under an older one is dropped."""
    wanted: Wanted = Wanted()
    held: Held = Held()
    signals: Signals = Signals()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Hints that have been followed: up to these numbers of `Signals`. Later ones stay."""

    requested: int
    profile_check: int


@dataclass(frozen=True, slots=True)
class Note:
    """What the holder of the lease has found out since it last wrote it down."""

    before: Held
    after: Held
    served: Served | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing to write down."""
        return self.served is None and self.before == self.after


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one integration, until `deadline`."""

    integration_id: str
    owner: str
    """Id of the message that took it; its redelivery may enter again at once."""
    fence: int
    """Grows with every taking; saves under an older one are refused."""
    epoch: int
    """The settings under which this work was begun."""
    deadline: float
    """By the holder's monotonic clock, in seconds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease is ours, and this is what the integration looks like."""

    lease: Lease
    integration: Integration


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else holds the lease; they have been told to run again before they release it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such integration."""


@dataclass(frozen=True, slots=True)
class Released:
    """The lease is given back."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The lease was no longer ours."""


TakeResult = Taken | Busy | Unknown
ReleaseResult = Released | Taken | Lost
"""`Taken`: there was a mark to run again, so the lease was kept; the mark is cleared."""


@dataclass(frozen=True, slots=True)
class Assignee:
    """An integration of a user, as far as intake needs to know it."""

    integration_id: str
    tenant_id: int
    user_id: int
