"""Messages from the PSA platform: an item changed, and the life of an integration.

CloudEvents 1.0 in structured JSON, published to the exchange `psa.events` with the event's `type` as routing key. At
least once and in no particular order: what counts is the `revision` in the data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, TypeAdapter, model_validator

from events.calendar import Provider
from events.content import Field as ContentField
from events.contract import CloudEvent, Contract, Identifier, Int32, ItemId, Noted, PartId
from events.items import Appointment, CrmActivity, ItemType, ServiceCall, Task, Todo
from events.journal import Result
from events.tenant import Owner, PrivateInbound, PrivateOutbound, Sending


class OriginKind(StrEnum):
    """Who made a change. A label for the log, never a reason to drop an event."""

    USER = "user"
    API = "api"
    WORKFLOW = "workflow"
    CALENDAR_SYNC = "calendar_sync"


class Origin(Contract):
    """Who made the change. Tell what is known: nothing is decided by it."""

    kind: OriginKind = OriginKind.USER
    external_reference: str | None = Field(default=None, max_length=255)
    """The one under which this worker created the appointment, also when it was changed or deleted."""


class _Changed(Contract):
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"deleted": {"const": False}}},
            "then": {"required": ["assignees"], "properties": {"assignees": {"type": "array"}}},
        }
    )

    tenant_id: Int32
    item_id: ItemId
    """The PSA's id of the item, as text. Unique within the tenant and `item_type`; never used again for another."""
    part_id: PartId | None = None
    """A task's planned period (`taskMemberHourId`), or one occurrence of a series (its original start, always written
    in the same way, such as `2026-03-09T14:00:00Z`). Absent: the item as a whole."""
    revision: int = Field(ge=0, lt=2**63)
    """Grows with every change of the item, also when it is deleted or assigned to others. An event whose revision is
    not newer than what is known changes nothing, so events may arrive in any order and twice."""
    deleted: bool
    """Whether the item is gone for good. Its events are then removed from all calendars."""
    assignees: tuple[Int32, ...] | None = None
    """User ids of everybody whose My Calendar shows the item, the complete list each time: the item is withdrawn from
    the calendar of whoever is missing. Required unless `deleted`."""
    modified_on: Noted = None
    """When it was changed, for the log."""
    modified_by: Int32 | None = None
    """Id of the user who changed it, for the log."""
    origin: Origin = Origin()

    @model_validator(mode="after")
    def _assignees_are_named(self) -> Self:
        if not self.deleted and self.assignees is None:
            msg = "assignees are required unless the item is deleted"
            raise ValueError(msg)
        return self


class AppointmentChanged(_Changed):
    """An appointment, or with `part_id` one occurrence of a recurring one."""

    item_type: Literal[ItemType.APPOINTMENT]
    item: Appointment | None = None
    """The complete item as of this revision. Absent: the worker reads it from the calendar API."""


class CrmActivityChanged(_Changed):
    """A CRM activity."""

    item_type: Literal[ItemType.CRM_ACTIVITY]
    item: CrmActivity | None = None
    """The complete item as of this revision. Absent: the worker reads it from the calendar API."""


class ServiceCallChanged(_Changed):
    """A service call."""

    item_type: Literal[ItemType.SERVICE_CALL]
    item: ServiceCall | None = None
    """The complete item as of this revision. Absent: the worker reads it from the calendar API."""


class TaskChanged(_Changed):
    """A project task, or with `part_id` one planned period of it."""

    item_type: Literal[ItemType.TASK]
    item: Task | None = None
    """The complete item as of this revision. Absent: the worker reads it from the calendar API."""


class TodoChanged(_Changed):
    """A to-do."""

    item_type: Literal[ItemType.TODO]
    item: Todo | None = None
    """The complete item as of this revision. Absent: the worker reads it from the calendar API."""


ItemChange = Annotated[
    AppointmentChanged | CrmActivityChanged | ServiceCallChanged | TaskChanged | TodoChanged,
    Discriminator("item_type"),
]


class ItemChanged(CloudEvent):
    """An item of a My Calendar was created, changed, reassigned or deleted. One event per item, not per user."""

    type: Literal["psa.calendar_item.changed.v1"]
    data: ItemChange


