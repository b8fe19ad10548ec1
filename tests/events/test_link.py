"""Names that are pure functions of what they name: never two for one thing, never one for two."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from events.contract import Identifier, ItemId, PartId
from events.items import ItemType
from events.link import (
    REFERENCE_PREFIX,
    EventKey,
    ExternalEvent,
    ItemKey,
    Link,
    ManagedEvent,
    Origin,
    bare_reference,
    external_reference,
    generation_of,
    link_id,
    managed_event_id,
    managed_item,
)

INT32 = st.integers(-(2**31), 2**31 - 1)
ITEM_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:]{0,63}", fullmatch=True)
PART_IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}", fullmatch=True)
ITEMS = st.builds(ItemKey, INT32, st.sampled_from(ItemType), ITEM_IDS, st.none() | PART_IDS)
# Few and alike, so that two of them are often nearly the same.
SHORT = st.text(alphabet="1-:", min_size=1, max_size=4)
ALIKE = st.builds(ItemKey, st.integers(-1, 1), st.sampled_from(ItemType), SHORT, st.none() | SHORT)

# Whatever Cronofy may choose for its own ids.
ANY_ID = st.text(min_size=1, max_size=300)
NEAR = st.sampled_from(["a", "a#1", "#1", "a:1", "1:a", "1", "a#0", "a#01"])
USERS = st.integers(-(2**31), 2**31 - 1)
EVENTS: st.SearchStrategy[EventKey] = st.builds(ExternalEvent, ANY_ID, ANY_ID) | st.builds(ManagedEvent, ANY_ID, ANY_ID)
NEAR_EVENTS = st.builds(ExternalEvent, NEAR, NEAR)
GENERATIONS = st.integers(0, 10**9)


ID_FORMS: dict[str, TypeAdapter[str]] = {
    "identifier": TypeAdapter(Identifier),
    "item": TypeAdapter(ItemId),
    "part": TypeAdapter(PartId),
}


def admitted(text: str) -> set[str]:
    """Return the forms of id that admit a text."""
    return {name for name, form in ID_FORMS.items() if _is_valid(form, text)}


def _is_valid(form: TypeAdapter[str], text: str) -> bool:
    try:
        form.validate_python(text)
    except ValidationError:
        return False
    return True


# Ids of items, as the contract admits them


@pytest.mark.parametrize(
    "part",
    [
        "77",
        "2026-03-09T14:00:00Z",
        "2026-03-09T14:00:00+00:00",
        "2026-03-09T14:00:00.0000000-05:00",
        "2026-03-09",
    ],
)
def test_a_part_may_be_a_number_or_an_instant_in_any_notation(part: str) -> None:
    assert "part" in admitted(part)


@pytest.mark.parametrize("text", ["", "-1", "a/b", "a b", "1\n", "\u0661", "a" * 65, "a\x00", "#1", "é"])
def test_an_id_holds_nothing_that_needs_escaping_anywhere(text: str) -> None:
    assert not admitted(text)


def test_the_id_of_an_item_has_no_hyphen_because_a_hyphen_ends_it_in_the_id_of_its_event() -> None:
    one, other = ItemKey(1, ItemType.TASK, "1-2"), ItemKey(1, ItemType.TASK, "1", "2")
    assert managed_event_id(one, 5) == managed_event_id(other, 5)
    assert admitted("1-2") == {"identifier", "part"}


# Events that we make


def test_the_id_of_an_event_names_tenant_user_type_item_and_part() -> None:
    assert managed_event_id(ItemKey(1204, ItemType.TODO, "88120"), 5571) == "psa-1204-5571-todo-88120"
    part = ItemKey(1204, ItemType.APPOINTMENT, "9", "2026-03-09T14:00:00+00:00")
    assert managed_event_id(part, 5571) == "psa-1204-5571-appointment-9-2026-03-09T14:00:00+00:00"


@given(ITEMS, INT32)
def test_the_item_is_read_back_from_the_id_of_its_event(item: ItemKey, user_id: int) -> None:
    assert managed_item(managed_event_id(item, user_id), item.tenant_id, user_id) == item


@given(ITEMS, INT32, INT32)
def test_an_event_of_another_user_or_tenant_is_nobodys_item(item: ItemKey, user_id: int, other: int) -> None:
    event_id = managed_event_id(item, user_id)
    assert other == user_id or managed_item(event_id, item.tenant_id, other) is None
    assert other == item.tenant_id or managed_item(event_id, other, user_id) is None


@pytest.mark.parametrize(
    "event_id", ["", "psa-1-5-meeting-9", "psa-1-5-todo-", "psa-1-5-todo--9", "psa-\u0661-5-todo-9", "x-psa-1-5-todo-9"]
)
def test_an_event_that_we_did_not_name_is_nobodys_item(event_id: str) -> None:
    assert managed_item(event_id, 1, 5) is None


@given(st.text(alphabet="psa-15todo\n9", max_size=20) | st.from_regex(r"psa-1-5-todo-.*", fullmatch=True))
def test_what_is_read_as_an_item_is_named_just_so(event_id: str) -> None:
    item = managed_item(event_id, 1, 5)
    assert item is None or managed_event_id(item, 5) == event_id


@given(ALIKE, ALIKE, st.integers(-1, 1), st.integers(-1, 1))
def test_two_items_or_two_users_never_share_an_event(one: ItemKey, other: ItemKey, user: int, second: int) -> None:
    assume((one, user) != (other, second))
    assume("-" not in one.item_id + other.item_id)
    assert managed_event_id(one, user) != managed_event_id(other, second)


@given(ITEMS, INT32)
def test_the_id_of_an_event_is_short_enough_for_the_calendar(item: ItemKey, user_id: int) -> None:
    assert len(managed_event_id(item, user_id)) <= 200


# Links


def test_the_link_of_an_event_of_ours_stays_when_the_user_picks_another_calendar() -> None:
    assert link_id("int-7", ManagedEvent("cal_1", "psa-1")) == link_id("int-7", ManagedEvent("cal_2", "psa-1"))


def test_the_link_of_an_event_of_the_user_belongs_to_its_calendar() -> None:
    one, other = ExternalEvent("cal_1", "evt_1"), ExternalEvent("cal_2", "evt_1")
    assert link_id("int-7", one) == "int-7/cal_1/evt_1" != link_id("int-7", other)


CRONOFY_IDS = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)


def _managed(item: ItemKey, user_id: int) -> EventKey:
    return ManagedEvent("", managed_event_id(item, user_id))


KEYS = st.builds(ExternalEvent, CRONOFY_IDS, CRONOFY_IDS) | st.builds(_managed, ALIKE, st.integers(-1, 1))
INTEGRATIONS = st.from_regex(r"[a1][a1._:-]{0,2}", fullmatch=True)


@given(INTEGRATIONS, KEYS, INTEGRATIONS, KEYS)
def test_two_events_of_an_integration_or_two_integrations_never_share_a_link(
    one: str, event: EventKey, other: str, second: EventKey
) -> None:
    assume((one, event) != (other, second))
    assert link_id(one, event) != link_id(other, second)


# References


@given(USERS, EVENTS, GENERATIONS)
def test_a_reference_fits_into_the_platforms_255_characters(user: int, event: EventKey, generation: int) -> None:
    reference = external_reference(user, event, generation)
    assert reference.startswith(REFERENCE_PREFIX)
    assert len(reference) <= 255


@given(USERS, EVENTS, GENERATIONS)
def test_a_reference_gives_back_its_generation_and_what_all_generations_share(
    user: int, event: EventKey, generation: int
) -> None:
    reference = external_reference(user, event, generation)
    assert generation_of(reference) == generation
    assert bare_reference(reference) == external_reference(user, event)


@given(USERS, NEAR_EVENTS, st.integers(0, 2))
def test_so_it_does_for_ids_that_look_like_a_reference(user: int, event: EventKey, generation: int) -> None:
    reference = external_reference(user, event, generation)
    assert (generation_of(reference), bare_reference(reference)) == (generation, external_reference(user, event))


@given(st.integers(0, 1), NEAR_EVENTS, st.integers(0, 2), st.integers(0, 1), NEAR_EVENTS, st.integers(0, 2))
@example(0, ExternalEvent("a:1", "a"), 0, 0, ExternalEvent("a", "1:a"), 0)
@example(0, ExternalEvent("a", "a"), 1, 0, ExternalEvent("a", "a#1"), 0)
def test_two_events_users_or_generations_never_share_a_reference(
    user: int, event: ExternalEvent, generation: int, other: int, second: ExternalEvent, later: int
) -> None:
    assume((user, event, generation) != (other, second, later))
    assert external_reference(user, event, generation) != external_reference(other, second, later)


@given(USERS, st.text(min_size=200, max_size=300), ANY_ID, ANY_ID)
def test_neither_do_events_with_long_ids(user: int, calendar_id: str, one: str, other: str) -> None:
    assume(one != other)
    first, second = (ExternalEvent(calendar_id, uid) for uid in (one, other))
    assert external_reference(user, first) != external_reference(user, second)


def test_a_reference_does_not_name_the_integration_so_that_linking_again_finds_it() -> None:
    event = ExternalEvent("cal_n23kjnwrw2_sakdnawerd3", "evt_external_54008b1a4a41730f8d5c6037")
    links = [
        Link(id=one, integration_id=one, tenant_id=1, user_id=5571, event=event, origin=Origin.CALENDAR)
        for one in ("int-7", "int-8")
    ]
    expected = "calsync:5571:cal_n23kjnwrw2_sakdnawerd3:evt_external_54008b1a4a41730f8d5c6037"
    assert {link.reference for link in links} == {expected}


@given(st.text(max_size=255) | st.from_regex(r"calsync:[a:#]*#\d*", fullmatch=True))
def test_a_reference_of_anybody_has_a_generation(reference: str) -> None:
    assert generation_of(reference) >= 0
    assert reference.startswith(bare_reference(reference))


@pytest.mark.parametrize(
    ("reference", "generation"),
    [
        ("a", 0),
        ("a#1", 1),
        ("a#1#2", 2),
        ("a#", 0),
        ("a#x", 0),
        ("a#\u00b2", 0),
        ("a#\u0661", 0),
        ("#3", 3),
    ],
)
def test_a_generation_is_written_in_plain_digits(reference: str, generation: int) -> None:
    assert generation_of(reference) == generation


# Items


def test_an_item_is_written_the_way_people_read_it() -> None:
    assert str(ItemKey(1204, ItemType.TODO, "88120")) == "todo/88120"
    assert str(ItemKey(1204, ItemType.TASK, "5120", "77")) == "task/5120/77"
