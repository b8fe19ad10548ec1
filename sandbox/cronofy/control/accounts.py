"""People, their profiles and calendars, and what they let the application do."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sandbox.cronofy.api.oauth import end_authorization
from sandbox.cronofy.api.scopes import ALL
from sandbox.cronofy.control.account_messages import (
    AccountView,
    CalendarChange,
    CalendarView,
    CodeView,
    CreatedAccount,
    NewAccount,
    NewCalendar,
    NewCode,
    NewProfile,
    ProfileView,
)
from sandbox.cronofy.control.command import Command, Desk, Ids, Unknown, command
from sandbox.cronofy.control.shapes import Nothing
from sandbox.cronofy.model.moments import need_zone
from sandbox.cronofy.model.state import Account, Calendar, Profile
from sandbox.cronofy.model.tokens import Code
from sandbox.cronofy.model.visibility import disconnect, finish_initial_sync, relink

# Finding


def account_of(desk: Desk, ids: Ids) -> Account:
    """Find the account that the path names."""
    account = desk.world.accounts.get(ids["sub"])
    if account is None:
        raise Unknown(ids["sub"])
    return account


def profile_of(desk: Desk, ids: Ids) -> Profile:
    """Find the profile that the path names."""
    profile = desk.world.profiles.get(ids["profile_id"])
    if profile is None:
        raise Unknown(ids["profile_id"])
    return profile


def find_calendar(desk: Desk, calendar_id: str) -> Calendar:
    """Find a calendar."""
    calendar = desk.world.calendars.get(calendar_id)
    if calendar is None:
        raise Unknown(calendar_id)
    return calendar


# Showing


def view_calendar(calendar: Calendar) -> CalendarView:
    """Show a calendar."""
    return CalendarView(
        calendar_id=calendar.id,
        profile_id=calendar.profile.id,
        name=calendar.name,
        primary=calendar.primary,
        readonly=calendar.readonly,
        deleted=calendar.deleted,
        unrestricted=calendar.unrestricted,
        can_invite=calendar.can_invite,
    )


def view_profile(desk: Desk, profile: Profile) -> ProfileView:
    """Show a profile."""
    calendars = desk.world.accounts[profile.sub].calendars
    return ProfileView(
        profile_id=profile.id,
        provider=profile.service,
        name=profile.name,
        connected=profile.connected,
        credentials_valid=profile.credentials_valid,
        initial_sync_required=profile.initial_sync_required,
        free_busy_only=profile.free_busy_only,
        calendars=tuple(view_calendar(calendar) for calendar in calendars if calendar.profile is profile),
    )


def view_account(desk: Desk, account: Account) -> AccountView:
    """Show an account."""
    return AccountView(
        sub=account.sub,
        email=account.email,
        name=account.name,
        zone=account.zone,
        authorized=desk.world.tokens.active(account.sub),
        profiles=tuple(view_profile(desk, profile) for profile in account.profiles),
    )


# Accounts


def create_account(desk: Desk, _ids: Ids, given: NewAccount) -> CreatedAccount:
    """Let a person come into being, with a profile and calendars, who has just consented to the application."""
    need_zone(given.zone)
    number = len(desk.world.accounts) + 1
    email = given.name or f"person{number}@example.com"
    account = desk.world.add_account(email, given.person or f"Person {number}", given.zone)
    profile = _add_profile(desk, account, given, email)
    consent = NewCode(scope=given.scope, redirect_uri=given.redirect_uri)
    code = _issue_code(desk, profile, consent)
    return CreatedAccount(sub=account.sub, code=code, profile=view_profile(desk, profile))


def list_accounts(desk: Desk, _ids: Ids, _given: Nothing) -> list[AccountView]:
    """List all accounts with their profiles and calendars."""
    return [view_account(desk, account) for account in desk.world.accounts.values()]


def issue_code(desk: Desk, ids: Ids, given: NewCode) -> CodeView:
    """Let the person consent once more."""
    for profile in account_of(desk, ids).profiles:
        if given.profile_id in {None, profile.id}:
            return CodeView(code=_issue_code(desk, profile, given))
    raise Unknown(given.profile_id or "the account has no profile")


def _issue_code(desk: Desk, profile: Profile, given: NewCode) -> str:
    expires = desk.now() + timedelta(seconds=desk.world.settings.code_lifetime)
    code = Code(profile.sub, profile.id, given.scope or ALL, given.redirect_uri, expires)
    return desk.world.tokens.issue_code(code)


def revoke_authorization(desk: Desk, ids: Ids, _given: Nothing) -> AccountView:
    """Let the person end the application's authorization: tokens and channels are gone."""
    account = account_of(desk, ids)
    end_authorization(desk.world, account.sub)
    return view_account(desk, account)