class IntegrationData(Contract):
    """What every integration event says: whose integration, and which revision of the user's wishes this is."""

    tenant_id: Int32
    user_id: Int32
    """The user whose My Calendar is synced. The same in all events of the integration."""
    integration_id: Identifier
    """Chosen by the PSA platform; names one user's link to one calendar for ever, across all tenants."""
    revision: int = Field(ge=0, lt=2**63)
    """Grows with every integration event of this integration, so that they may arrive in any order and twice."""


class AuthorizeData(IntegrationData):
    """The user is about to grant access. Cronofy sends the browser back to `redirect_uri` with a code and `state`."""

    redirect_uri: str = Field(min_length=1, max_length=2048)
    """Where the user goes afterwards: an address of the PSA that Cronofy knows as one of this application's."""
    state: str = Field(min_length=1, max_length=1024, repr=False)
    """Comes back unaltered. Bind it to the user's session and let nobody guess it: it proves that the answer belongs to
    the question."""
    provider: Provider | None = None
    """Preselected in the portal. Absent: the user picks one there."""


class ConnectData(IntegrationData):
    """The user granted access in Cronofy's portal. `code` is single-use and short-lived."""

    code: str = Field(min_length=1, max_length=1024, repr=False)
    """The authorization code with which Cronofy called the PSA back. Send it at once: it expires."""
    redirect_uri: str = Field(min_length=1, max_length=2048)
    """The one of that authorization request, letter for letter."""
    time_zone: str | None = Field(default=None, max_length=64)
    """IANA zone of the user's PSA profile; decides which midnight makes a to-do all-day."""


class Inbound(Contract):
    """The three ticks under Linked Calendar: which changes of the calendar come into the PSA."""

    create: bool = False
    """New events become appointments."""
    update: bool = False
    """Edited events change their items, as far as the kind of item accepts it."""
    delete: bool = False
    """Deleted events delete their appointments. Other kinds of item are never deleted from the calendar."""


class Outbound(Contract):
    """The five ticks under Your Calendar: items of which types go out to the calendar."""

    appointments: bool = False
    crm_activities: bool = False
    service_calls: bool = False
    tasks: bool = False
    todos: bool = False


class PastRange(StrEnum):
    """How far back a run reaches. `none`: not at all, it starts with today."""

    NONE = "none"
    ONE_DAY = "1_day"
    ONE_WEEK = "1_week"
    TWO_WEEKS = "2_weeks"
    ONE_MONTH = "1_month"


class FutureRange(StrEnum):
    """How far ahead a run reaches."""

    ONE_WEEK = "1_week"
    TWO_WEEKS = "2_weeks"
    ONE_MONTH = "1_month"
    THREE_MONTHS = "3_months"
    SIX_MONTHS = "6_months"


class Range(Contract):
    """The span of a run, relative to the day it starts."""

    past: PastRange = PastRange.NONE
    future: FutureRange = FutureRange.ONE_MONTH


class ConfigureData(IntegrationData):
    """Everything the wizard saves."""

    calendar_id: str = Field(min_length=1, max_length=512)
    """One of those told by `calsync.integration.calendars_found.v1`, and writable."""
    inbound: Inbound
    outbound: Outbound
    remove_former: bool = False
    """If another calendar was linked before: whether our copies are removed from it. Otherwise they stay there."""
    remove_unticked: bool = False
    """Whether copies of items whose type is not ticked are removed from the calendar. Otherwise they stay there."""
    retrieve: Range | None = None
    """`Retrieve linked calendar items` is ticked, with this range: a run that starts now. Absent: not ticked."""
    send: Range | None = None
    """`Send my Calendar items` is ticked, with this range: a run that starts now. Absent: not ticked."""


class PreviewData(ConfigureData):
    """What the wizard is about to save. Name the revision of this event; saving has one of its own."""


class ResolveAccountData(IntegrationData):
    """The user connected another account than before, and was asked what that means."""

    adopt: bool
    """Whether the new account takes the place of the former. If so the user picks one of its calendars, and what was
    linked moves there; if not, the former account stays, and has to be connected again if it no longer works."""


class SyncDirection(StrEnum):
    """Which way a manual run goes."""

    RETRIEVE = "retrieve"
    SEND = "send"
    BOTH = "both"


class SyncNowData(IntegrationData):
    """The user pressed sync now."""

    direction: SyncDirection = SyncDirection.BOTH
    range: Range = Range()
    """Of both directions."""


