"""What the worker tells the PSA platform. CloudEvents on the exchange `calsync.outcomes`; routing key: the type.

At least once, and in no particular order. An outcome says what was the case at its `time`: an older one that comes
after a newer one of the same type and thing is old news. It has the same `id` when it is sent again; if it says
something else by then, it has another.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Discriminator, Field, JsonValue, TypeAdapter, WithJsonSchema

from events.contract import CloudEvent, Contract, Identifier, Int32, ItemId, PartId
from events.items import ItemType


class About(Contract):
    """Whose integration an outcome is about."""

    tenant_id: Int32
    user_id: Int32
    integration_id: Identifier
    """As the PSA platform chose it."""


class CalendarFound(Contract):
    """One calendar of the account, for the PSA's dropdown."""

    calendar_id: str
    """What the configure event names if the user picks this one."""
    name: str
    writable: bool
    """Only a writable calendar can be linked."""
    primary: bool
    """Whether it is the main one of its profile."""
    provider: str
    """Cronofy's name of the service, such as `office365`, `exchange`, `gsuite` or `icloud`."""
    profile_id: str
    profile_name: str
    """The account it belongs to, usually an e-mail address."""


class AuthorizationData(About):
    """Where the user grants access."""

    revision: int
    """The one of the authorize event."""
    url: str = Field(repr=False)
    """Send the user's browser there."""


class OrderClosedData(About):
    """What became of something that was asked for once."""

    revision: int
    """The one of the event that asked for it; -1 if an operator did."""
    order: str
    """What was asked for, such as `authorize`. More may come."""
    result: Literal["done", "refused"]
    reason: str | None = None
    """A reason code, of a refusal."""
    explanation: str = ""
    """The reason in an English sentence for the user."""
    message: str = ""
    """What more there is to say."""


class ConnectedData(About):
    """The link to Cronofy works."""

    provider: str
    """Cronofy's name of the service, such as `office365` or `gsuite`; empty if it does not say."""
    profile_name: str
    """The account, usually an e-mail address."""


class DisconnectedData(About):
    """The link does not work. Nothing is lost: what waits is done once it works again."""

    reason: str
    """A reason code, such as `reauthorise_needed`, `revoked_by_user`, `calendar_missing`, `calendar_read_only`,
    `pending_initial_sync` or `provider_error`. More may come."""
    explanation: str
    """The reason in an English sentence for the user."""
    relink_url: str | None = None
    """Where the user can repair it, if known."""


class AccountChangedData(About):
    """Another account was connected than the one that was linked. Until it is answered, nothing is synced."""

    former: str
    """The account that was linked, usually an e-mail address."""
    connected: str
    """The account that the user connected now."""
    provider: str
    """Cronofy's name of its service, such as `office365`; empty if it does not say."""


class SwitchedData(About):
    """The Active toggle is in this position. Once it says off, nothing more is written on either side."""

    revision: int
    """The one of the activate or deactivate event."""
    active: bool


class ExportedData(About):
    """What is kept about a user: one part of it, of one integration. Secrets are left out."""

    request_id: str
    """The one of the export event."""
    part: int = Field(ge=1)
    """Which part it is, counted from 1."""
    last: bool
    """Whether it is the last one of this integration."""
    records: Annotated[
        tuple[dict[str, JsonValue], ...], WithJsonSchema({"type": "array", "items": {"type": "object"}})
    ] = Field(repr=False)
    """Each says what it is by `record`: `integration`, `link`, `log`, `order`, `run`, `dead_letter`. More may come."""


class CopiesCountedData(About):
    """How many events of ours are in the linked calendar."""

    revision: int
    """The one of the event that asked."""
    total: int = Field(ge=0)
    by_type: dict[str, int]
    """By the type of the item."""


class DeletedData(About):
    """The integration is gone for good. Its channel is closed; its authorization is given up if nobody else uses it."""

    removed: int = Field(ge=0)
    """How many events were removed from the calendar."""
    complete: bool
    """Whether everything that was asked for was done: false if events should have been removed and could not be."""
    erased: bool = False
    """Whether everything that was known about the user is being erased."""


class CalendarsFoundData(About):
    """All calendars of the account that still exist."""

    calendars: tuple[CalendarFound, ...]
    """The complete list; it replaces the former one."""


class ConfiguredData(About):
    """The settings of this revision are in force; real-time sync is on unless the integration is switched off."""

    revision: int
    """The one of the configure event."""
    calendar_id: str
    """The calendar that is linked now."""


