"""The platform's house style: what it makes of texts and times, whoever wrote them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from events.items import Appointment, CrmActivity, Period, Task
from sandbox.psa.model.settings import Style
from sandbox.psa.model.style import in_house_style
from tests.sandbox.psa_running import USER, refusal, running

PLAIN = Style(trim_text=False)
AT = datetime(2026, 3, 10, 9, 30, 59, 997_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("style", "given", "kept"),
    [
        (PLAIN, {"subject": " a "}, {"subject": " a "}),
        (Style(), {"subject": " a\u00a0\n", "description": "\n b \n c "}, {"subject": "a", "description": "b \n c"}),
        (Style(cut_long_text=True), {"subject": "x" * 300}, {"subject": "x" * 256}),
        (Style(cut_long_text=True), {"description": "x" * 8001}, {"description": "x" * 8000}),
        (Style(crlf_line_ends=True), {"description": "a\nb\r\nc"}, {"description": "a\r\nb\r\nc"}),
        (Style(html_descriptions=True), {"description": "a < b\nc"}, {"description": "<p>a &lt; b<br>c</p>"}),
        (Style(html_descriptions=True), {"subject": "a < b", "location": "c"}, {"subject": "a < b", "location": "c"}),
        (Style(whole_minutes=True), {"start": AT}, {"start": AT.replace(second=0, microsecond=0)}),
        (PLAIN, {"start": AT, "description": None}, {"start": AT, "description": None}),
    ],
)
def test_an_appointment_is_kept_in_house_style(style: Style, given: dict[str, Any], kept: dict[str, Any]) -> None:
    item = in_house_style(Appointment.model_validate({"id": 1, **given}), style)
    assert item == Appointment.model_validate({"id": 1, **kept})


def test_style_reaches_into_the_parts_of_a_snapshot() -> None:
    period = Period.model_validate({"task_member_hour_id": 1, "from": AT, "to": AT})
    task = Task.model_validate({"task_id": 1, "name": " a ", "project": {"id": 1, "name": " b "}, "periods": (period,)})
    kept = in_house_style(task, Style(whole_minutes=True))
    assert (kept.name, kept.project.name, kept.periods[0].start.second) == ("a", "b", 0)


def test_notes_are_kept_as_markup_like_descriptions() -> None:
    activity = CrmActivity.model_validate({
        "id": 1,
        "type_id": 1,
        "type": "Call",
        "account": {"id": 1},
        "status_id": 1,
        "status": "Open",
        "assigned_to": {"id": 1},
        "notes": "a",
    })
    assert in_house_style(activity, Style(html_descriptions=True)).notes == "<p>a</p>"


def test_keeping_what_was_kept_changes_nothing() -> None:
    style = Style(cut_long_text=True, crlf_line_ends=True, html_descriptions=True, whole_minutes=True)
    item = Appointment.model_validate({"id": 1, "subject": " x" * 300, "description": " a & b\n" * 999, "start": AT})
    once = in_house_style(item, style)
    assert in_house_style(once, style) == once


async def test_calendar_sync_and_people_are_treated_alike() -> None:
    async with running() as world:
        await world.psa.change_settings(style={"crlf_line_ends": True})
        assert (await world.psa.settings()).style == Style(crlf_line_ends=True)
        created = (await world.api.create(subject=" Lunch ", description="a\nb"))["result"]["item"]
        assert (created["subject"], created["description"]) == ("Lunch", "a\r\nb")
        item = await world.psa.create_item("appointment", [USER], subject=" Tea ", description="c\nd")
        assert (item.field("subject"), item.field("description")) == ("Tea", "c\r\nd")
        changed = (await world.api.change("appointment", item.item_id, 1, {"location": " Here "}))["result"]["item"]
        assert changed["location"] == "Here"


async def test_long_texts_are_refused_unless_the_platform_cuts_them() -> None:
    async with running() as world:
        assert refusal(await world.api.create(subject="x" * 257)) == 40000
        await world.psa.change_settings(style={"cut_long_text": True})
        assert (await world.api.create(subject="x" * 257))["result"]["item"]["subject"] == "x" * 256
