"""What the worker tells the PSA platform. CloudEvents on the exchange `calsync.outcomes`; routing key: the type.

At least once: the `id` is the same when one is sent again, so a consumer can drop repetitions.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Discriminator, Field, TypeAdapter

from events.contract import CloudEvent, Contract, Identifier, Int32
from events.items import ItemType


class About(Contract):
    """Whose integration an outcome is about."""

    tenant_id: Int32
    user_id: Int32
    integration_id: Identifier


class CalendarFound(Contract):
    """One calendar of the account, for the PSA's dropdown."""

    calendar_id: str
    name: str
    writable: bool
    primary: bool
    provider: str
    profile_id: str
    profile_name: str


class ConnectedData(About):
    """The link to Cronofy works."""

    provider: str
    profile_name: str


class DisconnectedData(About):
    """The link does not work. `reason`: a reason code; `relink_url`: where the user can repair it, if known."""

    reason: str
    explanation: str
    relink_url: str | None = None


class CalendarsFoundData(About):
    """All calendars of the account that still exist."""

    calendars: tuple[CalendarFound, ...]


class ConfiguredData(About):
    """The settings of this revision are in force; real-time sync is on."""

    revision: int
    calendar_id: str


class Direction(StrEnum):
    """Which way something went."""

    TO_CALENDAR = "to_calendar"
    FROM_CALENDAR = "from_calendar"
    NONE = "none"


class ItemData(About):
    """Which item, and between which sides."""

    item_type: ItemType
    item_id: Identifier
    part_id: Identifier | None = None
    revision: int | None = None
    """The newest revision of the item that the worker had seen."""


class ItemSyncedData(ItemData):
    """A read-back proved that both sides agree."""

    direction: Direction
    action: str


class ItemBlockedData(ItemData):
    """The item does not sync, and why. `message` are the words of the side that refused."""

    reason: str
    explanation: str
    message: str = ""


class Lost(Contract):
    """A field that was changed on both sides, and the value that was not taken over."""

    field: str
    winner: Literal["psa", "calendar"]
    value: str | None = None
    """The losing value; absent for private items."""


class ItemConflictData(ItemData):
    """The same field was changed on both sides."""

    lost: tuple[Lost, ...]


class SyncedData(About):
    """An item was synced either way: `last_sync` moves (UTC)."""

    last_sync: AwareDatetime


class RunProgressData(About):
    """A manual run or backfill moved on or ended."""

    run_id: str
    state: Literal["running", "finished", "failed", "refused"]
    reason: str | None = None
    done: int = Field(ge=0)
    total: int | None = None
    created: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: int = 0


class Connected(CloudEvent):
    """The integration is connected."""

    type: Literal["calsync.integration.connected.v1"] = "calsync.integration.connected.v1"
    data: ConnectedData


class Disconnected(CloudEvent):
    """The integration is not connected."""

    type: Literal["calsync.integration.disconnected.v1"] = "calsync.integration.disconnected.v1"
    data: DisconnectedData


class CalendarsFound(CloudEvent):
    """Calendars were listed."""

    type: Literal["calsync.integration.calendars_found.v1"] = "calsync.integration.calendars_found.v1"
    data: CalendarsFoundData


class Configured(CloudEvent):
    """Settings took effect."""

    type: Literal["calsync.integration.configured.v1"] = "calsync.integration.configured.v1"
    data: ConfiguredData


class Synced(CloudEvent):
    """The integration's last sync date moved."""

    type: Literal["calsync.integration.synced.v1"] = "calsync.integration.synced.v1"
    data: SyncedData


class ItemSynced(CloudEvent):
    """An item is in sync."""

    type: Literal["calsync.item.synced.v1"] = "calsync.item.synced.v1"
    data: ItemSyncedData


class ItemBlocked(CloudEvent):
    """An item is blocked."""

    type: Literal["calsync.item.blocked.v1"] = "calsync.item.blocked.v1"
    data: ItemBlockedData


class ItemConflict(CloudEvent):
    """A conflict was settled."""

    type: Literal["calsync.item.conflict.v1"] = "calsync.item.conflict.v1"
    data: ItemConflictData


class RunProgress(CloudEvent):
    """A run moved on."""

    type: Literal["calsync.run.progress.v1"] = "calsync.run.progress.v1"
    data: RunProgressData


Outcome = Annotated[
    Connected
    | Disconnected
    | CalendarsFound
    | Configured
    | Synced
    | ItemSynced
    | ItemBlocked
    | ItemConflict
    | RunProgress,
    Discriminator("type"),
]
OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
