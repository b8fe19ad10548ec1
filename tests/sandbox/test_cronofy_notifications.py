"""Channels, and notifications through them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from events.notification import NOTIFICATION, check_signature
from sandbox.cronofy.control.account_messages import NewAccount, NewCalendar
from sandbox.cronofy.control.event_messages import EventView
from sandbox.cronofy.control.operation_messages import NewNotification
from sandbox.cronofy.model.moments import show_time
from sandbox.cronofy.model.settings import Service
from tests.sandbox.conftest import ELEVEN, NOON, SECRET, SLOW, TEN, Caller, Receiver, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Channels


async def test_a_new_channel_is_verified_at_once(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    channel = await caller.open_channel(receiver.url)
    await cronofy.control.run_until_quiet()
    assert receiver.notifications == [{"notification": {"type": "verification"}, "channel": channel}]
    assert channel == {"channel_id": channel["channel_id"], "callback_url": receiver.url, "filters": {}}
    assert (await caller.get("/v1/channels")).json() == {"channels": [channel]}


async def test_an_identical_channel_is_the_same(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    first = await caller.open_channel(receiver.url, calendar_ids=[caller.calendar_id])
    assert await caller.open_channel(receiver.url, calendar_ids=[caller.calendar_id]) == first
    assert await caller.open_channel(receiver.url) != first
    assert await caller.open_channel(f"{receiver.url}/2") != first
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification"] * 3


async def test_only_filters_that_filter_are_shown(caller: Caller) -> None:
    url = "https://app.example/"
    assert (await caller.open_channel(url, only_managed=False))["filters"] == {}
    shown = await caller.open_channel(url, only_managed=True, calendar_ids=[caller.calendar_id])
    assert shown["filters"] == {"only_managed": True, "calendar_ids": [caller.calendar_id]}


async def test_a_channel_can_be_opened_to_where_nobody_listens(cronofy: Running, caller: Caller) -> None:
    await caller.open_channel("http://127.0.0.1:9/notify")
    await cronofy.control.run_until_quiet()
    assert [post.outcome for post in await cronofy.control.notifications()] == ["failed"]
    assert len((await caller.get("/v1/channels")).json()["channels"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "callback_url"),
        ({"callback_url": "ftp://app.example"}, "callback_url"),
        ({"callback_url": "http://[half"}, "callback_url"),
        ({"callback_url": "https://a.example", "filters": {"calendar_ids": []}}, "filters.calendar_ids"),
        ({"callback_url": "https://a.example", "filters": {"calendar_ids": ["cal_guess"]}}, "filters.calendar_ids"),
        ({"callback_url": "https://a.example", "filters": {"only_managed": "yes"}}, "filters.only_managed"),
    ],
)
async def test_wrong_channels_are_refused(caller: Caller, body: dict[str, object], field: str) -> None:
    response = await caller.post("/v1/channels", body)
    assert response.status_code == 422
    assert list(response.json()["errors"]) == [field]


async def test_an_account_has_128_channels_at_most(caller: Caller) -> None:
    for number in range(128):
        await caller.open_channel(f"http://127.0.0.1:9/{number}")
    response = await caller.post("/v1/channels", {"callback_url": "http://127.0.0.1:9/128"})
    assert response.status_code == 422


async def test_a_deleted_channel_is_silent(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    channel = await caller.open_channel(receiver.url)
    await change(cronofy, caller)
    await cronofy.control.advance(20)
    response = await caller.request("DELETE", f"/v1/channels/{channel['channel_id']}")
    assert response.status_code == 202
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["verification"]
    assert (await caller.get("/v1/channels")).json() == {"channels": []}
    assert (await caller.request("DELETE", f"/v1/channels/{channel['channel_id']}")).status_code == 404


# Changes: known after 20 s, told 2 s later


async def change(cronofy: Running, caller: Caller, calendar_id: str | None = None) -> EventView:
    return await cronofy.control.create_event(calendar_id or caller.calendar_id, summary="Lunch", start=TEN, end=ELEVEN)


async def listen(cronofy: Running, caller: Caller, receiver: Receiver, **filters: object) -> None:
    """Open a channel, and forget about its verification."""
    await caller.open_channel(receiver.url, **filters)
    await cronofy.control.run_until_quiet()
    receiver.bodies.clear()


async def test_a_persons_change_is_notified_with_the_time_since_when_to_look(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    await change(cronofy, caller)
    await cronofy.control.advance(21.9)
    await cronofy.control.pending(wait=0)
    assert receiver.types == []
    await cronofy.control.run_until_quiet()
    (body,) = receiver.notifications
    assert body["notification"] == {"type": "change", "changes_since": show_time(NOON)}
    assert len(await caller.read(last_modified=body["notification"]["changes_since"])) == 1


async def test_changes_close_together_share_a_notification(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await cronofy.control.change_settings(notification_delay=(30, 30))
    await listen(cronofy, caller, receiver)
    for _ in range(5):
        await change(cronofy, caller)
        await cronofy.control.advance(2)
    await cronofy.control.run_until_quiet()
    (body,) = receiver.notifications
    assert body["notification"]["changes_since"] == show_time(NOON)


async def test_a_later_change_is_a_notification_of_its_own(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    for _ in range(2):
        await change(cronofy, caller)
        await cronofy.control.run_until_quiet()
    assert receiver.types == ["change", "change"]


async def test_the_applications_own_writes_are_never_notified(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    await cronofy.control.change_calendar(caller.calendar_id, unrestricted=True)
    await caller.upsert()
    await caller.delete(event_id="item-1")
    await cronofy.control.run_until_quiet()
    assert receiver.types == []


async def test_a_persons_change_of_a_managed_event_is_notified(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await caller.upsert()
    await listen(cronofy, caller, receiver, only_managed=True)
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == []
    (event,) = [event for event in await cronofy.control.events(caller.calendar_id) if event.event_id]
    await cronofy.control.delete_event(event)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["change"]


async def test_a_channel_is_told_about_its_calendars_only(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    other = await cronofy.control.add_calendar(caller.account.profile_id, NewCalendar(name="Other"))
    await listen(cronofy, caller, receiver, calendar_ids=[caller.calendar_id])
    await change(cronofy, caller, other.calendar_id)
    await cronofy.control.run_until_quiet()
    assert receiver.types == []
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["change"]


async def test_events_outside_the_window_are_not_notified_and_sliding_in_neither(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    start = NOON + timedelta(days=250)
    await cronofy.control.create_event(caller.calendar_id, start=start, end=start)
    await cronofy.control.run_until_quiet()
    await cronofy.control.advance(60 * 86_400)
    await cronofy.control.run_until_quiet()
    assert receiver.types == []
    assert len(await caller.read()) == 1


async def test_moving_an_event_out_of_the_window_is_notified(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    event = await change(cronofy, caller)
    await listen(cronofy, caller, receiver)
    far = NOON + timedelta(days=400)
    await cronofy.control.edit_event(event, start=far, end=far)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["change"]


async def test_a_rewritten_form_that_arrives_later_is_notified(cronofy: Running, receiver: Receiver) -> None:
    await cronofy.control.change_settings(rewriting="settling", rewriting_seen="later")
    caller = await cronofy.connect(Service.GOOGLE)
    await listen(cronofy, caller, receiver)
    await caller.upsert(description="One\nTwo")
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["change"]


# What a notification looks like


@pytest.mark.parametrize("secrets", [(SECRET,), ("new", SECRET)])
async def test_a_notification_is_signed_with_every_active_secret(
    cronofy: Running, caller: Caller, receiver: Receiver, secrets: tuple[str, ...]
) -> None:
    await cronofy.control.rotate_secrets(*secrets)
    await caller.open_channel(receiver.url)
    await cronofy.control.run_until_quiet()
    (header,), (body,) = receiver.signatures, receiver.bodies
    assert len(header.split(",")) == len(secrets)
    for secret in secrets:
        check_signature(header, body, [secret])


async def test_a_notification_fits_our_own_contract(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    await listen(cronofy, caller, receiver)
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    notification = NOTIFICATION.validate_json(receiver.bodies[0]).notification
    assert notification.changes_since == NOON


async def test_any_notification_can_be_sent_by_hand(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    channel = await caller.open_channel(receiver.url)
    await cronofy.control.notify(channel["channel_id"], NewNotification(type="gdpr_requested"))
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    await cronofy.control.notify(channel["channel_id"], NewNotification(type="change", changes_since=long_ago))
    await cronofy.control.run_until_quiet()
    assert sorted(receiver.types) == ["change", "gdpr_requested", "verification"]


# Delivery


async def test_a_failed_notification_is_tried_again_on_schedule(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await cronofy.control.change_settings(read_lag=(0, 0))
    await listen(cronofy, caller, receiver)
    receiver.status = 500
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    for tried, pause in enumerate((15, 60, 300), start=1):
        for seconds, expected in ((pause - 1, tried), (1, tried + 1)):
            await cronofy.control.advance(seconds)
            await cronofy.control.wait_until_quiet(timeout=10)
            assert len(receiver.bodies) == expected
    assert len(set(receiver.bodies)) == 1
    receiver.status = 204
    await cronofy.control.advance(900)
    await cronofy.control.wait_until_quiet(timeout=10)
    assert (await cronofy.control.pending()).notifications == ()


async def test_a_channel_is_closed_after_a_day_of_failures(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    receiver.status = 410
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    await cronofy.control.advance(86_400)
    await cronofy.control.wait_until_quiet(timeout=10)
    assert (await caller.get("/v1/channels")).json() == {"channels": []}
    assert [channel.closed for channel in await cronofy.control.channels()] == [True]
    assert len(receiver.bodies) == 10
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert len(receiver.bodies) == 10


async def test_an_answer_must_come_in_time(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    await listen(cronofy, caller, receiver)
    await cronofy.control.change_settings(notification_timeout=0.05)
    with receiver.silent():
        await change(cronofy, caller)
        await cronofy.control.run_until_quiet()
    (post,) = [post for post in await cronofy.control.notifications() if post.type == "change"]
    assert post.outcome == "failed"


async def test_what_was_not_accepted_counts_as_not_told(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    await cronofy.control.change_settings(retry_schedule=[3600])
    await listen(cronofy, caller, receiver)
    receiver.status = 500
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    receiver.status = 200
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert {body["notification"]["changes_since"] for body in receiver.notifications} == {show_time(NOON)}


async def test_notifications_can_come_twice(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    await listen(cronofy, caller, receiver)
    await cronofy.control.change_settings(notifications_doubled=1)
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["change", "change"]
    assert len(set(receiver.bodies)) == 1


async def test_a_notification_that_comes_twice_is_tried_again_once(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    await cronofy.control.change_settings(notifications_doubled=1)
    receiver.status = 500
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    await cronofy.control.advance(15)
    await cronofy.control.wait_until_quiet(timeout=10)
    assert len(receiver.bodies) == 3


async def test_notifications_can_be_lost(cronofy: Running, caller: Caller, receiver: Receiver) -> None:
    await listen(cronofy, caller, receiver)
    await cronofy.control.change_settings(notifications_lost=1)
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == []
    assert [post.outcome for post in await cronofy.control.notifications()] == ["accepted", "lost"]


async def test_notifications_can_overtake_each_other(receiver: Receiver) -> None:
    async with running(SLOW, seed=3) as cronofy:
        caller = await cronofy.connect()
        await listen(cronofy, caller, receiver)
        await cronofy.control.change_settings(notifications_late=0.5)
        for _ in range(10):
            await change(cronofy, caller)
            await cronofy.control.advance(5)
        await cronofy.control.run_until_quiet()
        since = [body["notification"]["changes_since"] for body in receiver.notifications]
        assert since != sorted(since)


# Profiles


async def test_every_channel_is_told_of_a_disconnected_profile(
    cronofy: Running, caller: Caller, receiver: Receiver
) -> None:
    await listen(cronofy, caller, receiver)
    await listen(cronofy, caller, receiver, only_managed=True)
    await cronofy.control.disconnect(caller.account.profile_id)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["profile_disconnected"] * 2


async def test_the_end_of_the_initial_sync_is_notified(cronofy: Running, receiver: Receiver) -> None:
    caller = await cronofy.connect(given=NewAccount(initial_sync_required=True))
    await listen(cronofy, caller, receiver)
    await change(cronofy, caller)
    await cronofy.control.run_until_quiet()
    assert receiver.types == []
    await cronofy.control.finish_initial_sync(caller.account.profile_id)
    await cronofy.control.run_until_quiet()
    assert receiver.types == ["profile_initial_sync_completed"]
