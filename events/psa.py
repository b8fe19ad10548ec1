"""Messages from the PSA platform: an item changed, and the life of an integration.

CloudEvents 1.0 in structured JSON, published to the exchange `psa.events` with the event's `type` as routing key. At
least once and in no particular order: what counts is the `revision` in the data.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Discriminator, Field, TypeAdapter, model_validator

from events.contract import CloudEvent, Contract, Identifier, Int32
from events.items import Appointment, CrmActivity, ItemType, ServiceCall, Task, Todo


class OriginKind(StrEnum):
    """Who made a change. A label for the log, never a reason to drop an event."""

    USER = "user"
    API = "api"
    WORKFLOW = "workflow"
    CALENDAR_SYNC = "calendar_sync"


class Origin(Contract):
    """`external_reference`: the one under which this worker created an appointment."""

    kind: OriginKind = OriginKind.USER
    external_reference: str | None = Field(default=None, max_length=255)


class _Changed(Contract):
    tenant_id: Int32
    item_id: Identifier
    part_id: Identifier | None = None
    """A task's planned period (`taskMemberHourId`), or one occurrence of a series (its original start)."""
    revision: int = Field(ge=0, lt=2**63)
    """Grows with every change of the item. An event that is not newer than what is known changes nothing."""
    deleted: bool
    assignees: tuple[Int32, ...] | None = None
    """Everybody whose My Calendar shows the item. Required unless `deleted`."""
    modified_on: AwareDatetime | None = None
    modified_by: Int32 | None = None
    origin: Origin = Origin()

    @model_validator(mode="after")
    def _assignees_are_named(self) -> Self:
        if not self.deleted and self.assignees is None:
            msg = "assignees are required unless the item is deleted"
            raise ValueError(msg)
        return self


class AppointmentChanged(_Changed):
    """An appointment. `item` absent: read it from the calendar API."""

    item_type: Literal[ItemType.APPOINTMENT]
    item: Appointment | None = None


class CrmActivityChanged(_Changed):
    """A CRM activity."""

    item_type: Literal[ItemType.CRM_ACTIVITY]
    item: CrmActivity | None = None


class ServiceCallChanged(_Changed):
    """A service call."""

    item_type: Literal[ItemType.SERVICE_CALL]
    item: ServiceCall | None = None


class TaskChanged(_Changed):
    """A project task, or with `part_id` one planned period of it."""

    item_type: Literal[ItemType.TASK]
    item: Task | None = None


class TodoChanged(_Changed):
    """A to-do."""

    item_type: Literal[ItemType.TODO]
    item: Todo | None = None


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
    integration_id: Identifier
    """Chosen by the PSA platform; names one user's link to one calendar for ever."""
    revision: int = Field(ge=0, lt=2**63)
    """Grows with every integration event of this integration, so that they may arrive in any order and twice."""


class ConnectData(IntegrationData):
    """The user granted access in Cronofy's portal. `code` is single-use and short-lived."""

    code: str = Field(min_length=1, max_length=1024, repr=False)
    redirect_uri: str = Field(min_length=1, max_length=2048)
    time_zone: str | None = Field(default=None, max_length=64)
    """IANA zone of the user's PSA profile; decides which midnight makes a to-do all-day."""


class Inbound(Contract):
    """The three ticks under Linked Calendar: which changes of the calendar come into the PSA."""

    create: bool = False
    update: bool = False
    delete: bool = False


class Outbound(Contract):
    """The five ticks under Your Calendar: items of which types go out to the calendar."""

    appointments: bool = False
    crm_activities: bool = False
    service_calls: bool = False
    tasks: bool = False
    todos: bool = False


class PastRange(StrEnum):
    """How far back a run reaches."""

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
    inbound: Inbound
    outbound: Outbound
    retrieve: Range | None = None
    """`Retrieve linked calendar items` is ticked, with this range. A run that starts when the wizard is finished."""
    send: Range | None = None
    """`Send my Calendar items` is ticked, with this range."""


class SyncDirection(StrEnum):
    """Which way a manual run goes."""

    RETRIEVE = "retrieve"
    SEND = "send"
    BOTH = "both"


class SyncNowData(IntegrationData):
    """The user pressed sync now."""

    direction: SyncDirection = SyncDirection.BOTH
    range: Range = Range()


class DeleteData(IntegrationData):
    """The integration is deleted for good. The user's events stay unless `remove_events`."""

    remove_events: bool = False


class Connect(CloudEvent):
    """The calendar was authorized."""

    type: Literal["psa.integration.connect.v1"]
    data: ConnectData


class Configure(CloudEvent):
    """The settings were saved."""

    type: Literal["psa.integration.configure.v1"]
    data: ConfigureData


class Activate(CloudEvent):
    """The Active toggle was switched on."""

    type: Literal["psa.integration.activate.v1"]
    data: IntegrationData


class Deactivate(CloudEvent):
    """The Active toggle was switched off."""

    type: Literal["psa.integration.deactivate.v1"]
    data: IntegrationData


class SyncNow(CloudEvent):
    """A manual run was asked for."""

    type: Literal["psa.integration.sync_now.v1"]
    data: SyncNowData


class ListCalendars(CloudEvent):
    """The PSA wants the list of calendars for its dropdown, fresh."""

    type: Literal["psa.integration.list_calendars.v1"]
    data: IntegrationData


class Delete(CloudEvent):
    """The integration was deleted."""

    type: Literal["psa.integration.delete.v1"]
    data: DeleteData


IntegrationEvent = Annotated[
    Connect | Configure | Activate | Deactivate | SyncNow | ListCalendars | Delete,
    Discriminator("type"),
]
PsaEvent = Annotated[
    ItemChanged | Connect | Configure | Activate | Deactivate | SyncNow | ListCalendars | Delete,
    Discriminator("type"),
]

PSA_EVENT: TypeAdapter[PsaEvent] = TypeAdapter(PsaEvent)
"""The one door for everything that the PSA platform publishes."""
