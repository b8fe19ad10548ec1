"""Every switch of the sandbox. The defaults are how Cronofy behaves, or is believed to."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _ordered(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] <= span[1]:
        message = "a span runs from a low to a high number of seconds"
        raise ValueError(message)
    return span


Span = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Seconds from … to; each delay is drawn from it. Both ends equal: always that long."""
Probability = Annotated[float, Field(ge=0, le=1)]


class Service(StrEnum):
    """Whose calendars a profile has: Cronofy's `provider_service`."""

    GOOGLE = "google"
    GSUITE = "gsuite"
    OFFICE365 = "office365"
    EXCHANGE = "exchange"
    OUTLOOK_COM = "outlook_com"
    ICLOUD = "icloud"


class Hazard(StrEnum):
    """Oddities of single events in answers, each seen in the field or in a client library's tests."""

    YEAR_ZERO = "year_zero"
    """`created` and `updated` are `0000-12-29T00:00:00Z`."""
    NO_LOCATION = "no_location"
    NO_OPTIONS = "no_options"
    NO_ORGANIZER = "no_organizer"
    UNKNOWN_VALUES = "unknown_values"
    """Status, transparency and participation have values that nobody has seen before."""
    EXTRA_FIELDS = "extra_fields"
    EVENT_STATUS = "event_status"
    """The status is called `event_status`, as it once was."""


class Timing(BaseModel):
    """How long things take. `write_delay`: accepted → applied. `provider_lag`: a person's change → known to Cronofy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    write_delay: Span
    provider_lag: Span


_ICLOUD: Final = Timing(write_delay=(0.5, 3), provider_lag=(30, 300))
"""iCloud is polled; the others push."""
_RETRIES: Final = (15, 60, 300, 900, 3600, 7200, 14400, 21600, 36000)


class Settings(BaseModel):
    """All switches. Spans and times are in seconds of the sandbox's clock unless said otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # How long things take

    write_delay: Span = (0.2, 1.0)
    """From the 202 until the write is applied in the person's calendar. Writes to one calendar keep their order."""
    provider_lag: Span = (0.5, 2.0)
    """From a person's change until Cronofy knows of it and gathers a notification."""
    read_lag: Span = (0.0, 0.5)
    """From then, and from the application of a write, until reads show it."""
    timing: dict[Service, Timing] = {Service.ICLOUD: _ICLOUD}
    """Providers whose `write_delay` and `provider_lag` differ from the above."""
    stamped: Literal["applied", "seen"] = "applied"
    """Whether `updated` of a person's change is the time of the change, or the time Cronofy learned of it."""

    # Limits

    requests_per_second: int = Field(default=50, ge=1)
    requests_per_minute: int = Field(default=500, ge=1)
    """Both per application, over all accounts."""
    batch_counts_entries: bool = False
    """Whether a batch uses up one request, or one per entry."""
    retry_after: bool = False
    """Whether a 429 says when to come back."""

    # Reading

    page_size: int = Field(default=100, ge=1)
    page_lifetime: float = Field(default=600, gt=0)
    last_page: Literal["absent", "empty"] = "absent"
    """How `next_page` of the last page looks."""
    shuffled: bool = False
    """Whether events come in no order instead of by last change."""
    window_past_days: int = Field(default=42, ge=0)
    window_future_days: int = Field(default=201, ge=0)
    tombstones: Literal["ids", "full"] = "ids"
    """What is left of a deleted event in an answer: its ids and times of change, or everything."""
    tombstones_kept_days: float = Field(default=30, ge=0)
    hazards: dict[Hazard, Probability] = {}
    """Which oddities answers have, and how many of the events have them."""
    gzip: bool = True
    """Whether answers above 1 KiB are compressed for clients that accept it."""
    geo: bool = False
    """Whether the plan includes `include_geo`."""

    # Writing

    closed_calendar_status: Literal[403, 404] = 403
    """The answer to a write to a read-only or deleted calendar."""
    unknown_delete_status: Literal[202, 404] = 202
    """The answer to the deletion of a managed event that does not exist."""
    recreation: Literal["same_uid", "new_uid", "ignored"] = "same_uid"
    """What an upsert of an event that the person deleted does."""
    while_disconnected: Literal["queued", "locked", "dropped"] = "queued"
    """Writes to a disconnected profile: applied after it is linked again, refused with 423, or accepted and lost."""
    outages: frozenset[Service] = frozenset()
    """Providers that cannot be reached at present: nothing is applied or learned until they come back."""
    failures_until_disconnected: int = Field(default=3, ge=1)
    failure_pause: float = Field(default=60, gt=0)
    """A profile whose credentials the person withdrew is disconnected after so many failures with such pauses."""

    # What providers make of what they are given

    rewriting: Literal["off", "settling", "growing"] = "settling"
    """Whether providers rewrite text and times; growing: what they make of their own output differs from it again."""
    rewriting_seen: Literal["at_once", "later"] = "at_once"
    """Whether reads show the provider's form at once, or first what was sent and the rest as a later change."""
    conference_block: bool = False
    """Whether Microsoft's providers append a block of text with a link to an online meeting."""
    zones: Literal["provider", "kept", "lost"] = "provider"
    """Whether time zones survive; by default that depends on the provider."""

    # Notifications

    notification_delay: Span = (1.0, 2.0)
    """Changes within this time share one notification."""
    notification_timeout: float = Field(default=5, gt=0)
    """How long a receiver may take, in real seconds: it is a real process and does not follow the sandbox's clock."""
    retry_schedule: Annotated[tuple[float, ...], Field(min_length=1)] = _RETRIES
    """Pauses between attempts; the last one repeats."""
    retry_jitter: Probability = 0.1
    retry_for: float = Field(default=86400, gt=0)
    """A channel is closed when a notification has failed for so long."""
    notifications_lost: Probability = 0
    notifications_doubled: Probability = 0
    notifications_late: Probability = 0
    """Chance of a further delay of up to a minute, which lets later ones overtake."""

    # Authorization

    consent: Literal["page", "at_once"] = "page"
    """Whether `/oauth/authorize` asks who is there, or grants at once to a new or remembered person."""
    code_lifetime: float = Field(default=300, gt=0)
    token_lifetime: float = Field(default=3600, gt=0)
    same_token_above: float = Field(default=600, ge=0)
    """A refresh returns the same access token while it has at least so long to live."""
    refresh_token_rotates: bool = False
    token_shows_userinfo: bool = True

    # The sandbox itself

    requests_kept: int = Field(default=10_000, ge=0)
    """How many received requests can be listed; older ones are forgotten."""


PROMPT: Final[dict[str, object]] = {
    "write_delay": (0, 0),
    "provider_lag": (0, 0),
    "read_lag": (0, 0),
    "timing": {},
    "notification_delay": (0, 0),
}
"""Changes that let everything happen at once: for tests whose subject is not time."""