class Direction(StrEnum):
    """Which way something went."""

    TO_CALENDAR = "to_calendar"
    FROM_CALENDAR = "from_calendar"
    NONE = "none"


class ItemData(About):
    """Which item, and between which sides."""

    item_type: ItemType
    item_id: ItemId
    part_id: PartId | None = None
    """Of a part of the item, as in the event about it."""
    revision: int | None = None
    """The newest revision of the item that the worker had seen."""


class ItemSyncedData(ItemData):
    """A read-back proved that both sides agree."""

    direction: Direction
    """Which side was brought up to date."""
    action: str
    """`update` (made or changed) or `delete`. More may come."""


class ItemBlockedData(ItemData):
    """The item does not sync, and why. It is tried again when it changes."""

    reason: str
    """A reason code, such as `psa_refused`, `calendar_refused` or `never_applied`. More may come."""
    explanation: str
    """The reason in an English sentence for the user."""
    message: str = ""
    """Words of the side that refused, if there are any."""


class Lost(Contract):
    """A field that was changed on both sides, and the value that was not taken over."""

    field: str
    """`when` (start, end and all-day together), `summary`, `description`, `location`, `private` or `busy`."""
    winner: Literal["psa", "calendar"]
    """Whose value both sides hold from now on."""
    value: str | None = None
    """The losing value; absent for private items."""


class ItemConflictData(ItemData):
    """The same field was changed on both sides."""

    conflict_id: str
    """Names the conflict in `psa.item.restore.v1`, by which a lost value is had back."""
    lost: tuple[Lost, ...]
    """One entry for each such field."""


class SyncedData(About):
    """Something was synced, either way."""

    last_sync: AwareDatetime | None = None
    """The listing's Last Sync Date, in UTC. It only grows: ignore an older one. Absent: nothing was ever synced."""
    verified_complete: AwareDatetime | None = None
    """When the calendar was last read completely and found to agree, or brought to agree; absent if never."""


class ItemRef(Contract):
    """Names an item."""

    item_type: ItemType
    item_id: ItemId
    part_id: PartId | None = None


class DeletionsHeldData(About):
    """Unusually many deletions came at once. They wait; everything else goes on."""

    direction: Direction
    """`from_calendar`: deleted in the calendar, still there in the PSA; `to_calendar`: the other way round."""
    count: int = Field(ge=1)
    """How many this is about. Later ones are told of on their own."""
    sample: tuple[ItemRef, ...]
    """Some of the items that would be deleted, or that were."""
    reason: str
    """A reason code: `many_deletions`, or `calendar_missing` or `calendar_read_only` if that is why. More may come."""
    explanation: str
    """The reason in an English sentence for the user."""


class SuspiciousReadData(About):
    """The calendar showed so little of what is known that the read was not believed. Nothing was deleted."""

    known: int
    """How many events it should have shown."""
    shown: int
    """How many of them it did show."""


class ItemFrozenData(ItemData):
    """A text goes to and fro between two values, because something else writes it as well. It is left alone."""

    field: str
    """`summary`, `description` or `location`. Everything else of the item flows as before."""
    until: AwareDatetime
    """When it flows again. Sooner if a person writes something else, or asks for it."""
    tool: str | None = None
    """The other tool, if it gives itself away."""


class PreviewSpan(Contract):
    """From `start` to `end` (exclusive), in UTC: whole days of the user's zone."""

    start: AwareDatetime
    end: AwareDatetime


class PreviewTotals(Contract):
    """How many items and events would come to what, counted as `calsync.run.progress.v1` does."""

    created: int = Field(default=0, ge=0)
    updated: int = Field(default=0, ge=0)
    deleted: int = Field(default=0, ge=0)
    unchanged: int = Field(default=0, ge=0)
    """Are in sync already."""
    skipped: int = Field(default=0, ge=0)
    """Would be left as they are on purpose."""


class PreviewExample(Contract):
    """One of those that a line of the preview counts: the line with this direction, action and reason."""

    direction: Direction
    action: Literal["create", "update", "delete", "skip"]
    reason: str
    item: ItemRef | None = None
    """Absent: an event that no item was made of."""
    title: str | None = Field(default=None, repr=False)
    """Of an event that would become an item or change one; never of a private one, or one that stays outside."""
    when: str
    """Start and end, such as `2026-03-09T14:00:00Z/2026-03-09T15:00:00Z`, or days, the last one exclusive; may be
    empty."""


