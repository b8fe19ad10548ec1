"""What the PSA platform may send: unknown fields pass, everything else is exactly as agreed."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from events.commands import WAKE
from events.contract import parse
from events.failures import Malformed
from events.notification import NOTIFICATION
from events.outcomes import OUTCOME
from events.psa import PSA_EVENT, Configure, Connect, ItemChanged, SyncNow
from events.reasons import Reason
from tests.events.messages import CHANGED, Json, at, notification, places, refused, replaced, todo, wake, wish

APPOINTMENT: Json = {
    "id": 7,
    "subject": "Review",
    "start": "2026-03-09T14:00:00Z",
    "end": "2026-03-09T15:00:00Z",
    "recurrence": {"master_id": 7, "instance_date": "2026-03-09T14:00:00Z"},
}
TASK: Json = {
    "task_id": 5120,
    "name": "Move",
    "project": {"id": 310},
    "planned_hours": 8.5,
    "end_date": "2026-03-20",
    "periods": [{"task_member_hour_id": 77, "from": "2026-03-09T14:00:00Z", "to": "2026-03-09T15:00:00+01:00"}],
}
CONFIGURE: Json = {"calendar_id": "cal_1", "inbound": {}, "outbound": {}}
CONNECT: Json = {"code": "c0de", "redirect_uri": "https://psa.example.com/back"}


def appointment(**snapshot: object) -> Json:
    return todo(item_type="appointment", item_id="7", item={**APPOINTMENT, **snapshot})


def task(**snapshot: object) -> Json:
    return todo(item_type="task", item_id="5120", item={**TASK, **snapshot})


def changed(message: Json) -> ItemChanged:
    event = parse(PSA_EVENT, orjson.dumps(message))
    assert isinstance(event, ItemChanged)
    return event


def must_be_refused_at(message: Json, place: str) -> None:
    error = refused(PSA_EVENT, message)
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.startswith(f"{message['type']}/data/{place}: "), error.detail


# Unknown fields


KNOWN = [todo(), appointment(), task(), wish("connect", **CONNECT), wish("configure", **CONFIGURE)]


@pytest.mark.parametrize("message", KNOWN, ids=itemgetter("type"))
def test_an_unknown_field_anywhere_changes_nothing(message: Json) -> None:
    known = parse(PSA_EVENT, orjson.dumps(message))
    objects = [path for path in places(message) if isinstance(at(message, path), dict)]
    for path in [(), *objects]:
        extended = replaced(message, (*path, "x_new"), {"type": "anything", "deep": [1, None]})
        assert parse(PSA_EVENT, orjson.dumps(extended)) == known


# Private text


MARKER = "S3CRET marker \u2603"
MESSAGES: list[tuple[TypeAdapter[Any], Json]] = [
    *((PSA_EVENT, message) for message in KNOWN),
    (WAKE, wake()),
    (NOTIFICATION, notification(changes_since="2026-03-09T14:00:00Z")),
    (
        OUTCOME,
        {
            **wish("x"),
            "type": "calsync.item.conflict.v1",
            "data": {
                "tenant_id": 1,
                "user_id": 1,
                "integration_id": "int-7",
                "item_type": "todo",
                "item_id": "1",
                "lost": [{"field": "summary", "winner": "psa"}],
            },
        },
    ),
]
SPOILED = st.sampled_from([MARKER, [MARKER], {MARKER: MARKER}, f"{MARKER}.v1", f"2026-03-09T14:00:00 {MARKER}"])


@given(st.sampled_from(MESSAGES), st.integers(0, 10**6), SPOILED)
def test_no_content_of_a_message_appears_in_its_refusal(
    subject: tuple[TypeAdapter[Any], Json], where: int, spoiled: object
) -> None:
    contract, message = subject
    ways = list(places(message))
    body = orjson.dumps(replaced(message, ways[where % len(ways)], spoiled))
    must_not_tell(contract, body)


@given(st.sampled_from(MESSAGES), st.integers(0, 10**6))
def test_nor_when_it_is_cut_off_or_broken_in_the_middle(subject: tuple[TypeAdapter[Any], Json], where: int) -> None:
    contract, message = subject
    body = orjson.dumps({**message, "x_private": MARKER})
    place = where % len(body)
    must_not_tell(contract, body[:place])
    must_not_tell(contract, body[:place] + b"\xff" + body[place:])


def must_not_tell(contract: TypeAdapter[Any], body: bytes) -> None:
    try:
        parse(contract, body)
    except Malformed as error:
        words = [error.detail, str(error), repr(error), *traceback.format_exception(error)]
        assert not any("S3CRET" in text or "\u2603" in text for text in words)


def test_the_code_of_an_authorization_is_not_shown_when_the_event_is() -> None:
    event = parse(PSA_EVENT, orjson.dumps(wish("connect", **CONNECT)))
    assert "c0de" not in f"{event!r} {event}"


def test_nor_does_what_python_itself_says_of_a_value_that_fits_no_contract() -> None:
    with pytest.raises(ValidationError) as caught:
        ItemChanged.model_validate({**todo(), "data": {"item_type": MARKER, "item": MARKER}})
    assert "S3CRET" not in str(caught.value).replace(f"Input tag '{MARKER}'", "the kind of item")
    with pytest.raises(ValidationError) as caught:
        Connect.model_validate(wish("connect", code=[MARKER], redirect_uri=MARKER * 100))
    assert "S3CRET" not in "".join(traceback.format_exception(caught.value))


def test_a_refusal_names_the_first_five_places() -> None:
    error = refused(PSA_EVENT, {"type": CHANGED, "data": {"item_type": "todo", "assignees": 1}})
    assert error.detail == (
        f"{CHANGED}/specversion: Field required; {CHANGED}/id: Field required; {CHANGED}/source: Field required; "
        f"{CHANGED}/data/todo/tenant_id: Field required; {CHANGED}/data/todo/item_id: Field required; …"
    )


# Types are strict


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("tenant_id", "1204"),
        ("tenant_id", 1204.0),
        ("tenant_id", True),
        ("tenant_id", None),
        ("tenant_id", 2**31),
        ("tenant_id", -(2**31) - 1),
        ("item_id", 88120),
        ("item_id", ""),
        ("item_id", "x" * 65),
        ("item_id", "1-2"),
        ("part_id", 77),
        ("part_id", ""),
        ("part_id", "a/b"),
        ("revision", -1),
        ("revision", 2**63),
        ("revision", "41"),
        ("revision", 41.5),
        ("revision", None),
        ("deleted", "false"),
        ("deleted", 0),
        ("deleted", None),
        ("assignees", 5571),
        ("assignees", {"0": 5571}),
        ("modified_on", "2026-03-09T14:00:00"),
    ],
)
def test_a_value_of_another_type_or_beyond_its_bounds_is_refused(place: str, value: object) -> None:
    must_be_refused_at(todo(**{place: value}), f"todo/{place}")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("tenant_id", 2**31 - 1),
        ("tenant_id", -(2**31)),
        ("item_id", "x" * 64),
        ("part_id", "2026-03-09T14:00:00Z"),
        ("part_id", "2026-03-09T14:00:00+00:00"),
        ("part_id", None),
        ("revision", 0),
        ("revision", 2**63 - 1),
        ("assignees", []),
        ("assignees", [1] * 5000),
        ("modified_on", "2026-03-09T14:00:00.1234567+02:00"),
        ("modified_by", None),
        ("item", None),
    ],
)
def test_a_value_on_its_bounds_is_accepted(place: str, value: object) -> None:
    changed(todo(**{place: value}))


@pytest.mark.parametrize("place", ["tenant_id", "item_id", "revision", "deleted"])
def test_what_names_an_item_and_its_state_is_required(place: str) -> None:
    message = todo()
    del message["data"][place]
    must_be_refused_at(message, f"todo/{place}")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specversion", "0.3"),
        ("id", ""),
        ("id", "x" * 257),
        ("source", ""),
        ("time", "2026-03-09T14:00:00"),
        ("datacontenttype", "text/plain"),
        ("data", None),
    ],
)
def test_an_envelope_that_is_no_cloud_event_of_json_is_refused(field: str, value: object) -> None:
    error = refused(PSA_EVENT, {**todo(), field: value})
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.startswith(f"{CHANGED}/{field}")


def test_an_envelope_may_name_its_content_type_with_parameters() -> None:
    changed({**todo(), "datacontenttype": "application/json; charset=utf-8", "time": "2026-03-09T14:00:00+01:00"})


@pytest.mark.parametrize("kind", ["Todo", "meeting", None, 3])
def test_an_unknown_kind_of_item_is_refused(kind: object) -> None:
    error = refused(PSA_EVENT, todo(item_type=kind))
    assert (error.reason, error.detail) == (Reason.BREAKS_SCHEMA, f"{CHANGED}/data: not one of the known values")


@pytest.mark.parametrize("other", ["crm_activity", "service_call", "task"])
def test_a_snapshot_of_another_kind_is_refused(other: str) -> None:
    assert refused(PSA_EVENT, todo(item_type=other)).reason is Reason.BREAKS_SCHEMA


# Who is assigned


@pytest.mark.parametrize("assignees", [None, "absent"])
def test_assignees_are_required_unless_the_item_is_deleted(assignees: object) -> None:
    message = todo(assignees=assignees)
    if assignees == "absent":
        del message["data"]["assignees"]
    error = refused(PSA_EVENT, message)
    assert error.detail == f"{CHANGED}/data/todo: assignees are required unless the item is deleted"
    message["data"]["deleted"] = True
    assert changed(message).data.assignees is None


def test_an_item_that_nobody_is_assigned_to_says_so_with_an_empty_list() -> None:
    assert changed(todo(assignees=[])).data.assignees == ()


# Times


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-09T14:00:00",
        "2026-03-09T14:00",
        "2026-03-09 14:00:00",
        "2026-03-09",
        "/Date(1773064800000)/",
        1773064800,
        1773064800.5,
        "2026-02-30T14:00:00Z",
        "2026-03-09T25:00:00Z",
        "",
    ],
)
def test_an_instant_without_an_offset_is_refused_because_nobody_could_say_what_it_means(moment: object) -> None:
    must_be_refused_at(appointment(start=moment), "appointment/item/start")
    must_be_refused_at(todo(item={"id": 1, "description": "", "date": moment}), "todo/item/date")


@pytest.mark.parametrize(
    "moment", ["2026-03-09T14:00:00Z", "2026-03-09T15:00:00+01:00", "2026-03-09T14:00:00.000-00:00"]
)
def test_an_instant_may_be_written_with_any_offset(moment: str) -> None:
    event = changed(appointment(start=moment))
    assert event.data.item is not None
    assert event.data.item.model_dump()["start"] == datetime(2026, 3, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_the_first_and_last_instant_that_a_program_can_write_are_no_instants(moment: str) -> None:
    """Seen from another zone they overflow, and what overflows in the worker blocks the item."""
    must_be_refused_at(appointment(start=moment), "appointment/item/start")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"])
def test_where_it_is_only_for_the_log_such_an_instant_is_as_good_as_absent(moment: str) -> None:
    """The store cannot keep it, and an item is not refused for a note about it."""
    event = changed({**todo(modified_on=moment), "time": moment})
    assert (event.data.modified_on, event.time) == (None, None)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-03-09T14:00:00Z", "09.03.2026", 20260309, ""])
def test_a_date_is_a_plain_date_that_means_something(day: object) -> None:
    must_be_refused_at(task(end_date=day), "task/item/end_date")


def test_an_end_before_its_start_is_refused() -> None:
    must_be_refused_at(appointment(end="2026-03-09T13:59:59Z"), "appointment/item")
    period = {"task_member_hour_id": 77, "from": "2026-03-09T14:00:00Z", "to": "2026-03-09T14:59:59+01:00"}
    must_be_refused_at(task(periods=[period]), "task/item/periods/0")
    whole = {"all_day": True, "start_date": "2026-03-09", "end_date": "2026-03-09"}
    must_be_refused_at(appointment(**whole), "appointment/item")
    call = {"id": 1, "account": {"id": 1}, "user_id": 1, "start": "2026-03-09T14:00:00Z", "end": "2026-03-09T13:00:00Z"}
    must_be_refused_at(todo(item_type="service_call", item=call), "service_call/item")


def test_an_end_at_its_start_is_accepted() -> None:
    changed(appointment(end="2026-03-09T14:00:00Z"))


def test_the_original_start_of_an_occurrence_is_an_instant_or_a_date() -> None:
    whole = changed(appointment(recurrence={"master_id": 7, "instance_date": "2026-03-09"}))
    assert whole.model_dump(mode="json")["data"]["item"]["recurrence"]["instance_date"] == "2026-03-09"
    naive = {"master_id": 7, "instance_date": "2026-03-09T14:00:00"}
    must_be_refused_at(appointment(recurrence=naive), "appointment/item/recurrence/instance_date/datetime")


# Integrations


@pytest.mark.parametrize(
    ("do", "data", "place"),
    [
        ("activate", {"integration_id": "a/b"}, "integration_id"),
        ("activate", {"integration_id": ".."}, "integration_id"),
        ("activate", {"integration_id": "x" * 65}, "integration_id"),
        ("activate", {"revision": -1}, "revision"),
        ("activate", {"revision": 2**63}, "revision"),
        ("activate", {"user_id": None}, "user_id"),
        ("connect", {**CONNECT, "code": ""}, "code"),
        ("connect", {"redirect_uri": "x"}, "code"),
        ("connect", {**CONNECT, "redirect_uri": None}, "redirect_uri"),
        ("configure", {**CONFIGURE, "calendar_id": ""}, "calendar_id"),
        ("configure", {**CONFIGURE, "inbound": None}, "inbound"),
        ("configure", {**CONFIGURE, "inbound": {"create": "yes"}}, "inbound/create"),
        ("configure", {**CONFIGURE, "send": {"past": "2_years"}}, "send/past"),
        ("sync_now", {"direction": "up"}, "direction"),
        ("sync_now", {"range": {"future": ""}}, "range/future"),
        ("delete", {"remove_events": 1}, "remove_events"),
    ],
)
def test_a_wish_beyond_the_agreed_is_refused(do: str, data: Json, place: str) -> None:
    must_be_refused_at(wish(do, **data), place)


def test_what_is_not_ticked_may_be_left_out() -> None:
    event = parse(PSA_EVENT, orjson.dumps(wish("configure", **CONFIGURE)))
    assert isinstance(event, Configure)
    assert not any(event.data.inbound.model_dump().values())
    assert not any(event.data.outbound.model_dump().values())
    assert (event.data.retrieve, event.data.send) == (None, None)


@pytest.mark.parametrize("do", ["unfreeze", "read_log"])
@pytest.mark.parametrize("half", [{"item_id": "5"}, {"item_type": "task"}, {"part_id": "7"}], ids=str)
def test_half_a_name_of_an_item_is_refused_and_not_taken_for_all_items(do: str, half: Json) -> None:
    error = refused(PSA_EVENT, wish(do, **half))
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.endswith("an item is named by its type and its id")


def test_sync_now_means_both_directions_from_today_for_a_month_unless_it_says_otherwise() -> None:
    event = parse(PSA_EVENT, orjson.dumps(wish("sync_now")))
    assert isinstance(event, SyncNow)
    assert event.data.model_dump(mode="json")["range"] == {"past": "none", "future": "1_month"}
    assert event.data.direction == "both"


def test_a_connect_event_gives_code_address_and_zone() -> None:
    event = parse(PSA_EVENT, orjson.dumps(wish("connect", **CONNECT, time_zone="Europe/Berlin")))
    assert isinstance(event, Connect)
    assert (event.data.code, event.data.redirect_uri) == ("c0de", "https://psa.example.com/back")
    assert event.data.time_zone == "Europe/Berlin"
