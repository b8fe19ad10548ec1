"""What providers make of the text and times they are given."""

from __future__ import annotations

import pytest

from sandbox.cronofy.control.event_messages import EventView
from sandbox.cronofy.model.provider import MEETING_BLOCK
from sandbox.cronofy.model.settings import Service
from tests.sandbox.conftest import TEN, Caller, Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

MICROSOFT = [Service.OFFICE365, Service.EXCHANGE, Service.OUTLOOK_COM]


async def write(cronofy: Running, caller: Caller, **fields: object) -> EventView:
    await caller.upsert("item-1", None, **fields)
    await cronofy.control.run_until_quiet()
    (event,) = await cronofy.control.events(caller.calendar_id)
    return event


@pytest.mark.parametrize("service", [Service.GOOGLE, Service.GSUITE])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("One\nTwo", "One<br>Two"),
        ("See https://x.example/a?b=1", 'See <a href="https://x.example/a?b=1">https://x.example/a?b=1</a>'),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
        ("<b>bold</b>\n", "<b>bold</b>"),
    ],
)
async def test_google_turns_text_into_html(cronofy: Running, service: Service, sent: str, kept: str) -> None:
    await cronofy.control.change_settings(rewriting="settling")
    caller = await cronofy.connect(service)
    assert (await write(cronofy, caller, description=sent)).description == kept


@pytest.mark.parametrize("service", MICROSOFT)
async def test_microsoft_ends_lines_its_own_way(cronofy: Running, service: Service) -> None:
    await cronofy.control.change_settings(rewriting="settling")
    caller = await cronofy.connect(service)
    assert (await write(cronofy, caller, description="One\nTwo\n\n")).description == "One\r\nTwo \r\n"


@pytest.mark.parametrize("service", MICROSOFT)
async def test_microsoft_can_append_a_block_about_an_online_meeting(cronofy: Running, service: Service) -> None:
    await cronofy.control.change_settings(rewriting="settling", conference_block=True)
    caller = await cronofy.connect(service)
    event = await write(cronofy, caller, description="One")
    assert event.description == f"One\r\n{MEETING_BLOCK} \r\n"


async def test_icloud_drops_seconds_and_doubles_no_blanks(cronofy: Running) -> None:
    await cronofy.control.change_settings(rewriting="settling")
    caller = await cronofy.connect(Service.ICLOUD)
    event = await write(cronofy, caller, description="\n a  b ", start="2026-03-10T10:00:42Z")
    assert (event.start, event.description) == (TEN, "a \N{NO-BREAK SPACE}b")


@pytest.mark.parametrize("service", list(Service))
async def test_blanks_around_summary_and_location_are_dropped(cronofy: Running, service: Service) -> None:
    await cronofy.control.change_settings(rewriting="settling")
    caller = await cronofy.connect(service)
    event = await write(cronofy, caller, summary=" Visit ", location={"description": " Room 1 "})
    assert (event.summary, event.location) == ("Visit", "Room 1")


@pytest.mark.parametrize("service", list(Service))
@pytest.mark.parametrize("text", ["One\nTwo  three & <four> https://x.example \n", "", "\n", "plain"])
async def test_settling_rewriting_leaves_its_own_output_alone(cronofy: Running, service: Service, text: str) -> None:
    await cronofy.control.change_settings(rewriting="settling", conference_block=True)
    caller = await cronofy.connect(service)
    first = await write(cronofy, caller, description=text)
    second = await write(cronofy, caller, description=first.description)
    assert second.description == first.description


@pytest.mark.parametrize("service", list(Service))
async def test_growing_rewriting_never_does(cronofy: Running, service: Service) -> None:
    await cronofy.control.change_settings(rewriting="growing")
    caller = await cronofy.connect(service)
    text = "One\nTwo & three"
    for _ in range(3):
        event = await write(cronofy, caller, description=text)
        assert len(event.description) > len(text)
        text = event.description


async def test_what_a_person_types_is_not_rewritten(cronofy: Running) -> None:
    await cronofy.control.change_settings(rewriting="settling")
    caller = await cronofy.connect(Service.OFFICE365)
    event = await write(cronofy, caller)
    assert (await cronofy.control.edit_event(event, description="a\nb")).description == "a\nb"


@pytest.mark.parametrize(
    ("service", "zones", "kept"),
    [
        (Service.GOOGLE, "provider", "Europe/Paris"),
        (Service.OFFICE365, "provider", "Etc/UTC"),
        (Service.OFFICE365, "kept", "Europe/Paris"),
        (Service.GOOGLE, "lost", "Etc/UTC"),
    ],
)
async def test_time_zones_survive_or_not(cronofy: Running, service: Service, zones: str, kept: str) -> None:
    await cronofy.control.change_settings(zones=zones)
    caller = await cronofy.connect(service)
    assert (await write(cronofy, caller, tzid="Europe/Paris")).tzid == kept
    (shown,) = await caller.managed(localized_times="true")
    assert shown["start"]["tzid"] == kept


@pytest.mark.parametrize(("service", "kept"), [(Service.ICLOUD, "https://a.example"), (Service.EXCHANGE, None)])
async def test_urls_survive_or_not(cronofy: Running, service: Service, kept: str | None) -> None:
    caller = await cronofy.connect(service)
    assert (await write(cronofy, caller, url="https://a.example")).url == kept


async def test_the_rewritten_form_can_arrive_after_what_was_sent(cronofy: Running) -> None:
    await cronofy.control.change_settings(rewriting="settling", rewriting_seen="later")
    caller = await cronofy.connect(Service.GOOGLE)
    await caller.upsert(description="One\nTwo")
    await cronofy.control.advance(15)
    assert [event["description"] for event in await caller.managed()] == ["One\nTwo"]
    await cronofy.control.advance(20)
    assert [event["description"] for event in await caller.managed()] == ["One<br>Two"]


async def test_what_is_not_rewritten_arrives_at_once(cronofy: Running) -> None:
    await cronofy.control.change_settings(rewriting="settling", rewriting_seen="later")
    caller = await cronofy.connect(Service.GOOGLE)
    await caller.upsert(description="One")
    await cronofy.control.advance(15)
    assert (await cronofy.control.pending()).quiet