class PreviewLine(Contract):
    """What would be done alike, which way and why."""

    direction: Direction
    """`to_calendar`, `from_calendar` (into the PSA), or `none` of what would be left as it is."""
    action: Literal["create", "update", "delete", "skip"]
    reason: str
    """A reason code."""
    explanation: str
    """The reason in an English sentence for the user."""
    count: int = Field(ge=1)


class PreviewedData(About):
    """What saving the settings would do, as both sides are now."""

    revision: int
    """The one of the preview event; -1 if an operator asked."""
    retrieve: PreviewSpan | None = None
    """What would be read of the calendar; absent if that is not ticked."""
    send: PreviewSpan | None = None
    """What would be read of the PSA's items; absent if that is not ticked."""
    totals: PreviewTotals
    lines: tuple[PreviewLine, ...]
    """All but what is in sync already, the largest counts first."""
    examples: tuple[PreviewExample, ...]
    """The first few of each line."""
    held: int = Field(default=0, ge=0)
    """How many of the deletions would not be carried out at once, being unusually many."""
    copies_removed: int = Field(default=0, ge=0)
    """How many events of ours would be removed from the former calendar."""
    complete: bool
    """False if there is so much that it was not counted to its end: then there is more of everything."""


class LogLine(Contract):
    """One thing that was done, or deliberately not done."""

    id: str
    """Names the line; of a conflict it is the `conflict_id` as well."""
    at: AwareDatetime
    trigger: str
    """What made us look: `psa_event`, `notification`, `settings`, `due`, `replay`, `audit`, or `run`. More may come."""
    manual: bool
    """Whether a person asked for it, by a run."""
    direction: Direction
    action: str
    """`create`, `update`, `delete`, `confirm`, `skip`, `reject`, `find`. More may come."""
    result: str
    """`accepted` (the calendar took it; `confirm` tells that it arrived), `done`, `retrying`, `failed`, `conflict`,
    `skipped`. More may come."""
    reason: str
    """A reason code."""
    explanation: str
    """The reason in an English sentence for the user."""
    message: str = ""
    """What the side that refused said."""
    item: ItemRef | None = None
    """Absent while an event has no item."""
    title: str | None = None
    """What the user calls it; absent for what is private."""
    fields: tuple[str, ...] = ()
    """Which fields were written, or overruled."""
    attempt: int = 1
    run_id: str | None = None


class LogPageData(About):
    """A page of the log, the newest line first."""

    revision: int
    """The one of the event that asked."""
    lines: tuple[LogLine, ...]
    next: str | None = None
    """What to give as `after` for the next page; absent on the last one."""


class RunProgressData(About):
    """A manual run or backfill moved on or ended."""

    run_id: str
    """Names the run. The same in all events about it; the log's lines of the run carry it, too."""
    revision: int | None = None
    """Of the event that asked for it. If a run was under way that does all that is asked, the event joins it: then this
    is told once for the joining event, with the id of the run that it joined."""
    kind: Literal["sync", "undo"] = "sync"
    """More may come."""
    state: Literal["running", "finished", "failed", "refused", "cancelled"]
    """After any but `running`, nothing more comes about this run. More may come."""
    reason: str | None = None
    """A reason code, of a run that failed, was refused or cancelled."""
    explanation: str | None = None
    """The reason in an English sentence for the user."""
    done: int = Field(ge=0)
    """How many items and events have been dealt with. Only grows; exact once the run has ended."""
    total: int | None = None
    """Out of how many, once known."""
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    """Were in sync already."""
    skipped: int = 0
    """Left as they were on purpose; the log says why for each."""
    failed: int = 0
    """The log says why for each. They are tried again by themselves when that can help."""


class Told(CloudEvent):
    """The envelope of what the worker tells. `source` is `calsync`."""

    id: str = Field(min_length=1, max_length=1024)
    """Names this occurrence. The same when it is sent again."""
    time: AwareDatetime | None = None
    """When it was so; always given. An older outcome of the same type about the same thing is old news."""


class Authorization(Told):
    """The address at which the user grants access. The answer to an authorize event."""

    type: Literal["calsync.integration.authorization.v1"] = "calsync.integration.authorization.v1"
    data: AuthorizationData


class OrderClosed(Told):
    """Something that was asked for once was done, or refused. Comes after whatever else there is to tell of it."""

    type: Literal["calsync.order.closed.v1"] = "calsync.order.closed.v1"
    data: OrderClosedData


class Connected(Told):
    """The integration is connected: the listing's Status is Connected."""

    type: Literal["calsync.integration.connected.v1"] = "calsync.integration.connected.v1"
    data: ConnectedData


