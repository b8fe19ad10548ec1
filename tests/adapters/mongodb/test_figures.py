"""Figures about the whole installation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.mongodb import figures as module
from adapters.mongodb.driver import Database
from adapters.mongodb.figures import Amount, Figures
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.links import Links
from events.integration import Assignee, Held, Note, Status
from events.link import CalendarAsk, Ending, LinkState, Verdict
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, after, item, lease, link, linked
from tests.adapters.mongodb.subjects import VAULT

CYD = Assignee("int_cyd", 1, 9)


async def stands(integrations: Integrations, whose: Assignee, **held: Any) -> None:
    """Make an integration of which this is the case."""
    await linked(integrations, whose)
    taken = await integrations.take(whose.integration_id, "message", HOUR)
    await integrations.save(taken.lease, Note(Held(), replace(Held(), **held)))  # type: ignore[union-attr]


async def test_nothing_is_there_at_first(opened: Database) -> None:
    figures = Figures(opened)
    assert await figures.waiting(NOW) == module.Waiting(Amount(0, None), {}, complete=True)
    assert await figures.standings(NOW) == module.Standings({}, {"cronofy": 0, "psa": 0}, None)
    assert await figures.dead_letters() == {}


async def test_integrations_that_are_due_are_late_and_others_are_not(opened: Database) -> None:
    integrations = Integrations(opened, VAULT, lambda: 0.0)
    await linked(integrations, ANN, after(-7))
    await linked(integrations, BOB, after(-3))
    await linked(integrations, CYD, after(+3))
    assert (await Figures(opened).waiting(NOW)).integrations == Amount(2, after(-7))


async def test_links_wait_since_they_were_asked_or_began_to_fail_by_reason(opened: Database) -> None:
    integrations, links = Integrations(opened, VAULT, lambda: 0.0), Links(opened)
    await linked(integrations, ANN)
    ask = CalendarAsk(None, frozenset(), None, None, after(-20))
    waits = [
        link(item(1), reason=Reason.AWAITING_CONFIRMATION, calendar_asks=(ask,), due_at=after(1)),
        link(item(2), reason=Reason.AWAITING_CONFIRMATION, due_at=after(-1)),
        link(item(3), reason=Reason.SERVER_ERROR, failing_since=after(-50), calendar_asks=(ask,), due_at=after(5)),
        link(item(4), reason=Reason.IN_SYNC),
    ]
    await links.add(lease(1), waits)
    assert (await Figures(opened).waiting(NOW)).links == {
        "awaiting_confirmation": Amount(2, after(-20)),
        "server_error": Amount(1, after(-50)),
    }


async def test_it_is_said_when_more_waits_than_is_looked_at(opened: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    integrations = Integrations(opened, VAULT, lambda: 0.0)
    await linked(integrations, ANN, after(-7))
    await linked(integrations, BOB, after(-3))
    monkeypatch.setattr(module, "_INTEGRATIONS", 1)
    waiting = await Figures(opened).waiting(NOW)
    assert (waiting.complete, waiting.integrations) == (False, Amount(1, after(-7)))


async def test_integrations_are_counted_by_how_they_stand(opened: Database) -> None:
    integrations = Integrations(opened, VAULT, lambda: 0.0)
    fine: dict[str, Any] = {"status": Status.CONNECTED, "reason": Reason.IN_SYNC}
    await stands(integrations, ANN, **fine, verified_at=after(-60), linked_since=after(-500))
    await stands(integrations, BOB, **fine, linked_since=after(-90), calendar_hold=after(1), psa_hold=after(-1))
    await stands(integrations, CYD, reason=Reason.REVOKED_BY_USER, verified_at=after(-9000), psa_hold=after(2))
    standings = await Figures(opened).standings(NOW)
    assert standings.counts == {
        ("connected", "in_sync", True): 2,
        ("not_connected", "revoked_by_user", True): 1,
    }
    assert standings.on_hold == {"cronofy": 1, "psa": 1}
    assert standings.stalest == after(-90), "who is not connected cannot be fresh"
    await integrations.want_active(BOB, 3, NOW, active=False)
    standings = await Figures(opened).standings(NOW)
    assert standings.counts["connected", "in_sync", False] == 1
    assert standings.stalest == after(-60), "who is switched off need not be fresh"


async def test_open_dead_letters_are_counted_by_reason(
    opened: Database, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    mongodb[database]["dead_letters"].insert_many([
        {"status": "open", "reason": "poison", "first_at": NOW - timedelta(days=2)},
        {"status": "open", "reason": "poison", "first_at": NOW},
        {"status": "discarded", "reason": "poison", "first_at": NOW - timedelta(days=9)},
    ])
    assert await Figures(opened).dead_letters() == {"poison": Amount(2, NOW - timedelta(days=2))}


async def test_deletions_that_are_held_back_are_counted_since_the_first_was(opened: Database) -> None:
    links = Links(opened)
    held = [
        link(item(n), state=LinkState.QUARANTINED, ending=Ending(after(-n), Verdict.HELD, Reason.CALENDAR_DELETED))
        for n in (1, 2)
    ]
    await links.add(lease(1), [*held, link(item(3))])
    assert await Figures(opened).held_back() == Amount(2, after(-2))
