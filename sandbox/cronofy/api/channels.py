"""Notification channels."""

from __future__ import annotations

from sandbox.cronofy.api.addresses import is_web_address
from sandbox.cronofy.api.call import Call, Reply, accepted, done, invalid, not_found
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model.form import Form, problem
from sandbox.cronofy.model.notify import close_channel, open_channel, show_channel
from sandbox.cronofy.model.state import CHANNELS_PER_ACCOUNT, Account, Filters


def create_channel(site: Site, account: Account, call: Call) -> Reply:
    """Open a channel, or return the identical one that is open."""
    form = Form(call.payload)
    url = form.text("callback_url", required=True) or ""
    filters = _filters(form, account)
    if url and not is_web_address(url):
        form.problems.add("callback_url", "errors.invalid_url", "must be an http or https URL")
    if form.problems:
        return invalid(form.problems)
    channel = open_channel(site.world, account, url, filters, call.now)
    if channel is None:
        limit = f"an account must not have more than {CHANNELS_PER_ACCOUNT} channels"
        return invalid(problem("callback_url", "errors.too_many_channels", limit))
    return done({"channel": show_channel(channel)})


def _filters(form: Form, account: Account) -> Filters:
    given = form.object("filters") or Form({})
    calendar_ids = given.texts("calendar_ids")
    only_managed = given.flag("only_managed") or False
    if "calendar_ids" in given.given() and not calendar_ids and not given.problems:
        given.problems.required("calendar_ids")
    if set(calendar_ids) - {calendar.id for calendar in account.calendars}:
        given.problems.add("calendar_ids", "errors.not_recognized", "not recognized")
    form.adopt("filters", given)
    return Filters(frozenset(calendar_ids) or None, only_managed)


def list_channels(_site: Site, account: Account, _call: Call) -> Reply:
    """List the open channels."""
    return done({"channels": [show_channel(channel) for channel in account.channels]})


def delete_channel(site: Site, account: Account, call: Call) -> Reply:
    """Close a channel."""
    for channel in account.channels:
        if channel.id == call.ids["channel_id"]:
            close_channel(site.world, channel)
            return accepted()
    return not_found()
