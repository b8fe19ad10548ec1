"""What is asked and shown of time, faults, and what happens."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from sandbox.cronofy.api.faults import Fault
from sandbox.cronofy.control.shapes import Given, View


class Advance(Given):
    """How far to move the clock on."""

    seconds: float = Field(ge=0)


class SetClock(Given):
    """Where to move the clock."""

    to: AwareDatetime


class ClockView(View):
    """What time it is."""

    now: AwareDatetime
    frozen: bool


class RequestFilter(Given):
    """Which requests to list."""

    after: int = 0
    path: str = ""
    """What the path starts with."""
    method: str = ""


class RequestView(View):
    """A request that was received. `status`: None while under way, or if nothing was answered."""

    number: int
    at: AwareDatetime
    operation: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict[str, JsonValue]
    status: int | None
    entries: tuple[int, ...]
    fault: str | None


class RequestsView(View):
    """Requests, oldest first. `last`: the number of the newest one of all."""

    last: int
    requests: tuple[RequestView, ...]


class TallyView(View):
    """How often the application's writes did something to an event."""

    calendar_id: str
    event_uid: str
    event_id: str | None
    creates: int
    updates: int
    deletes: int


class MailView(View):
    """A mail that a provider sent because of a write."""

    at: AwareDatetime
    calendar_id: str
    event_id: str | None
    to: str
    about: Literal["invitation", "cancellation"]


class PostView(View):
    """An attempt to deliver a notification."""

    at: AwareDatetime
    number: int
    channel_id: str
    type: str
    changes_since: AwareDatetime | None
    attempt: int
    outcome: Literal["accepted", "failed", "lost"]


class ChannelView(View):
    """A channel, open or closed."""

    channel_id: str
    sub: str
    callback_url: str
    calendar_ids: tuple[str, ...] | None
    only_managed: bool
    closed: bool


class NewNotification(Given):
    """A notification of any type, real or not."""

    type: str
    changes_since: AwareDatetime | None = None


class Secrets(Given):
    """The application's active client secrets."""

    secrets: tuple[str, ...] = Field(min_length=1, max_length=2)


class FaultView(View):
    """A rule in force. `left`: how often it will still act; None: always."""

    number: int
    fault: Fault
    left: int | None


class PendingWrite(View):
    """A write that is accepted and not applied. `held`: it waits for its provider, not for time."""

    calendar_id: str
    kind: str
    event: str | None
    accepted_at: AwareDatetime
    held: bool


class PendingChange(View):
    """A change that Cronofy does not know of yet, or that reads do not show yet."""

    calendar_id: str
    event_uid: str
    stage: Literal["unknown", "unshown"]
    due: AwareDatetime


class PendingNotification(View):
    """A notification not accepted by its receiver yet. `due`: None while it is being delivered."""

    number: int
    channel_id: str
    type: str
    attempts: int
    due: AwareDatetime | None


class Pending(View):
    """All that is under way.

    `quiet`: nothing but writes that are held and notifications that failed at least once. `next_due`: when the next
    of the others happens; None if they are being delivered.
    """

    quiet: bool
    next_due: AwareDatetime | None
    writes: tuple[PendingWrite, ...]
    changes: tuple[PendingChange, ...]
    notifications: tuple[PendingNotification, ...]


class Wait(Given):
    """How many real seconds to wait for quiet before answering."""

    wait: float = Field(default=0, ge=0, le=60)
