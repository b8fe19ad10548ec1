"""Who an account belongs to, its calendars, and its notification channels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.cronofy.client import Cronofy
from events.failures import TokenRejected
from sandbox.cronofy.api.faults import Instead, Match
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import NewAccount, NewCalendar, NewProfile
from sandbox.cronofy.model.settings import Service
from tests.adapters.cronofy.conftest import Ann
from tests.sandbox.conftest import NOON, REDIRECT, Json

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLBACK = "https://relay.example/ann"


async def test_all_calendars_are_listed_with_what_can_be_done_with_them(
    cronofy: Cronofy, control: CronofyControl
) -> None:
    calendars = (
        NewCalendar(name="Work", primary=True, unrestricted=True),
        NewCalendar(name="Holidays", readonly=True),
        NewCalendar(name="Old"),
    )
    account = await control.create_account(Service.OFFICE365, NewAccount(calendars=calendars))
    await control.change_calendar(account.profile.calendars[2].calendar_id, deleted=True)
    token = (await cronofy.exchange_code(account.code, REDIRECT, NOON)).tokens.access
    work, holidays, old = await cronofy.calendars(token)
    assert (work.name, work.calendar_id, work.profile_id) == ("Work", account.calendar_id, account.profile_id)
    assert (work.profile_name, work.provider_name) == (account.profile.name, "exchange")
    assert (work.primary, work.unrestricted, work.read_only, work.deleted) == (True, True, False, False)
    assert (holidays.primary, holidays.unrestricted, holidays.read_only) == (False, False, True)
    assert old.deleted


async def test_the_account_tells_the_same_of_its_calendars_as_their_list(cronofy: Cronofy, ann: Ann) -> None:
    (told,) = (await cronofy.userinfo(ann.token)).calendars
    assert told.provider_service == "google", "only here it is told"
    assert (replace(told, provider_service=""),) == await cronofy.calendars(ann.token)


async def test_an_account_tells_whose_it_is(cronofy: Cronofy, control: CronofyControl) -> None:
    account = await control.create_account(given=NewAccount(zone="Europe/London"))
    token = (await cronofy.exchange_code(account.code, REDIRECT, NOON)).tokens.access
    info = await cronofy.userinfo(token)
    assert (info.sub, info.time_zone) == (account.sub, "Europe/London")


async def test_every_profile_tells_whether_it_works(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    second = await control.add_profile(ann.account.sub, NewProfile(provider=Service.ICLOUD, initial_sync_required=True))
    await control.disconnect(ann.account.profile_id)
    profiles = {profile.profile_id: profile for profile in (await cronofy.userinfo(ann.token)).profiles}
    first = profiles[ann.account.profile_id]
    assert (first.connected, first.initial_sync_required) == (False, False)
    assert first.relink_url is not None
    assert first.relink_url.startswith("http")
    other = profiles[second.profile_id]
    assert (other.connected, other.initial_sync_required, other.relink_url) == (True, True, None)
    assert (other.provider_name, other.provider_service) == ("apple", "icloud")


@pytest.mark.parametrize(
    ("calendar", "listed"),
    [
        ({}, 0),
        ({"calendar_id": None}, 0),
        ({"calendar_id": ""}, 0),
        ({"calendar_id": "cal_1"}, 1),
        ({"calendar_id": "cal_1", "calendar_name": 7, "calendar_readonly": "yes", "permission_level": []}, 1),
        ({"calendar_id": "cal_1", "permission_level": "unheard_of", "provider_name": "new", "x": {"y": 1}}, 1),
    ],
)
async def test_a_calendar_needs_nothing_but_its_id(
    calendar: Json, listed: int, cronofy: Cronofy, ann: Ann, control: CronofyControl
) -> None:
    await control.set_fault(Instead(status=200, body={"calendars": [calendar, {"calendar_id": "cal_2"}]}))
    calendars = await cronofy.calendars(ann.token)
    assert [each.calendar_id for each in calendars] == [*["cal_1"][:listed], "cal_2"]
    assert not any(each.read_only or each.deleted or each.primary or each.unrestricted for each in calendars)


# Channels


async def test_a_channel_tells_its_id_and_when_it_was_made(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.advance(90)
    made = await cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id])
    assert made.callback_url == CALLBACK
    assert made.as_of == await control.now()
    (channel,) = await control.channels()
    assert (channel.channel_id, channel.callback_url, channel.calendar_ids) == (
        made.channel_id,
        CALLBACK,
        (ann.calendar_id,),
    )


async def test_a_channel_that_is_made_again_is_the_same(cronofy: Cronofy, ann: Ann) -> None:
    first = await cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id])
    assert await cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id]) == first
    other = await cronofy.create_channel(ann.token, CALLBACK + "/other", [ann.calendar_id])
    assert [channel.channel_id for channel in await cronofy.channels(ann.token)] == [
        first.channel_id,
        other.channel_id,
    ]


async def test_a_channel_is_closed_once_and_can_be_closed_again(cronofy: Cronofy, ann: Ann) -> None:
    channel = await cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id])
    await cronofy.close_channel(ann.token, channel.channel_id)
    assert await cronofy.channels(ann.token) == ()
    await cronofy.close_channel(ann.token, channel.channel_id)


async def test_a_channel_is_not_closed_without_a_good_token(cronofy: Cronofy, ann: Ann) -> None:
    channel = await cronofy.create_channel(ann.token, CALLBACK, [ann.calendar_id])
    with pytest.raises(TokenRejected):
        await cronofy.close_channel("bad", channel.channel_id)
    assert len(await cronofy.channels(ann.token)) == 1


async def test_a_channels_id_cannot_lead_elsewhere(cronofy: Cronofy, ann: Ann, control: CronofyControl) -> None:
    await control.set_fault(Instead(status=202), Match(method="DELETE"))
    await cronofy.close_channel(ann.token, "../events?delete_all=true#")
    (request,) = await control.requests(path="/v1/", method="DELETE")
    assert request.path == "/v1/channels/../events?delete_all=true#"  # as the id of a channel, that is
    assert request.query == {}
