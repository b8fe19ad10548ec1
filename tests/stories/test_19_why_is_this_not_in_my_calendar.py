"""Point 19: "Why is this not in my calendar?" always has an answer, in order, and without what is private."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from typer.testing import CliRunner

from adapters.mongodb.driver import open_database
from adapters.mongodb.records import Records
from adapters.process.system import SystemClock
from cli.main import app_for
from events.items import ItemType
from events.outcomes import Configured, Switched
from events.psa import Outbound
from events.reasons import Reason
from sandbox.cronofy.control.event_messages import EventFields, EventView
from sandbox.cronofy.model.settings import Service
from sandbox.psa.client import PsaItem
from tests.stories.days import at
from tests.stories.stage import PATIENCE, TENANT, NotYet, Stage, environment
from worker.explaining.answer import Answer, Step, Story
from worker.explaining.looking import Explainer
from worker.explaining.question import asked
from worker.run import opened_sides

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def ask(world: Stage, words: str, *, integration: str = "", live: bool = False) -> Answer:
    """Ask as the command line does."""
    question = asked(words, TENANT, integration)
    services = world.services
    async with open_database(services.driver, services.mongodb_url, services.database) as database:
        records = Records(database)
        if not live:
            return await Explainer(records, SystemClock()).answer(question)
        async with opened_sides(world.settings, database) as sides:
            return await Explainer(records, SystemClock(), sides).answer(question)


async def the_story(world: Stage, words: str, *, integration: str = "", live: bool = False) -> Story:
    """Return the only story that is told."""
    (story,) = (await ask(world, words, integration=integration, live=live)).stories
    return story


async def why(world: Stage, words: str, *, integration: str = "", live: bool = False) -> str:
    """Return the code of the reason."""
    return (await the_story(world, words, integration=integration, live=live)).verdict.reason.value


async def in_sync(world: Stage, words: str) -> Story:
    """Return the story as soon as it says so: a line of the log is there before the state that it tells of."""
    story = await the_story(world, words, live=True)
    if story.verdict.reason is not Reason.IN_SYNC:
        raise NotYet(story.verdict.reason)
    return story


async def appointment(world: Stage, user_id: int, subject: str = "Review", *, is_private: bool = False) -> PsaItem:
    """Return a new appointment of a user."""
    return await world.psa.create_item(
        ItemType.APPOINTMENT, [user_id], subject=subject, is_private=is_private, start=at(9), end=at(10)
    )


def named(item: PsaItem) -> str:
    """Name an item as people do."""
    return f"{item.item_type}/{item.item_id}"


async def test_it_is_told_in_order_what_was_seen_decided_sent_and_confirmed(world: Stage) -> None:
    dana = await world.link(301)
    item = await appointment(world, 301)
    await dana.event(item)
    by_item = await world.until(lambda: in_sync(world, named(item)))
    steps = [line.step for line in by_item.lines]
    assert steps.index(Step.OBSERVED) < steps.index(Step.SENT) < steps.index(Step.CONFIRMED)
    values = {pair.field: pair for pair in by_item.pairs}
    assert (values["summary"].psa, values["summary"].calendar, values["when"].same) == ("Review", "Review", True)
    # The same is told whatever it is asked by.
    for words in (dana.name(item), by_item.link_id):
        assert (await the_story(world, words)).link_id == by_item.link_id


async def test_an_event_of_the_users_own_is_explained_by_its_id_alone(world: Stage) -> None:
    dana = await world.link(302)
    event = await world.cronofy.create_event(dana.calendar_id, summary="Lunch", start=at(12), end=at(13))
    await dana.appointment(event)
    await world.told(dana.integration_id, act="confirm", reason="in_sync")
    story = await the_story(world, event.event_uid)
    assert (story.integration_id, story.item.partition("/")[0]) == (dana.integration_id, "appointment")


async def test_of_a_private_item_no_text_is_shown(world: Stage) -> None:
    dana = await world.link(303)
    item = await appointment(world, 303, subject="Surgery", is_private=True)
    await dana.event(item)
    answer = await ask(world, named(item), live=True)
    assert "Surgery" not in str(answer)
    assert {pair.psa for pair in answer.stories[0].pairs if pair.field == "summary"} == {"(private)"}


async def test_the_users_ticks_and_switches_are_told(world: Stage) -> None:
    dana = await world.link(304, outbound=Outbound(appointments=False))
    item = await appointment(world, 304)
    await world.told(dana.integration_id, reason="type_not_ticked")
    await world.until(lambda: _is(world, named(item), "type_not_ticked"))
    await world.psa.deactivate(dana.integration_id)
    # Whoever is at work just then may still look at what comes in, and note that its kind is not ticked.
    await world.psa.outcome(Switched, integration_id=dana.integration_id)
    todo = await world.psa.create_item(ItemType.TODO, [304], description="Call back", date=at(9))
    await world.until(lambda: _is(world, named(todo), "inactive"))
    assert (await the_story(world, named(todo), integration=dana.integration_id)).state == "pending"


async def _is(world: Stage, what: str, reason: str) -> None:
    """Expect an answer that may take a moment: an outcome goes out before what was decided is written down."""
    found = await why(world, what)
    if found != reason:
        raise NotYet(found)


async def test_what_nobody_works_on_is_explained_by_asking_both_sides(world: Stage) -> None:
    account = await world.cronofy.create_account(Service.GOOGLE)
    lunch: EventFields = {"summary": "Lunch", "start": at(15), "end": at(16)}
    (before,) = await world.cronofy.create_known_events(account.calendar_id, [lunch])
    await world.until(lambda: _a_second_after(before))
    await world.psa.connect("int-305", 305, account.code)
    await world.psa.configure("int-305", account.calendar_id)
    await world.psa.outcome(Configured, integration_id="int-305", within=PATIENCE)
    stranger = await appointment(world, 999)
    assert await why(world, named(stranger)) == "never_heard_of"
    assert await why(world, named(stranger), live=True) == "no_integration"
    assert await why(world, named(stranger), integration="int-305", live=True) == "not_assigned"
    assert await why(world, "appointment/987654", live=True) == "item_not_found"
    assert await why(world, "int-305/psa-1204-305-appointment-987654", live=True) == "item_not_found"
    await world.told("int-305", reason="before_linking")
    await world.until(lambda: _is(world, before.event_uid, "before_linking"))
    assert await why(world, before.event_uid, live=True) == "before_linking"
    assert await why(world, "evt_none", integration="int-305", live=True) == "event_not_found"
    assert await why(world, "evt_none", integration="int-nobody") == "unknown_integration"


async def _a_second_after(event: EventView) -> None:
    """Stamps have whole seconds."""
    now = datetime.now(UTC)  # noqa: TID251 - the stage's clock is the real one
    if now - event.created < timedelta(seconds=1.1):
        raise NotYet(event.event_uid)


async def test_operators_ask_by_a_command(world: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    dana = await world.link(306)
    item = await appointment(world, 306, subject="[red]Review\x1b[2J")
    await dana.event(item)
    for name, value in environment(world.settings).items():
        monkeypatch.setenv(name, value)
    shown = await asyncio.to_thread(typed, named(item), "--live")
    assert "[red]Review" in shown
    assert "\x1b" not in shown
    lines = (await asyncio.to_thread(typed, named(item), "--tenant", str(TENANT), "--json")).splitlines()
    (told,) = (orjson.loads(line) for line in lines if line.startswith('{"question"'))  # the worker logs beside it
    (story,) = told["stories"]
    assert story["integration_id"] == dana.integration_id
    assert {"explanation", "rule", "advice"} <= set(story["verdict"])


def typed(*words: str) -> str:
    """Return what the command prints."""
    result = CliRunner().invoke(app_for(["explain"]), ["explain", *words])
    assert result.exit_code == 0, result.output
    return result.output
