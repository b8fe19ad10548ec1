"""What happened, in order, and what both sides hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from events.commands import Cause
from events.content import Field
from events.failures import Malformed
from events.journal import Act, Entry, Result
from events.link import Ending, Freeze, LinkState, Verdict
from events.outcomes import Direction
from events.reasons import Reason
from tests.core.examples import AGREED, HOUR, NOW, ask, seen
from tests.explaining.asking import (
    AWAY,
    DANA,
    NOT_THERE,
    WORKING,
    event_now,
    found,
    integration,
    item_now,
    snapshot,
    told,
)
from worker.explaining.answer import Step
from worker.explaining.question import AboutEvent, AboutItem, AboutLink, AboutOurEvent, asked


def entry(minutes: float, act: Act, result: Result, **parts: Any) -> Entry:
    line = Entry(
        f"{minutes}",
        NOW + timedelta(minutes=minutes),
        1,
        "int_1",
        Cause.PSA_EVENT,
        Direction.TO_CALENDAR,
        act,
        result,
        Reason.PSA_CHANGED,
    )
    return replace(line, **parts)


def steps(**known: Any) -> list[Step]:
    return [line.step for line in told(**known).lines]


def test_what_happened_is_told_in_order() -> None:
    entries = [
        entry(3, Act.CONFIRM, Result.DONE, reason=Reason.IN_SYNC),
        entry(2, Act.UPDATE, Result.ACCEPTED, fields=("when",), run_id="run"),
        entry(1, Act.UPDATE, Result.RETRYING, reason=Reason.UNREACHABLE, attempt=2),
    ]
    story = told(integration=WORKING, link=snapshot(), entries=entries)
    moments = [line.at for line in story.lines if line.at]
    assert moments == sorted(moments)
    assert [line.step for line in story.lines] == ["observed", "observed", "blocked", "sent", "confirmed"]
    assert story.lines[3].words == "update → calendar (when) accepted, by psa_event"
    assert story.lines[3].run_id == "run"
    assert story.lines[2].words.endswith("attempt 2")


@pytest.mark.parametrize(
    ("act", "result", "step"),
    [
        (Act.CREATE, Result.ACCEPTED, Step.SENT),
        (Act.CREATE, Result.DONE, Step.CONFIRMED),
        (Act.UPDATE, Result.RETRYING, Step.BLOCKED),
        (Act.UPDATE, Result.FAILED, Step.BLOCKED),
        (Act.UPDATE, Result.CONFLICT, Step.DECIDED),
        (Act.SKIP, Result.SKIPPED, Step.DECIDED),
        (Act.REJECT, Result.SKIPPED, Step.BLOCKED),
        (Act.CONFIRM, Result.DONE, Step.CONFIRMED),
        (Act.FIND, Result.DONE, Step.OBSERVED),
    ],
)
def test_a_line_of_the_log_is_a_step(act: Act, result: Result, step: Step) -> None:
    lines = told(integration=WORKING, link=snapshot(calendar_seen=None), entries=[entry(1, act, result)]).lines
    assert lines[-1].step is step


def test_what_blocks_a_link_is_told() -> None:
    held = snapshot(
        state=LinkState.QUARANTINED,
        ending=Ending(NOW, Verdict.HELD, Reason.MANY_DELETIONS),
        failing_since=NOW + HOUR,
        attempts=4,
        frozen={Field.SUMMARY: Freeze(NOW + HOUR, frozenset())},
    )
    blocked = [line for line in told(integration=WORKING, link=held).lines if line.step is Step.BLOCKED]
    assert [line.reason for line in blocked] == [Reason.MANY_DELETIONS, Reason.IN_SYNC, Reason.FIELD_FLIPS]
    assert blocked[-1].at is None
    assert blocked[0].rule


def test_what_is_on_its_way_is_told_apart_from_what_is_only_intended() -> None:
    asks = (ask(AGREED, at=NOW + HOUR), ask(AGREED, at=NOW + 2 * HOUR, sent=False))
    lines = told(integration=WORKING, link=snapshot(calendar_asks=asks)).lines
    assert [line.step for line in lines[-2:]] == [Step.SENT, Step.DECIDED]


def test_what_hinders_the_integration_is_told_last() -> None:
    off = replace(WORKING, wanted=replace(WORKING.wanted, active=False))
    last = told(integration=off, link=snapshot()).lines[-1]
    assert (last.step, last.at, last.reason) == (Step.BLOCKED, None, Reason.INACTIVE)


@pytest.mark.parametrize(
    ("seen_parts", "words"),
    [
        ({"deleted": True, "item": None}, "PSA: revision 3, deleted"),
        ({"assigned": False}, "PSA: revision 3, the user is not assigned"),
        ({"absent": True, "item": None}, "PSA: revision 3, the PSA does not know it"),
        ({"item": None}, "PSA: revision 3, content not read yet"),
        ({}, "PSA: revision 3"),
    ],
)
def test_what_was_seen_of_the_item_is_told_in_words(seen_parts: Any, words: str) -> None:
    link = snapshot(calendar_seen=None)
    assert link.psa_seen is not None
    link = replace(link, psa_seen=replace(link.psa_seen, **seen_parts))
    assert [line.words for line in told(link=link).lines] == [words]


def test_what_was_seen_of_the_event_is_told_in_words() -> None:
    shown = [snapshot(psa_seen=None, calendar_seen=one) for one in (seen(None), seen(AGREED), seen(None, missing=True))]
    words = [told(link=link).lines[0].words for link in shown]
    assert words == ["calendar: deleted", "calendar: the event as it is", "calendar: missing"]


# Both sides


def pairs(**known: Any) -> dict[str, tuple[str | None, str | None, bool]]:
    return {pair.field: (pair.psa, pair.calendar, pair.same) for pair in told(integration=WORKING, **known).pairs}


def test_both_sides_are_shown_side_by_side() -> None:
    told_of = pairs(link=snapshot())
    assert told_of["summary"] == ("Review", "Review", True)
    assert told_of["location"] == ("", "Room 1", False)
    assert list(told_of) == [field.value for field in Field]


@pytest.mark.parametrize(
    "link",
    [
        snapshot(private=True),
        snapshot(calendar_seen=seen(replace(AGREED, private=True))),
    ],
)
def test_of_what_is_private_on_either_side_no_text_is_shown(link: Any) -> None:
    shown = pairs(link=link)
    assert {shown[name][:2] for name in ("summary", "description", "location")} == {("(private)", "(private)")}
    assert shown["when"][0] is not None


def test_a_side_that_has_nothing_shows_nothing() -> None:
    assert pairs(link=snapshot(psa_seen=None, calendar_seen=None)) == {}
    assert pairs(link=snapshot(calendar_seen=None))["summary"] == ("Review", None, False)


def test_what_was_read_just_now_is_shown_instead_of_what_is_stored() -> None:
    later = item_now(DANA, start=NOW + 5 * HOUR)
    shown = pairs(link=snapshot(), item=found(later), event=found(event_now(summary="Moved")))
    assert shown["summary"] == ("Review", "Moved", False)
    assert (shown["when"][0] or "").startswith("2026-03-10T17:00:00Z")
    assert pairs(link=snapshot(), item=NOT_THERE, event=NOT_THERE) == {}


def test_a_side_that_cannot_be_asked_is_shown_as_it_is_stored_and_that_is_told() -> None:
    story = told(integration=WORKING, link=snapshot(), item=AWAY, event=AWAY)
    assert story.live
    assert [line.reason for line in story.lines[-2:]] == [Reason.UNREACHABLE, Reason.UNREACHABLE]
    assert story.pairs[1].calendar == "Review"


def test_a_story_names_whose_it_is() -> None:
    story = told(integration=integration(), link=snapshot())
    assert (story.integration_id, story.tenant_id, story.user_id, story.item) == ("int_1", 1, 5, "appointment/7")
    nobody = told("psa-1-5-task-9-2", integration=WORKING)
    assert (nobody.item, nobody.event, nobody.link_id) == ("task/9/2", "psa-1-5-task-9-2", "")
    assert told("int_1/cal_1/evt_1", integration=WORKING).event == "evt_1"


# The question


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("service_call/70551", AboutItem),
        (" task/5120/77 ", AboutItem),
        ("psa-1204-5571-service_call-70551", AboutOurEvent),
        ("psa-of-nobody", AboutEvent),
        ("evt_external_54008b1a4a41730f8d5c6037", AboutEvent),
        ("int-1/psa-1204-5571-todo-3", AboutLink),
        ("int-1/cal_1/evt_1", AboutLink),
    ],
)
def test_a_question_is_understood_as_people_write_it(words: str, kind: type) -> None:
    assert type(asked(words, 1204).subject) is kind


@pytest.mark.parametrize("words", ["", "   ", "a\nb", "x" * 2000])
def test_what_nobody_could_mean_is_refused(words: str) -> None:
    with pytest.raises(Malformed):
        asked(words)
