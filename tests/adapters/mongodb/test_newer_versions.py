"""While a new version is rolled out, older workers meet what newer ones have written: it is left as it is."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from pymongo import MongoClient
from structlog.typing import EventDict

from adapters.mongodb.driver import Driver, open_database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal, kept_for
from adapters.mongodb.links import Links
from adapters.mongodb.overview import Overview
from adapters.mongodb.understanding import LATER
from adapters.mongodb.vault import Vault, new_key
from events.failures import Misconfigured, NotUnderstood
from events.integration import Account, CalendarInfo, Held, Note, Taken
from events.journal import Which
from tests.adapters.mongodb.examples import (
    ANN,
    HOUR,
    NOTHING,
    NOW,
    after,
    connect,
    item,
    lease,
    link,
    linked,
    observed,
    seen,
    settings,
    stored,
)
from tests.adapters.mongodb.subjects import VAULT
from tests.adapters.mongodb.test_journal import line

HELD = Held(
    account=Account("acc_1", "pro_1", "ann@example.com", "google", "gsuite"),
    calendars=(CalendarInfo("cal_1", "Ann's", "pro_1"),),
)


@pytest.fixture
def database_of(mongodb: MongoClient[dict[str, Any]], database: str) -> Any:
    """The test's database, as the newer version sees it."""
    return mongodb[database]


@pytest.fixture
async def opened(mongodb_url: str, database: str) -> AsyncGenerator[Any]:
    async with open_database(Driver.PYMONGO, mongodb_url, database) as found:
        yield found


@pytest.fixture
def links(opened: Any) -> Links:
    return Links(opened)


@pytest.fixture
def integrations(opened: Any) -> Integrations:
    return Integrations(opened, VAULT, time.monotonic)


def said(lines: list[EventDict]) -> list[tuple[str, str]]:
    return [(one["log_level"], one["event"]) for one in lines]


# Links


async def test_fields_that_are_not_known_are_passed_over_and_stay(links: Links, database_of: Any) -> None:
    one = link(item(), psa_seen=seen(1), due_at=NOW)
    await links.add(lease(1), [one])
    news = {"flavour": "sour", "psa_seen.mood": "good"}
    database_of.links.update_one({"_id": one.id}, {"$set": news})
    (found,) = await links.due(ANN.integration_id, NOW, 10)
    assert found == one
    await links.save(lease(1), [(found, replace(found, attempts=1))])
    document = database_of.links.find_one({"_id": one.id})
    assert (document["flavour"], document["psa_seen"]["mood"], document["attempts"]) == ("sour", "good", 1)


NEWS: list[dict[str, Any]] = [
    {"state": "hibernating"},
    {"reason": "because"},
    {"origin": "elsewhere"},
    {"item.type": "invoice"},
    {"event": {"calendar_id": "cal_1", "event_number": 7}},
    {"rewritten": {"mood": "good"}},
    {"calendar_base": {"everything": "new"}},
]


@pytest.mark.parametrize("news", NEWS, ids=[next(iter(one)) for one in NEWS])
async def test_a_link_that_makes_no_sense_is_left_alone_and_others_go_on(
    links: Links, database_of: Any, news: dict[str, Any]
) -> None:
    strange, plain = (link(item(number), psa_seen=seen(1), due_at=NOW) for number in (1, 2))
    await links.add(lease(1), [strange, plain])
    database_of.links.update_one({"_id": strange.id}, {"$set": news})
    before = database_of.links.find_one({"_id": strange.id})
    with structlog.testing.capture_logs() as lines:
        assert await links.due(ANN.integration_id, NOW, 10) == [plain]
    assert said(lines) == [("warning", "document_left_alone")]
    assert strange.id in lines[0]["why"]
    due_at = (NOW + LATER).replace(tzinfo=None)
    assert database_of.links.find_one({"_id": strange.id}) == before | {"due_at": due_at}
    assert await links.next_due(ANN.integration_id) == NOW, "the other one"
    assert await links.by_ids([strange.id, plain.id]) == {plain.id: plain}
    assert await links.add(lease(1), [strange]) == {strange.id}, "it is there, and stays as it is"
    assert database_of.links.find_one({"_id": strange.id}) == before | {"due_at": due_at}