def expire_tokens(desk: Desk, ids: Ids, _given: Nothing) -> AccountView:
    """Let the account's access tokens run out now; refresh tokens stay good."""
    account = account_of(desk, ids)
    desk.world.tokens.expire(account.sub, desk.now())
    return view_account(desk, account)


# Profiles


def add_profile(desk: Desk, ids: Ids, given: NewProfile) -> ProfileView:
    """Link one more profile into an account, as when two people share a browser."""
    account = account_of(desk, ids)
    number = len(desk.world.profiles) + 1
    return view_profile(desk, _add_profile(desk, account, given, given.name or f"profile{number}@example.com"))


def _add_profile(desk: Desk, account: Account, given: NewProfile, name: str) -> Profile:
    profile = desk.world.add_profile(account, given.provider, name)
    profile.initial_sync_required = given.initial_sync_required
    profile.free_busy_only = given.free_busy_only
    for wanted in given.calendars:
        _add_calendar(desk, profile, wanted)
    return profile


def disconnect_profile(desk: Desk, ids: Ids, _given: Nothing) -> ProfileView:
    """Let Cronofy find now that it cannot use a profile any more."""
    profile = profile_of(desk, ids)
    profile.credentials_valid = False
    disconnect(desk.world, profile, desk.now())
    return view_profile(desk, profile)


def withdraw_credentials(desk: Desk, ids: Ids, _given: Nothing) -> ProfileView:
    """Let the person withdraw the credentials at the provider; Cronofy finds out when it next uses them."""
    profile = profile_of(desk, ids)
    profile.credentials_valid = False
    return view_profile(desk, profile)


def relink_profile(desk: Desk, ids: Ids, _given: Nothing) -> ProfileView:
    """Let the person link a profile again: what waited is applied and learned."""
    profile = profile_of(desk, ids)
    relink(desk.world, profile, desk.now())
    return view_profile(desk, profile)


def finish_sync(desk: Desk, ids: Ids, _given: Nothing) -> ProfileView:
    """Finish a profile's initial sync: its calendars and events are known from now on."""
    profile = profile_of(desk, ids)
    finish_initial_sync(desk.world, profile, desk.now())
    return view_profile(desk, profile)


# Calendars


def add_calendar(desk: Desk, ids: Ids, given: NewCalendar) -> CalendarView:
    """Let the person create a calendar."""
    return view_calendar(_add_calendar(desk, profile_of(desk, ids), given))


def _add_calendar(desk: Desk, profile: Profile, given: NewCalendar) -> Calendar:
    calendar = desk.world.add_calendar(profile, given.name, primary=given.primary)
    calendar.readonly = given.readonly
    calendar.unrestricted = given.unrestricted
    calendar.can_invite = given.can_invite
    return calendar


def change_calendar(desk: Desk, ids: Ids, given: CalendarChange) -> CalendarView:
    """Rename a calendar, delete it, make it read-only, or let the application edit the person's own events in it."""
    calendar = find_calendar(desk, ids["calendar_id"])
    calendar.name = given.get("name", calendar.name)
    calendar.readonly = given.get("readonly", calendar.readonly)
    calendar.deleted = given.get("deleted", calendar.deleted)
    calendar.unrestricted = given.get("unrestricted", calendar.unrestricted)
    calendar.can_invite = given.get("can_invite", calendar.can_invite)
    return view_calendar(calendar)


COMMANDS: Final[tuple[Command, ...]] = (
    command("POST", "/accounts", NewAccount, create_account),
    command("GET", "/accounts", Nothing, list_accounts),
    command("POST", "/accounts/{sub}/codes", NewCode, issue_code),
    command("POST", "/accounts/{sub}/revoke", Nothing, revoke_authorization),
    command("POST", "/accounts/{sub}/expire-tokens", Nothing, expire_tokens),
    command("POST", "/accounts/{sub}/profiles", NewProfile, add_profile),
    command("POST", "/profiles/{profile_id}/disconnect", Nothing, disconnect_profile),
    command("POST", "/profiles/{profile_id}/withdraw-credentials", Nothing, withdraw_credentials),
    command("POST", "/profiles/{profile_id}/relink", Nothing, relink_profile),
    command("POST", "/profiles/{profile_id}/finish-initial-sync", Nothing, finish_sync),
    command("POST", "/profiles/{profile_id}/calendars", NewCalendar, add_calendar),
    command("PATCH", "/calendars/{calendar_id}", CalendarChange, change_calendar),
)