class RunData(IntegrationData):
    """A run of this integration, as `calsync.run.progress.v1` names it."""

    run_id: str = Field(min_length=1, max_length=256)


class DeleteData(IntegrationData):
    """The integration is deleted for good. The user's events stay unless `remove_events`."""

    remove_events: bool = False
    """Whether to remove from the calendar what this worker wrote there."""


class Authorize(CloudEvent):
    """The user pressed Click to Connect. Answered by `calsync.integration.authorization.v1`: where to go."""

    type: Literal["psa.integration.authorize.v1"]
    data: AuthorizeData


class HeldDeletionsData(IntegrationData):
    """Which of the deletions that are held back."""

    direction: Literal["from_calendar", "to_calendar"] | None = None
    """Only those that were made in the calendar, or only those that were made in the PSA. Absent: all."""


class UnfreezeData(IntegrationData):
    """Which items."""

    item_type: ItemType | None = None
    """Absent, like all that follows: all of the integration's items."""
    item_id: ItemId | None = None
    part_id: PartId | None = None

    @model_validator(mode="after")
    def _item_is_whole(self) -> Self:
        _must_be_whole(self.item_type, self.item_id, self.part_id)
        return self


class RestoreData(IntegrationData):
    """The user wants a value back that lost a conflict."""

    conflict_id: str = Field(min_length=1, max_length=1024)
    """The one of `calsync.item.conflict.v1`."""
    field: ContentField | None = None
    """Only the value of this field. Absent: all that were lost in this conflict."""


class AppointmentOwnership(Contract):
    """Who owns which field of appointments. Absent: `both`, and deleting the event deletes the appointment."""

    when: Owner | None = None
    """Start, end and all-day together."""
    summary: Owner | None = None
    description: Owner | None = None
    location: Owner | None = None
    private: Owner | None = None
    deletable: bool | None = None
    """Whether deleting the event deletes the appointment, if the user ticked Delete; otherwise the event just goes."""


class WorkOwnership(Contract):
    """Who owns the times of a kind of work record: `both`, if absent.

    Its text is generated by the PSA, and it is never deleted from the calendar.
    """

    when: Owner | None = None
    """`psa`: what is moved in the calendar is moved back."""


class OwnershipTable(Contract):
    """Where a tenant departs from the usual ownership, by type of item."""

    appointment: AppointmentOwnership = AppointmentOwnership()
    crm_activity: WorkOwnership = WorkOwnership()
    service_call: WorkOwnership = WorkOwnership()
    task: WorkOwnership = WorkOwnership()
    todo: WorkOwnership = WorkOwnership()


class SentFields(Contract):
    """What of a kind of item goes into the calendar, apart from its time and its title: `sent` or `left_out`."""

    description: Sending = Sending.SENT
    """The text, and the link back to the item."""
    location: Sending = Sending.SENT


class MappingTable(Contract):
    """What of each type of item goes into the calendar. A calendar that refuses a field can be spared it."""

    appointment: SentFields = SentFields()
    crm_activity: SentFields = SentFields()
    service_call: SentFields = SentFields()
    task: SentFields = SentFields()
    todo: SentFields = SentFields()


class BrakeOptions(Contract):
    """How much is too much. Unusually many deletions wait to be released; a text that goes to and fro is left alone."""

    deletions_minutes: int = Field(default=60, ge=1, le=1440)
    """Deletions are counted over this time, in minutes."""
    few_deletions: int = Field(default=10, ge=0, le=100_000)
    """So many of one integration are never held back."""
    deletions_percent: int = Field(default=25, ge=0, le=100)
    """More than a few are held back if they are more than this share of all that was in sync."""
    many_deletions: int = Field(default=100, ge=0, le=100_000)
    """More than this are held back, however much is in sync."""
    alternations: int = Field(default=3, ge=1, le=20)
    """So often may a text of an item come back to what it was before, within a day."""
    freeze_hours: int = Field(default=24, ge=1, le=720)
    """How long a text that does is left alone, in hours."""
    writes_an_hour: int = Field(default=20, ge=4, le=1000)
    """So often may one item be written in an hour, to either side; who uses it up waits longer each time."""