class Disconnected(Told):
    """The integration is not connected: the listing's Status is Not Connected, for this reason."""

    type: Literal["calsync.integration.disconnected.v1"] = "calsync.integration.disconnected.v1"
    data: DisconnectedData


class AccountChanged(Told):
    """The user connected another account than before. Answer with a resolve-account event: adopt it or not."""

    type: Literal["calsync.integration.account_changed.v1"] = "calsync.integration.account_changed.v1"
    data: AccountChangedData


class Switched(Told):
    """The position of the Active toggle is in force. The answer to activate and deactivate events."""

    type: Literal["calsync.integration.switched.v1"] = "calsync.integration.switched.v1"
    data: SwitchedData


class Exported(Told):
    """What is kept about a user. The answer to an export event, for each of the user's integrations."""

    type: Literal["calsync.user.exported.v1"] = "calsync.user.exported.v1"
    data: ExportedData


class CopiesCounted(Told):
    """How many events a removal would remove. The answer to a count-copies event."""

    type: Literal["calsync.integration.copies_counted.v1"] = "calsync.integration.copies_counted.v1"
    data: CopiesCountedData


class LogPage(Told):
    """A page of the log. The answer to a read-log event."""

    type: Literal["calsync.integration.log_page.v1"] = "calsync.integration.log_page.v1"
    data: LogPageData


class Deleted(Told):
    """The integration was deleted. The answer to a delete event, or to the leaving of its user or tenant."""

    type: Literal["calsync.integration.deleted.v1"] = "calsync.integration.deleted.v1"
    data: DeletedData


class CalendarsFound(Told):
    """The account's calendars, for the wizard's dropdown: after connecting, and when asked for."""

    type: Literal["calsync.integration.calendars_found.v1"] = "calsync.integration.calendars_found.v1"
    data: CalendarsFoundData


class Configured(Told):
    """Settings took effect. The answer to a configure event."""

    type: Literal["calsync.integration.configured.v1"] = "calsync.integration.configured.v1"
    data: ConfiguredData


class Previewed(Told):
    """What saving settings would do. The answer to a preview event."""

    type: Literal["calsync.integration.previewed.v1"] = "calsync.integration.previewed.v1"
    data: PreviewedData


class Synced(Told):
    """The integration's last sync date moved, or the calendar was verified completely."""

    type: Literal["calsync.integration.synced.v1"] = "calsync.integration.synced.v1"
    data: SyncedData


class ItemSynced(Told):
    """An item is in sync, after it was not: a change has arrived on the other side, and was seen there."""

    type: Literal["calsync.item.synced.v1"] = "calsync.item.synced.v1"
    data: ItemSyncedData


class ItemBlocked(Told):
    """An item is blocked: it does not sync until it changes or a person helps."""

    type: Literal["calsync.item.blocked.v1"] = "calsync.item.blocked.v1"
    data: ItemBlockedData


class ItemConflict(Told):
    """Both sides changed the same field, and one value was not taken over."""

    type: Literal["calsync.item.conflict.v1"] = "calsync.item.conflict.v1"
    data: ItemConflictData


class DeletionsHeld(Told):
    """Deletions are held back until `psa.integration.release_deletions` or `psa.integration.discard_deletions`."""

    type: Literal["calsync.integration.deletions_held.v1"] = "calsync.integration.deletions_held.v1"
    data: DeletionsHeldData


class SuspiciousRead(Told):
    """A complete look at the calendar was not believed. It is repeated until one is; then the calendar is verified."""

    type: Literal["calsync.integration.suspicious_read.v1"] = "calsync.integration.suspicious_read.v1"
    data: SuspiciousReadData


class ItemFrozen(Told):
    """A field of an item is frozen."""

    type: Literal["calsync.item.frozen.v1"] = "calsync.item.frozen.v1"
    data: ItemFrozenData


class RunProgress(Told):
    """A manual run or backfill moved on, ended, or was refused."""

    type: Literal["calsync.run.progress.v1"] = "calsync.run.progress.v1"
    data: RunProgressData


Outcome = Annotated[
    Authorization
    | Connected
    | Disconnected
    | AccountChanged
    | Switched
    | CopiesCounted
    | LogPage
    | Exported
    | Deleted
    | CalendarsFound
    | Configured
    | Previewed
    | Synced
    | ItemSynced
    | ItemBlocked
    | ItemConflict
    | ItemFrozen
    | DeletionsHeld
    | SuspiciousRead
    | RunProgress
    | OrderClosed,
    Discriminator("type"),
]
OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
