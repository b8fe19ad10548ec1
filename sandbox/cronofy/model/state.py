"""What there is: an application, the accounts that trust it, their profiles, calendars and channels."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sandbox.clock import Chance
from sandbox.cronofy.model import ids
from sandbox.cronofy.model.agenda import Agenda
from sandbox.cronofy.model.allowance import Allowance
from sandbox.cronofy.model.draft import Upsert, Write
from sandbox.cronofy.model.event import Event
from sandbox.cronofy.model.listing import Listings
from sandbox.cronofy.model.records import Mail, Posted, Tally
from sandbox.cronofy.model.settings import Service, Settings
from sandbox.cronofy.model.shelf import Shelf
from sandbox.cronofy.model.tokens import Tokens

CHANNELS_PER_ACCOUNT: Final = 128
_POSTS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Application:
    """The application whose server calls. Two secrets are active while they are being rotated."""

    client_id: str
    client_secrets: tuple[str, ...]


@dataclass(slots=True)
class Profile:
    """A person's login at a provider."""

    id: str
    sub: str
    service: Service
    name: str
    connected: bool = True
    """Whether Cronofy believes that it can use the profile."""
    credentials_valid: bool = True
    """Whether it really can: the person may have withdrawn them at the provider."""
    failing: bool = False
    """Whether Cronofy has noticed that it cannot, and keeps trying."""
    initial_sync_required: bool = False
    free_busy_only: bool = False
    """The person shares only when there is time: writes become invitations, events cannot be read."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A write that was answered with 202. `never`: it will not be applied, and nobody will be told."""

    write: Write
    at: datetime
    never: bool


@dataclass(slots=True)
class Calendar:
    """A calendar: what is in it, what Cronofy's reads show of it, and the writes that wait to be applied."""

    id: str
    profile: Profile
    name: str
    primary: bool = False
    readonly: bool = False
    deleted: bool = False
    unrestricted: bool = False
    """Whether the person allowed changes to events of their own."""
    can_invite: bool = True
    events: Shelf = field(default_factory=Shelf)
    seen: Shelf = field(default_factory=Shelf)
    queue: deque[Accepted] = field(default_factory=deque[Accepted])
    scheduled: int = 0
    """For how many of `queue` the application is on the agenda."""
    busy_until: datetime | None = None
    """When the last of them is applied: later ones wait behind it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a channel is told about. `calendar_ids`: these calendars only; None: all."""

    calendar_ids: frozenset[str] | None = None
    only_managed: bool = False

    def cover(self, event: Event) -> bool:
        """Tell whether an event is of interest."""
        return (self.calendar_ids is None or event.calendar_id in self.calendar_ids) and (
            event.managed or not self.only_managed
        )


@dataclass(slots=True)
class Channel:
    """Where notifications about an account go."""

    id: str
    sub: str
    callback_url: str
    filters: Filters
    closed: bool = False
    gathering: int | None = None
    """The notification that still takes in further changes."""


@dataclass(slots=True)
class Notification:
    """A notification that has not been accepted by its receiver yet."""

    number: int
    channel: Channel
    type: str
    since: datetime | None
    body: bytes = b""
    """Composed at the first attempt and the same for all of them."""
    attempts: int = 0
    first_sent: datetime | None = None
    sent: datetime | None = None
    held_back: bool = False


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One delivery to make now. `copy`: a needless second one, whose outcome does not matter."""

    number: int
    url: str
    body: bytes
    copy: bool = False


@dataclass(slots=True)
class Account:
    """A person who authorized the application, with everything linked into the authorization."""

    sub: str
    email: str
    name: str
    zone: str
    profiles: list[Profile] = field(default_factory=list[Profile])
    calendars: list[Calendar] = field(default_factory=list[Calendar])
    channels: list[Channel] = field(default_factory=list[Channel])


@dataclass(frozen=True, slots=True)
class Invitation:
    """An upsert that reached a Free/Busy profile as a mail, which the person may accept."""

    id: str
    calendar_id: str
    write: Upsert


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """A request to change a person's own events in some calendars, to be granted on a page."""

    id: str
    calendar_ids: tuple[str, ...]
    redirect_uri: str | None


class World:
    """Everything. Changed only by the functions of this package."""

    def __init__(self, application: Application, settings: Settings, chance: Chance) -> None:
        self.application = application
        self.settings = settings
        self.ids: Final = chance.stream("ids")
        self.delays: Final = chance.stream("delays")
        self.luck: Final = chance.stream("luck")
        self.agenda: Final = Agenda()
        self.tokens: Final = Tokens(chance.stream("tokens"))
        self.listings: Final = Listings(chance.stream("pages"))
        self.allowance: Final = Allowance()
        self.accounts: Final[dict[str, Account]] = {}
        self.profiles: Final[dict[str, Profile]] = {}
        self.calendars: Final[dict[str, Calendar]] = {}
        self.channels: Final[dict[str, Channel]] = {}
        self.notifications: Final[dict[int, Notification]] = {}
        self.outbox: Final[list[Dispatch]] = []
        self.invitations: Final[dict[str, Invitation]] = {}
        self.permission_requests: Final[dict[str, PermissionRequest]] = {}
        self.tallies: Final[dict[tuple[str, str], Tally]] = {}
        self.mails: Final[list[Mail]] = []
        self.posts: Final = deque[Posted](maxlen=_POSTS_KEPT)
        self._counted = 0

    def next_number(self) -> int:
        """Count on: for versions and for what has a number."""
        self._counted += 1
        return self._counted

    def write_delay(self, calendar: Calendar) -> timedelta:
        """Draw how long a write takes until it is applied."""
        timing = self.settings.timing.get(calendar.profile.service, self.settings)
        return timedelta(seconds=self.delays.between(*timing.write_delay))

    def provider_lag(self, calendar: Calendar) -> timedelta:
        """Draw how long a person's change takes until Cronofy knows of it."""
        timing = self.settings.timing.get(calendar.profile.service, self.settings)
        return timedelta(seconds=self.delays.between(*timing.provider_lag))

    def read_lag(self) -> timedelta:
        """Draw how long reads take to show what Cronofy knows."""
        return timedelta(seconds=self.delays.between(*self.settings.read_lag))

    def add_account(self, email: str, name: str, zone: str) -> Account:
        """Let a person come into being."""
        account = Account(ids.account_id(self.ids), email, name, zone)
        self.accounts[account.sub] = account
        return account

    def add_profile(self, account: Account, service: Service, name: str) -> Profile:
        """Link a login at a provider into an account."""
        profile = Profile(ids.profile_id(self.ids), account.sub, service, name)
        account.profiles.append(profile)
        self.profiles[profile.id] = profile
        return profile

    def add_calendar(self, profile: Profile, name: str, *, primary: bool = False) -> Calendar:
        """Give a profile one more calendar."""
        calendar = Calendar(ids.calendar_id(self.ids), profile, name, primary=primary)
        self.accounts[profile.sub].calendars.append(calendar)
        self.calendars[calendar.id] = calendar
        return calendar