async def test_intake_goes_on_beside_a_link_that_makes_no_sense(links: Links, database_of: Any) -> None:
    strange = link(item(), psa_seen=seen(1), due_at=None)
    await links.add(lease(1), [strange])
    database_of.links.update_one({"_id": strange.id}, {"$set": {"state": "hibernating"}})
    assert [one.id for one in await links.of_items([item()], [])] == [strange.id]
    await links.observe([observed(strange, seen(2))], after(1))
    database_of.links.update_one({"_id": strange.id}, {"$set": {"state": "settled"}})
    assert (await stored(links, strange)).psa_seen == seen(2)


# Integrations


async def test_an_integration_with_fields_that_are_not_known_is_worked_on(
    integrations: Integrations, database_of: Any
) -> None:
    await linked(integrations)
    took = await integrations.take(ANN.integration_id, "first", HOUR)
    assert isinstance(took, Taken)
    assert await integrations.save(took.lease, Note(Held(), HELD))
    news = {"held.mood": "good", "held.account.age": 7, "held.calendars.0.colour": "red", "wanted.settings.mood": 1}
    database_of.integrations.update_one({"_id": ANN.integration_id}, {"$set": news})
    again = await integrations.take(ANN.integration_id, "first", HOUR)
    assert isinstance(again, Taken)
    assert (again.integration.held.account, again.integration.held.calendars) == (HELD.account, HELD.calendars)
    await integrations.release(again.lease, NOTHING, None, HOUR)
    document = database_of.integrations.find_one({"_id": ANN.integration_id})
    assert (document["held"]["mood"], document["held"]["account"]["age"]) == ("good", 7)


@pytest.mark.parametrize(
    "news", [{"held.status": "half"}, {"held.reason": "because"}, {"wanted.settings.outbound": ["invoice"]}]
)
async def test_an_integration_that_makes_no_sense_is_left_alone_and_due_later(
    integrations: Integrations, database_of: Any, news: dict[str, Any]
) -> None:
    await linked(integrations)
    await integrations.want_settings(ANN, settings(2), NOW)
    database_of.integrations.update_one({"_id": ANN.integration_id}, {"$set": news})
    before = database_of.integrations.find_one({"_id": ANN.integration_id})
    with structlog.testing.capture_logs() as lines, pytest.raises(NotUnderstood, match=ANN.integration_id):
        await integrations.take(ANN.integration_id, "message", HOUR)
    assert said(lines) == [("warning", "document_left_alone")]
    left = database_of.integrations.find_one({"_id": ANN.integration_id})
    assert (left["held"], left["wanted"], left["lease"]["owner"]) == (before["held"], before["wanted"], None)
    assert timedelta() < left["due_at"] - database_of.command("hello")["localTime"] <= LATER


async def test_an_integration_whose_tokens_no_key_opens_is_left_alone_and_due_later(
    integrations: Integrations, opened: Any, database_of: Any
) -> None:
    await linked(integrations)
    await integrations.want_connect(ANN, connect(3), NOW)
    stranger = Integrations(opened, Vault([new_key()]), time.monotonic)
    with pytest.raises(Misconfigured):
        await stranger.take(ANN.integration_id, "message", HOUR)
    assert database_of.integrations.find_one({"_id": ANN.integration_id})["lease"]["owner"] is None
    assert isinstance(await integrations.take(ANN.integration_id, "another", HOUR), Taken)


# Reading for people


async def test_people_are_told_what_their_version_cannot_read(
    integrations: Integrations, opened: Any, database_of: Any
) -> None:
    await linked(integrations)
    database_of.integrations.update_one({"_id": ANN.integration_id}, {"$set": {"held": {"status": "half"}}})
    for reading in (
        Overview(opened).get(ANN.integration_id),
        Overview(opened).page(None, None, "", 10),
        integrations.get(ANN.integration_id),
    ):
        with pytest.raises(NotUnderstood, match=ANN.integration_id):
            await reading
    journal = Journal(opened, kept_for(HOUR))
    await journal.write([line("1")])
    database_of.sync_log.update_one({"_id": "1"}, {"$set": {"act": "dance", "mood": "good"}})
    with pytest.raises(NotUnderstood, match="1: ValueError"):
        await journal.page(Which(), None, 10)
    database_of.sync_log.update_one({"_id": "1"}, {"$set": {"act": "skip"}})
    assert [entry.id for entry in await journal.page(Which(), None, 10)] == ["1"]
