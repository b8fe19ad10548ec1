"""The pages for people: consent to the application, link a profile again, grant more permissions."""

from __future__ import annotations

import html
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.cronofy.api.addresses import is_web_address
from sandbox.cronofy.api.call import Call, Reply, invalid, not_found, page
from sandbox.cronofy.api.scopes import ALL
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model import ids
from sandbox.cronofy.model.form import Form
from sandbox.cronofy.model.provider import provider_of, service_called
from sandbox.cronofy.model.settings import Service
from sandbox.cronofy.model.state import Account, PermissionRequest, Profile, World
from sandbox.cronofy.model.tokens import Code
from sandbox.cronofy.model.visibility import relink

_COOKIE = "sandbox_account"


def authorize(site: Site, call: Call) -> Reply:
    """Ask the person in front of the browser for consent, and send them back with a code.

    The links on the page repeat the request with a `decision`, and with the `person` who is there.
    """
    world = site.world
    back_to = call.parameter("redirect_uri")
    if call.parameter("client_id") != world.application.client_id or not is_web_address(back_to):
        return page(400, "Invalid request", "<p>Unknown client_id or unusable redirect_uri.</p>")
    if call.parameter("response_type") != "code":
        return _back(call, {"error": "unsupported_response_type"})
    decision = call.parameter("decision")
    if decision == "deny":
        return _back(call, {"error": "access_denied"})
    if decision != "grant" and world.settings.consent == "page":
        return _ask(world, call)
    profile = _authorizing(world, call)
    scope = call.parameter("scope") or ALL
    expires = call.now + timedelta(seconds=world.settings.code_lifetime)
    code = world.tokens.issue_code(Code(profile.sub, profile.id, scope, back_to, expires))
    return _back(call, {"code": code}, {"set-cookie": f"{_COOKIE}={profile.sub}; Path=/; HttpOnly; SameSite=Lax"})


def _ask(world: World, call: Call) -> Reply:
    service = service_called(call.parameter("provider_name"))
    people = "".join(
        f"<li>{_link(call, profile.name, {'decision': 'grant', 'person': profile.name})}"
        for account in world.accounts.values()
        for profile in account.profiles
        if profile.service is service or not call.parameter("provider_name")
    )
    somebody = _link(call, f"Somebody new at {service.value}", {"decision": "grant"})
    nobody = _link(call, "Refuse", {"decision": "deny"})
    asked = html.escape(call.parameter("scope") or ALL)
    return page(200, "Who is there?", f"<p>Asked for: {asked}</p><ul>{people}<li>{somebody}<li>{nobody}</ul>")


def _link(call: Call, text: str, more: dict[str, str]) -> str:
    given = {name: values[-1] for name, values in call.parameters.items() if values}
    return f'<a href="?{html.escape(urlencode(given | more))}">{html.escape(text)}</a>'


def _authorizing(world: World, call: Call) -> Profile:
    """Find or make the profile that consents; it is linked again if it was not connected."""
    service = service_called(call.parameter("provider_name"))
    person = call.parameter("person")
    known = next((profile for profile in _linked(world) if profile.name == person), None)
    if known is not None:
        relink(world, known, call.now)
        return known
    number = len(world.accounts) + 1
    email = person or f"person{number}@example.com"
    # people who share a browser end up in one account, unless linking is avoided
    remembered = None if call.parameter("avoid_linking").lower() == "true" else call.cookies.get(_COOKIE)
    account = world.accounts.get(remembered or "") or world.add_account(email, f"Person {number}", "Etc/UTC")
    return _add_profile(world, account, service, email)


def _linked(world: World) -> list[Profile]:
    return [profile for account in world.accounts.values() for profile in account.profiles]


def _add_profile(world: World, account: Account, service: Service, name: str) -> Profile:
    profile = world.add_profile(account, service, name)
    world.add_calendar(profile, "Calendar", primary=True)
    return profile


def _back(call: Call, result: dict[str, str], headers: dict[str, str] | None = None) -> Reply:
    parts = urlsplit(call.parameter("redirect_uri"))
    state = {"state": call.parameter("state")} if "state" in call.parameters else {}
    query = "&".join(filter(None, [parts.query, urlencode(result | state)]))
    return Reply(302, headers={"location": urlunsplit(parts._replace(query=query))} | (headers or {}))


def link_again(site: Site, call: Call) -> Reply:
    """Link a profile again, as its person does at the provider."""
    profile = site.world.profiles.get(call.ids["profile_id"])
    if profile is None:
        return not_found()
    relink(site.world, profile, call.now)
    name, provider = html.escape(profile.name), provider_of(profile.service).name
    return page(200, "Linked again", f"<p>{name} ({provider}) is connected.</p>")


# More permissions


def request_permissions(site: Site, account: Account, call: Call) -> Reply:
    """Ask for the permission to change a person's own events in some calendars."""
    form = Form(call.payload)
    asked = [entry.text("calendar_id", required=True) or "" for entry in form.objects("permissions")]
    calendars = {calendar.id: calendar for calendar in account.calendars}
    if not asked or any(calendar_id not in calendars for calendar_id in asked):
        form.problems.add("permissions", "errors.not_recognized", "must name calendars of the account")
        return invalid(form.problems)
    if all(calendars[calendar_id].unrestricted for calendar_id in asked):
        return Reply(202, {"permissions_request": {"accepted": True}})
    request_id = ids.page_id(site.world.ids)
    request = PermissionRequest(request_id, tuple(asked), form.text("redirect_uri"))
    site.world.permission_requests[request_id] = request
    return Reply(202, {"permissions_request": {"url": f"{call.base_url}/permissions/{request_id}"}})


def grant_permissions(site: Site, call: Call) -> Reply:
    """Grant what was asked for, as the person does by following the link."""
    request = site.world.permission_requests.pop(call.ids["request_id"], None)
    if request is None:
        return not_found()
    for calendar_id in request.calendar_ids:
        site.world.calendars[calendar_id].unrestricted = True
    if request.redirect_uri:
        return Reply(302, headers={"location": request.redirect_uri})
    return page(200, "Granted", "<p>The application may change your own events in these calendars.</p>")
