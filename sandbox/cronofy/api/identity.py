"""Who the caller acts for: userinfo, account, profiles and calendars."""

from __future__ import annotations

from sandbox.cronofy.api.call import Call, Reply, accepted, done, invalid, not_found, plain
from sandbox.cronofy.api.showing import Shown, show_calendar, show_listed_calendar, show_profile
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model.form import Form, problem
from sandbox.cronofy.model.provider import provider_of
from sandbox.cronofy.model.state import Account, Profile, World


def read_userinfo(_site: Site, account: Account, call: Call) -> Reply:
    """Tell who authorized, with profiles and calendars."""
    return done(show_userinfo(account, call.scope, call.base_url))


def show_userinfo(account: Account, scope: str, base_url: str) -> Shown:
    """Show who authorized."""
    data: Shown = {
        "authorization": {"scope": scope, "status": "active"},
        "profiles": [
            show_profile(profile, base_url) | {"profile_calendars": _calendars_of(account, profile)}
            for profile in account.profiles
        ],
        "conferencing_profiles": [],
    }
    return {
        "sub": account.sub,
        "email": account.email,
        "name": account.name,
        "zoneinfo": account.zone,
        "cronofy.type": "account",
        "cronofy.data": data,
    }


def _calendars_of(account: Account, profile: Profile) -> list[Shown]:
    if profile.initial_sync_required:
        return []
    return [show_calendar(calendar) for calendar in account.calendars if calendar.profile is profile]


def read_account(_site: Site, account: Account, call: Call) -> Reply:
    """Tell who authorized, in brief."""
    shown = {
        "account_id": account.sub,
        "email": account.email,
        "name": account.name,
        "default_tzid": account.zone,
        "scope": call.scope,
    }
    return done({"account": shown})


def list_profiles(_site: Site, account: Account, call: Call) -> Reply:
    """List the account's profiles."""
    return done({"profiles": [show_profile(profile, call.base_url) for profile in account.profiles]})


def revoke_profile(site: Site, account: Account, call: Call) -> Reply:
    """Drop one profile with its calendars. The authorization goes on."""
    for profile in account.profiles:
        if profile.id == call.ids["profile_id"]:
            drop_profile(site.world, profile)
            return accepted()
    return not_found()


def drop_profile(world: World, profile: Profile) -> None:
    """Take a profile and its calendars out of its account. They stay in the world, out of reach."""
    account = world.accounts[profile.sub]
    account.profiles.remove(profile)
    account.calendars[:] = [calendar for calendar in account.calendars if calendar.profile is not profile]
    profile.connected = False


def list_calendars(_site: Site, account: Account, _call: Call) -> Reply:
    """List the account's calendars, deleted ones included."""
    listed = [calendar for calendar in account.calendars if not calendar.profile.initial_sync_required]
    return done({"sub": account.sub, "calendars": [show_listed_calendar(calendar) for calendar in listed]})


def create_calendar(site: Site, account: Account, call: Call) -> Reply:
    """Create a calendar at a profile's provider."""
    form = Form(call.payload)
    profile_id, name = form.text("profile_id", required=True), form.text("name", required=True)
    if profile_id is None or name is None:
        return invalid(form.problems)
    profile = next((profile for profile in account.profiles if profile.id == profile_id), None)
    if profile is None:
        return invalid(problem("profile_id", "errors.not_recognized", "not recognized"))
    if not profile.connected:
        return plain(423, "Locked")
    taken = {calendar.name for calendar in account.calendars if calendar.profile is profile}
    if name in taken and not provider_of(profile.service).same_names:
        return invalid(problem("name", "errors.duplicate_calendar_name", _DUPLICATE))
    return done({"calendar": show_listed_calendar(site.world.add_calendar(profile, name))})


_DUPLICATE = "A calendar with this name already exists and the provider does not allow duplicates"
