"""What is written on a dead letter, and what is read of whatever lies there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.addresses import COMMANDS, DEAD_LETTERS, LINK_KEY
from events.commands import Cause
from events.contract import parse
from events.dead_letters import LINK_FAILED, DeadLetter, LinkFailed, Replayed, Source, portable
from events.items import ItemType
from events.link import ItemKey, Link, ManagedEvent, Origin, managed_event_id
from events.outcomes import Direction
from events.reasons import Reason
from events.traces import Trace
from worker import telling
from worker.publishing import DeadLetterBox
from worker.telling import Occasion, Report

if TYPE_CHECKING:
    from adapters.rabbitmq.publisher import Outgoing, Publisher
    from worker.ports import Clock

NOW = datetime(2026, 3, 9, 14, tzinfo=UTC)
TEXT = st.text(max_size=40)
LETTERS = st.builds(
    DeadLetter,
    reason=st.sampled_from([reason.value for reason in Reason]),
    detail=st.text(max_size=1000),
    error=TEXT,
    queue=TEXT,
    exchange=TEXT,
    routing_key=TEXT,
    message_id=TEXT,
    attempts=st.integers(0, 10**6),
    failed_at=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds
)
LETTER = DeadLetter(
    reason="breaks_schema",
    detail="data: Field required",
    error="Malformed",
    queue="calsync.psa-items.v1",
    exchange="psa.events",
    routing_key="psa.calendar_item.changed.v1",
    message_id="m-1",
    attempts=3,
    failed_at=NOW,
)


def by_broker(**death: object) -> dict[str, Any]:
    newest = {
        "reason": "delivery_limit",
        "queue": "calsync.commands.v1",
        "exchange": "calsync.commands",
        "routing-keys": ["wake"],
        "count": 1,
        "time": NOW - timedelta(minutes=5),
        **death,
    }
    return {"x-death": [newest], "x-first-death-reason": newest["reason"]}


# Round trip


@given(LETTERS, st.dictionaries(st.sampled_from(["Cronofy-HMAC-SHA256", "traceparent"]), TEXT))
def test_what_is_written_into_headers_is_read_back_whatever_else_is_there(
    letter: DeadLetter, others: dict[str, str]
) -> None:
    assert DeadLetter.of({**others, **letter.headers()}, NOW) == letter


def test_headers_are_text_under_names_of_our_own() -> None:
    assert LETTER.headers() == {
        "x-calsync-reason": "breaks_schema",
        "x-calsync-detail": "data: Field required",
        "x-calsync-error": "Malformed",
        "x-calsync-queue": "calsync.psa-items.v1",
        "x-calsync-exchange": "psa.events",
        "x-calsync-routing-key": "psa.calendar_item.changed.v1",
        "x-calsync-message-id": "m-1",
        "x-calsync-attempts": "3",
        "x-calsync-failed-at": "2026-03-09T14:00:00Z",
        "x-calsync-stack": "",
        "x-calsync-call": "",
        "x-calsync-correlation-id": "",
        "x-calsync-replay-of": "",
        "x-calsync-replay": "",
    }


# Tolerant reading


def test_what_the_broker_set_aside_is_read_from_its_own_headers() -> None:
    letter = DeadLetter.of(by_broker(count=21), NOW)
    assert letter == DeadLetter(
        reason="delivery_limit",
        detail="set aside by the broker: delivery_limit",
        queue="calsync.commands.v1",
        exchange="calsync.commands",
        routing_key="wake",
        attempts=21,
        failed_at=NOW - timedelta(minutes=5),
    )


@pytest.mark.parametrize("reason", ["rejected", "expired", "maxlen"])
def test_what_the_broker_set_aside_for_another_reason_is_poison(reason: str) -> None:
    letter = DeadLetter.of(by_broker(reason=reason), NOW)
    assert (letter.reason, letter.detail) == ("poison", f"set aside by the broker: {reason}")


def test_the_brokers_time_is_taken_as_utc_if_it_has_no_zone() -> None:
    letter = DeadLetter.of(by_broker(time=datetime(2026, 3, 9, 13)), NOW)  # noqa: DTZ001 - the point
    assert letter.failed_at == datetime(2026, 3, 9, 13, tzinfo=UTC)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_senseless_time_of_the_brokers_is_now(year: int) -> None:
    assert DeadLetter.of(by_broker(time=datetime(year, 1, 1, tzinfo=UTC)), NOW).failed_at == NOW


def test_a_message_with_no_headers_at_all_is_poison_since_now() -> None:
    letter = DeadLetter.of({}, NOW)
    assert (letter.reason, letter.queue, letter.attempts, letter.failed_at) == ("poison", "", 1, NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-calsync-detail", "x" * 1001),
        ("x-calsync-detail", 7),
        ("x-calsync-attempts", "many"),
        ("x-calsync-attempts", -1),
        ("x-calsync-queue", b"\xff"),
        ("x-calsync-error", None),
        ("x-calsync-failed-at", "yesterday"),
        ("x-calsync-failed-at", "2026-03-09T14:00:00"),
        ("x-calsync-failed-at", "0001-01-01T00:00:00+01:00"),
        ("x-calsync-more", {"deep": [1]}),
    ],
)
def test_a_header_that_makes_no_sense_costs_that_header_only(name: str, value: object) -> None:
    letter = DeadLetter.of({**LETTER.headers(), name: value}, NOW)
    assert letter.reason == "breaks_schema"
    assert letter.message_id == "m-1"


def test_a_missing_header_costs_that_header_only() -> None:
    headers = LETTER.headers()
    del headers["x-calsync-failed-at"]
    later = NOW + timedelta(days=1)
    assert DeadLetter.of(headers, later) == LETTER.model_copy(update={"failed_at": later})


@pytest.mark.parametrize(
    "death",
    [
        None,
        "text",
        [None],
        [],
        {"reason": "rejected"},
        [{"reason": 5}],
        [{"queue": "q" * 300, "exchange": "e" * 300, "routing-keys": ["k" * 300], "reason": "r" * 2000}],
        [{"count": -4, "routing-keys": []}],
        [{"count": 10**30}],
        [{"time": "yesterday"}],
    ],
)
def test_whatever_the_brokers_header_holds_it_is_read(death: object) -> None:
    letter = DeadLetter.of({"x-death": death}, NOW)
    assert letter.reason in {"poison", "delivery_limit"}
    assert len(letter.queue) <= 255


HEADERS = st.dictionaries(
    st.sampled_from([*LETTER.headers(), "x-death", "other"]),
    st.none() | st.integers() | st.text() | st.binary() | st.lists(st.dictionaries(st.text(), st.integers())),
)


@given(HEADERS)
def test_reading_never_fails(headers: dict[str, Any]) -> None:
    letter = DeadLetter.of(headers, NOW)
    assert DeadLetter.of(letter.headers(), NOW) == letter


# Replays, and what stock tools move


REPLAYED = Replayed("0123456789abcdef01234567", "job:0123456789abcdef01234567")


def test_a_replay_is_known_by_its_headers_and_nothing_else_is() -> None:
    assert Replayed.of({"other": "1", **REPLAYED.headers()}) == REPLAYED
    assert Replayed.of(LETTER.headers()) is None
    assert Replayed.of({"x-calsync-replay-of": 5, "x-calsync-replay": "r"}) is None
    assert Replayed.of({}) is None


def test_a_replay_that_the_broker_set_aside_is_still_known_as_one() -> None:
    letter = DeadLetter.of({**REPLAYED.headers(), **by_broker()}, NOW)
    assert (letter.replay_of, letter.replay) == (REPLAYED.letter, REPLAYED.replay)


def test_a_message_is_where_it_was_delivered_unless_a_stock_tool_moved_it() -> None:
    headers = LETTER.headers()
    assert Source.of(headers, "psa.events", "key", "m-2") == Source("psa.events", "key", "m-2")
    assert Source.of({}, "", "a.queue", "m-2") == Source("", "a.queue", "m-2")
    moved = Source.of(headers, "", "calsync.psa-items.v1", "m-2")
    assert moved == Source("psa.events", "psa.calendar_item.changed.v1", "m-1", failures=3)


@pytest.mark.parametrize("attempts", ["many", "", "-1", "9" * 30, 5, None])
def test_of_a_number_of_failures_that_makes_no_sense_nothing_is_taken(attempts: object) -> None:
    headers = {**LETTER.headers(), "x-calsync-attempts": attempts, "x-calsync-message-id": b"\xff"}
    assert Source.of(headers, "", "a.queue", "m-2") == Source("psa.events", LETTER.routing_key, "m-2")


# Publishing again


def test_the_brokers_own_headers_do_not_go_with_a_message_that_is_published_again() -> None:
    headers = {**by_broker(), "x-delivery-count": 3, "x-opt-to": 1, "Cronofy-HMAC-SHA256": "abc", "traceparent": "00"}
    assert portable(headers) == {"Cronofy-HMAC-SHA256": "abc", "traceparent": "00"}


def test_a_former_failure_does_not_go_with_it_either() -> None:
    assert portable({**LETTER.headers(), "Cronofy-HMAC-SHA256": "abc"}) == {"Cronofy-HMAC-SHA256": "abc"}


def test_a_message_that_the_broker_set_aside_is_not_taken_for_a_former_failure_of_it() -> None:
    """A stock tool moves a dead letter back with all its headers, and then workers die of it."""
    letter = DeadLetter.of({**LETTER.headers(), **by_broker()}, NOW)
    assert (letter.reason, letter.queue) == ("delivery_limit", "calsync.commands.v1")


# Items that a person must look at


async def test_a_failed_item_lies_there_as_agreed() -> None:
    published: list[Outgoing] = []

    class Recorder:
        async def send(self, message: Outgoing) -> None:
            published.append(message)

    class Noon:
        def now(self) -> datetime:
            return NOW

    item = ItemKey(1204, ItemType.TASK, "5120", "77")
    event = ManagedEvent("cal_1", managed_event_id(item, 5571))
    link = Link("int-7/x", "int-7", 1204, 5571, event, Origin.PSA, item, reason=Reason.PSA_REFUSED, message="No.")
    report = Report()
    entry = telling.refused(report, link, link, Occasion(NOW, Cause.DUE, "m-1"), Direction.FROM_CALENDAR)
    box = DeadLetterBox(cast("Publisher", Recorder()), lambda: "m-2", cast("Clock", Noon()))
    await box.park(link, entry, Trace("KeyError", "worker/x.py:1 in y", "PUT /v1 422"))
    (message,) = published
    assert (message.exchange, message.routing_key) == (DEAD_LETTERS, LINK_KEY)
    assert parse(LINK_FAILED, message.body) == LinkFailed(
        integration_id="int-7", link_id="int-7/x", tenant_id=1204, item="task/5120/77"
    )
    letter = DeadLetter.of(message.headers, NOW)
    assert (letter.reason, letter.detail, letter.exchange) == ("psa_refused", "No.", COMMANDS)
    assert (letter.error, letter.stack, letter.call) == ("KeyError", "worker/x.py:1 in y", "PUT /v1 422")
    assert letter.correlation_id == "m-1"
