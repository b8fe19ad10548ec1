"""What the worker tells: complete, of the agreed form, and under the same id when it is told again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.commands import Cause
from events.content import Content, Field, Timed
from events.contract import parse
from events.items import ItemType
from events.link import (
    EventKey,
    ExternalEvent,
    ItemKey,
    Link,
    LinkState,
    ManagedEvent,
    Origin,
    PsaAsk,
    link_id,
    managed_event_id,
)
from events.outcomes import OUTCOME, Direction, ItemBlocked, ItemConflict, ItemSynced
from events.reasons import Reason
from tests.events.messages import Json, envelope, refused
from worker import telling
from worker.core.plan import Decision, Overruled, PutEvent
from worker.telling import Occasion, Report

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
ITEM = ItemKey(1204, ItemType.TODO, "88120")
HELD = Content(Timed(NOON, NOON + timedelta(hours=1)), "Review")
OCCASION = Occasion(NOON, Cause.PSA_EVENT, "m-1")
PUT = Decision(
    PutEvent(HELD, HELD, frozenset({Field.SUMMARY})),
    Reason.PSA_CHANGED,
    overruled=(Overruled(Field.SUMMARY, "psa", "Lunch", Reason.PSA_CHANGED),),
)


def link(item: ItemKey = ITEM, event: EventKey | None = None, **fields: Any) -> Link:
    event = event or ManagedEvent("cal_1", managed_event_id(item, 5571))
    made = Link(
        id=link_id("int-7", event),
        integration_id="int-7",
        tenant_id=item.tenant_id,
        user_id=5571,
        event=event,
        origin=Origin.PSA,
        item=item,
        version=3,
    )
    return replace(made, **fields)


def told(of: Link, occasion: Occasion = OCCASION) -> list[ItemConflict | ItemBlocked | ItemSynced]:
    """Return all that can be told of an item, one of each."""
    report = Report()
    ask = PsaAsk(HELD, frozenset({Field.SUMMARY}), None, 1)
    telling.overruled(report, of, PUT, occasion)
    telling.refused(
        report, of, replace(of, reason=Reason.PSA_REFUSED, message="No."), occasion, Direction.FROM_CALENDAR
    )
    settled = replace(of, state=LinkState.SETTLED, reason=Reason.IN_SYNC)
    telling.concluded(report, replace(of, psa_asks=(ask,)), settled, occasion)
    outcomes = [one for one in report.outcomes if isinstance(one, ItemConflict | ItemBlocked | ItemSynced)]
    assert [type(one) for one in outcomes] == [ItemConflict, ItemBlocked, ItemSynced]
    return outcomes


def test_what_is_told_again_about_an_item_has_the_same_id_whenever_that_is() -> None:
    later = Occasion(NOON + timedelta(hours=1), Cause.DUE, "m-2")
    assert [one.id for one in told(link(), later)] == [one.id for one in told(link())]


def test_what_is_told_after_another_save_or_of_another_item_or_kind_has_another_id() -> None:
    links = [link(), link(version=4), link(replace(ITEM, item_id="88121")), link(replace(ITEM, part_id="7"))]
    ids = [one.id for some in links for one in told(some)]
    assert len(set(ids)) == len(ids) == 12


def test_what_is_told_is_read_back_as_it_was() -> None:
    for one in told(link()):
        body = one.model_dump_json(exclude_none=True).encode()
        assert parse(OUTCOME, body) == one


@pytest.mark.parametrize("of_its_user", [True, False])
def test_the_longest_legal_names_can_be_told(*, of_its_user: bool) -> None:
    item = ItemKey(-(2**31), ItemType.SERVICE_CALL, "i" * 64, "p" * 64)
    event = ExternalEvent("c" * 512, "e" * 128) if of_its_user else None
    assert len(told(link(item, event, version=2**31, integration_id="i" * 64))) == 3


def test_nothing_private_is_told() -> None:
    private = link(psa_base=replace(HELD, private=True))
    conflict = told(private)[0]
    assert b"Lunch" not in conflict.model_dump_json().encode()


# The contract


def outcome(kind: str, **data: object) -> Json:
    about = {"tenant_id": 1204, "user_id": 5571, "integration_id": "int-7"}
    return envelope(f"calsync.{kind}.v1", {**about, **data})


def test_what_a_newer_worker_may_add_is_ignored() -> None:
    message = outcome("integration.connected", provider="gsuite", profile_name="ann@example.com", more=[1])
    assert parse(OUTCOME, orjson.dumps({**message, "more": 1})).type == "calsync.integration.connected.v1"


@pytest.mark.parametrize(
    ("message", "place"),
    [
        (outcome("integration.synced", last_sync="2026-03-09T14:00:00"), "last_sync"),
        (outcome("integration.configured", revision="3", calendar_id="cal_1"), "revision"),
        (outcome("run.progress", run_id="r", state="done", done=1), "state"),
        (outcome("run.progress", run_id="r", state="running", done=-1), "done"),
        (outcome("item.blocked", item_type="todo", item_id="a b", reason="x", explanation="y"), "item_id"),
        (
            outcome(
                "item.conflict",
                item_type="todo",
                item_id="1",
                conflict_id="c",
                lost=[{"field": "when", "winner": "us"}],
            ),
            "lost/0",
        ),
    ],
)
def test_an_outcome_beyond_the_agreed_is_refused(message: Json, place: str) -> None:
    error = refused(OUTCOME, message)
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.startswith(f"{message['type']}/data/{place}")


@given(st.integers(0, 2**40))
def test_ids_do_not_depend_on_anything_but_link_version_and_kind(version: int) -> None:
    conflict, *others = (one.id for one in told(link(version=version)))
    about = f"int-7/psa-1204-5571-todo-88120:{version}"
    assert re.fullmatch(f"{about}:conflict:[0-9a-f]{{12}}", conflict), "one step can overrule twice, with other values"
    assert others == [f"{about}:{kind}" for kind in ("blocked", "synced")]
    assert [one.id for one in told(link(version=version))] == [conflict, *others]