class TenantOptions(Contract):
    """Everything that a tenant can decide, the complete set each time: what is absent has its default."""

    ownership: OwnershipTable = OwnershipTable()
    mapping: MappingTable = MappingTable()
    """Applies to the events that are made for items; what users have made themselves stays as it is."""
    private_inbound: PrivateInbound = PrivateInbound.BUSY
    """What the PSA gets to see of events that their user marked private: `busy` (that the time is taken),
    `not_imported` (nothing) or `full`."""
    private_outbound: PrivateOutbound = PrivateOutbound.FULL
    """What the calendar gets to see of items that are private in the PSA: `busy` or `full`. They are marked private
    either way."""
    remove_when_done: bool = False
    """Whether the event of a completed item is removed from the calendar. Otherwise it stays, marked `[Done]`."""
    brakes: BrakeOptions = BrakeOptions()
    log_keep_days: int | None = Field(default=None, ge=1, le=3660)
    """How long the sync log keeps what is written from now on. Absent: as long as the worker's own settings say."""


class ConfigureTenantData(TenantOptions):
    """What the tenant's administrator saved."""

    tenant_id: Int32
    revision: int = Field(ge=0, lt=2**63)
    """Grows with every change of the tenant's settings, so that events may arrive in any order and twice."""


class ReadLogData(IntegrationData):
    """Which lines of the log are wanted. What is not given matches anything."""

    manual: bool = False
    """Only what was done because a person asked for a run; otherwise what real time did, too."""
    direction: Literal["from_calendar", "to_calendar"] | None = None
    result: Result | None = None
    run_id: str | None = Field(default=None, min_length=1, max_length=256)
    item_type: ItemType | None = None
    """Only about one item: its type, id and, if it is one part, that part."""
    item_id: ItemId | None = None
    part_id: PartId | None = None
    after: str | None = Field(default=None, min_length=1, max_length=1024)
    """Go on behind this line: `next` of the page before."""
    limit: int = Field(default=50, ge=1, le=100)
    """How many lines at most."""

    @model_validator(mode="after")
    def _item_is_whole(self) -> Self:
        _must_be_whole(self.item_type, self.item_id, self.part_id)
        return self


def _must_be_whole(item_type: ItemType | None, item_id: str | None, part_id: str | None) -> None:
    """Refuse half a name: it would be taken for none, which means all items."""
    if (item_type is None) != (item_id is None) or (part_id is not None and item_id is None):
        msg = "an item is named by its type and its id"
        raise ValueError(msg)


class UserData(Contract):
    """Which user."""

    tenant_id: Int32
    user_id: Int32


class TenantData(Contract):
    """Which tenant."""

    tenant_id: Int32


class ExportUserData(UserData):
    """Whose data is wanted."""

    request_id: Identifier
    """Names the request: however often its event comes, it is answered once."""


class UserLeft(CloudEvent):
    """A user was disabled or left. All their integrations are deleted; what is in the calendars stays there.

    Each is answered by `calsync.integration.deleted.v1`. Nothing more is to be sent about them: whoever comes back
    connects anew, and finds everything again.
    """

    type: Literal["psa.user.left.v1"]
    data: UserData


class TenantLeft(CloudEvent):
    """A tenant left: as if every one of its users had."""

    type: Literal["psa.tenant.left.v1"]
    data: TenantData


class ExportUser(CloudEvent):
    """A user wants to know what is kept about them. Answered by `calsync.user.exported.v1`, in parts."""

    type: Literal["psa.user.export.v1"]
    data: ExportUserData


class EraseUser(CloudEvent):
    """Everything about a user is to be erased. Their integrations are deleted first, as if the user had left."""

    type: Literal["psa.user.erase.v1"]
    data: UserData


class Connect(CloudEvent):
    """The calendar was authorized. Answered by `calsync.integration.connected.v1` or `.disconnected.v1`."""

    type: Literal["psa.integration.connect.v1"]
    data: ConnectData


class Configure(CloudEvent):
    """The settings were saved. Answered by `calsync.integration.configured.v1` when they are in force."""

    type: Literal["psa.integration.configure.v1"]
    data: ConfigureData


class Preview(CloudEvent):
    """What would saving these settings do? Nothing is saved and nothing is written, on either side.

    Answered by `calsync.integration.previewed.v1`, then `calsync.order.closed.v1`; by the latter alone if refused.
    """

    type: Literal["psa.integration.preview.v1"]
    data: PreviewData


