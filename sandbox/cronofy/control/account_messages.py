"""What is asked and shown of people, profiles and calendars."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from sandbox.cronofy.control.shapes import STRICT, Given, View
from sandbox.cronofy.model.settings import Service


class NewCalendar(Given):
    """A calendar to add to a profile."""

    name: str = "Calendar"
    primary: bool = False
    readonly: bool = False
    unrestricted: bool = False
    can_invite: bool = True


class NewProfile(Given):
    """A profile to link into an account. Without calendars it gets a primary one."""

    provider: Service = Service.GOOGLE
    name: str | None = None
    """An address; made up if absent."""
    calendars: tuple[NewCalendar, ...] = (NewCalendar(primary=True),)
    initial_sync_required: bool = False
    free_busy_only: bool = False


class NewCode(Given):
    """Consent to be given. Without `redirect_uri`, any may be used in the exchange."""

    profile_id: str | None = None
    scope: str | None = None
    redirect_uri: str | None = None


class NewAccount(NewProfile):
    """A person to come into being, with one profile, and consenting to the application."""

    person: str | None = None
    """The name of the person; made up if absent."""
    zone: str = "Etc/UTC"
    scope: str | None = None
    redirect_uri: str | None = None


@with_config(STRICT)
class CalendarChange(TypedDict, total=False):
    """What happens to a calendar; what is absent stays."""

    name: str
    readonly: bool
    deleted: bool
    unrestricted: bool
    can_invite: bool


class CalendarView(View):
    """A calendar."""

    calendar_id: str
    profile_id: str
    name: str
    primary: bool
    readonly: bool
    deleted: bool
    unrestricted: bool
    can_invite: bool


class ProfileView(View):
    """A profile and its calendars."""

    profile_id: str
    provider: Service
    name: str
    connected: bool
    credentials_valid: bool
    initial_sync_required: bool
    free_busy_only: bool
    calendars: tuple[CalendarView, ...]


class AccountView(View):
    """An account. `authorized`: whether its tokens are good."""

    sub: str
    email: str
    name: str
    zone: str
    authorized: bool
    profiles: tuple[ProfileView, ...]


class CodeView(View):
    """A code that can be exchanged once."""

    code: str


class CreatedAccount(View):
    """A new account with a code to exchange."""

    sub: str
    code: str
    profile: ProfileView

    @property
    def profile_id(self) -> str:
        """Its profile."""
        return self.profile.profile_id

    @property
    def calendar_id(self) -> str:
        """Its first calendar."""
        return self.profile.calendars[0].calendar_id