class Activate(CloudEvent):
    """The Active toggle was switched on: the sync goes on from where it stood. New integrations are active."""

    type: Literal["psa.integration.activate.v1"]
    data: IntegrationData


class Deactivate(CloudEvent):
    """The Active toggle was switched off: nothing is synced either way, and manual runs are refused."""

    type: Literal["psa.integration.deactivate.v1"]
    data: IntegrationData


class SyncNow(CloudEvent):
    """A manual run was asked for. Answered by `calsync.run.progress.v1`, again and again until it ends."""

    type: Literal["psa.integration.sync_now.v1"]
    data: SyncNowData


class CancelRun(CloudEvent):
    """The run under way is to end. What it has done stays. Answered by its last `calsync.run.progress.v1`."""

    type: Literal["psa.integration.cancel_run.v1"]
    data: RunData


class UndoRun(CloudEvent):
    """What a run did is to be taken back, except where either side has been changed since.

    What the run made is removed, what it changed shows again what it showed before, whatever is ticked. From then
    on two follow each other again once one is edited. Answered by `calsync.run.progress.v1`, of a run of its own.
    """

    type: Literal["psa.integration.undo_run.v1"]
    data: RunData


class ListCalendars(CloudEvent):
    """The PSA wants a fresh list of calendars. Answered by `calsync.integration.calendars_found.v1`."""

    type: Literal["psa.integration.list_calendars.v1"]
    data: IntegrationData


class ResolveAccount(CloudEvent):
    """The answer to `calsync.integration.account_changed.v1`. Answered by `calsync.order.closed.v1`."""

    type: Literal["psa.integration.resolve_account.v1"]
    data: ResolveAccountData


class CountCopies(CloudEvent):
    """Before copies are removed: how many are there? Answered by `calsync.integration.copies_counted.v1`."""

    type: Literal["psa.integration.count_copies.v1"]
    data: IntegrationData


class ReadLog(CloudEvent):
    """Somebody reads the log.

    Answered by `calsync.integration.log_page.v1`, then `calsync.order.closed.v1`; by the latter alone if refused.
    """

    type: Literal["psa.integration.read_log.v1"]
    data: ReadLogData


class ReleaseDeletions(CloudEvent):
    """Deletions that a brake holds back are to be carried out, as far as what was deleted is still gone.

    Answered by `calsync.order.closed.v1`.
    """

    type: Literal["psa.integration.release_deletions.v1"]
    data: HeldDeletionsData


class DiscardDeletions(CloudEvent):
    """What was deleted is to be brought back, as far as a brake holds the deletions back.

    Events are made again, and so are appointments; the event of another item stays, and no longer follows it.
    Answered by `calsync.order.closed.v1`.
    """

    type: Literal["psa.integration.discard_deletions.v1"]
    data: HeldDeletionsData


class Unfreeze(CloudEvent):
    """Texts that went to and fro between two values are to flow again. Answered by `calsync.order.closed.v1`."""

    type: Literal["psa.integration.unfreeze.v1"]
    data: UnfreezeData


class Delete(CloudEvent):
    """The integration was deleted. Its `integration_id` must not be used again."""

    type: Literal["psa.integration.delete.v1"]
    data: DeleteData


class RestoreValue(CloudEvent):
    """A value that lost a conflict is wanted back. It is brought into the PSA as if its user had entered it now.

    From there it goes into the calendar. Answered by `calsync.order.closed.v1`.
    """

    type: Literal["psa.item.restore.v1"]
    data: RestoreData


class ConfigureTenant(CloudEvent):
    """A tenant's settings were saved. They count for all its integrations, also for what has been synced before."""

    type: Literal["psa.tenant.configure.v1"]
    data: ConfigureTenantData


IntegrationEvent = Annotated[
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
    | RestoreValue,
    Discriminator("type"),
]
PsaEvent = Annotated[
    ItemChanged
    | ConfigureTenant
    | UserLeft
    | TenantLeft
    | ExportUser
    | EraseUser
    | Authorize
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
    | RestoreValue,
    Discriminator("type"),
]

PSA_EVENT: TypeAdapter[PsaEvent] = TypeAdapter(PsaEvent)
"""The one door for everything that the PSA platform publishes."""
