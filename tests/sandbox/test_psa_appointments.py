"""Creating, finding and deleting appointments on behalf of calendar sync."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sandbox.psa_running import TIMED, USER, refusal, running


async def test_an_appointment_is_created_as_asked() -> None:
    asked: dict[str, object] = {
        "subject": "Lunch",
        "description": "With Ann",
        "location": "Café",
        "isPrivate": True,
        "timeZone": "Europe/Paris",
        **TIMED,
    }
    async with running() as world:
        state = (await world.api.create(**asked))["result"]
        assert (state["created"], state["revision"], state["assignees"]) == (True, 1, [USER])
        assert {name: state["item"][name] for name in asked} == asked
        assert state["item"]["externalReference"] == "calsync:1"
        assert state["item"]["url"].endswith(f"/calendar/appointment/{state['itemId']}")
        assert state["item"]["resource"] == {"userId": USER, "name": f"User {USER}"}
        listed = await world.api.items("2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z")
    assert [each["itemId"] for each in listed["result"]] == [state["itemId"]]


async def test_an_all_day_appointment_keeps_its_dates() -> None:
    days = {"allDay": True, "startDate": "2026-03-12", "endDate": "2026-03-13", "start": None, "end": None}
    async with running() as world:
        item = (await world.api.create(**days))["result"]["item"]
    assert {name: item[name] for name in days} == days


async def test_a_repeated_create_answers_the_existing_one_and_changes_nothing() -> None:
    async with running() as world:
        first = (await world.api.create())["result"]
        again = (await world.api.create(subject="Something else"))["result"]
        assert again == first | {"created": False}
        assert len(await world.psa.items(USER)) == 1


async def test_a_repeated_create_answers_the_existing_one_even_if_it_was_deleted_since() -> None:
    async with running() as world:
        first = (await world.api.create())["result"]
        await world.api.delete(first["itemId"], 1)
        again = (await world.api.create())["result"]
    assert (again["itemId"], again["created"]) == (first["itemId"], False)
    assert (again["deleted"], again["item"]) == (True, None)


async def test_a_reference_is_free_again_once_its_appointment_is_forgotten() -> None:
    async with running() as world:
        first = (await world.api.create())["result"]
        await world.psa.forget_item(await world.psa.item("appointment", first["itemId"]))
        again = (await world.api.create())["result"]
    assert again["created"]
    assert again["itemId"] != first["itemId"]


async def test_references_are_unique_within_their_tenant_only() -> None:
    async with running() as world:
        first = (await world.api.create())["result"]
        await world.psa.for_tenant(7).set_tenant(active=True)
        world.api.tenant = 7
        await world.api.sign_in()
        other = (await world.api.create())["result"]
    assert other["created"]
    assert other["itemId"] != first["itemId"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"externalReference": "x" * 256},
        {"userId": "me"},
        {"userId": 2**31},
        {"subject": None},
        {"subject": "x" * 257},
        {"description": "x" * 8001},
        {"start": "2026-03-10T12:00:00"},
        {"timeZone": "Mars/Olympus"},
        {"allDay": 1},
    ],
)
async def test_a_malformed_create_creates_nothing(wrong: dict[str, object]) -> None:
    async with running() as world:
        answer = await world.api.create(**wrong)
        assert refusal(answer) == 40000
        assert next(iter(wrong)) in answer["error"]["message"]
        assert not await world.psa.items(USER)


@pytest.mark.parametrize("times", [{"end": None}, {"start": "2026-03-10T14:00:00Z"}, {"allDay": True}])
async def test_an_appointment_without_sensible_times_is_refused(times: dict[str, object]) -> None:
    async with running() as world:
        assert refusal(await world.api.create(**times)) == 42200


async def test_nobody_gets_appointments_who_is_no_longer_active() -> None:
    async with running() as world:
        await world.psa.set_user(USER, name="Ann Lee", active=False)
        answer = await world.api.create()
    assert refusal(answer) == 42200
    assert answer["error"]["message"] == "Ann Lee is no longer active."


async def test_an_appointment_is_found_by_its_reference() -> None:
    async with running() as world:
        created = (await world.api.create(externalReference="calsync:a/b?c&d=é"))["result"]
        found = (await world.api.find("calsync:a/b?c&d=é"))["result"]
        assert found == {name: value for name, value in created.items() if name != "created"}
        assert refusal(await world.api.find("calsync:2")) == 40400


async def test_an_appointment_is_deleted_at_its_revision() -> None:
    async with running() as world:
        item_id = (await world.api.create())["result"]["itemId"]
        gone = (await world.api.delete(item_id, 1))["result"]
        assert (gone["deleted"], gone["revision"], gone["item"]) == (True, 2, None)
        assert not await world.psa.items(USER)


async def test_an_appointment_that_has_moved_on_is_not_deleted_but_shown() -> None:
    async with running() as world:
        item_id = (await world.api.create())["result"]["itemId"]
        await world.psa.edit_item(await world.psa.item("appointment", item_id), subject="Important")
        answer = await world.api.delete(item_id, 1)
        assert refusal(answer) == 40900
        assert answer["result"]["item"]["subject"] == "Important"


async def test_deleting_what_is_known_to_be_deleted_is_success_and_changes_nothing() -> None:
    async with running() as world:
        item_id = (await world.api.create())["result"]["itemId"]
        first = await world.api.delete(item_id, 1)
        assert refusal(await world.api.delete(item_id, 1)) == 40900  # a retry that does not know
        assert await world.api.delete(item_id, 2) == first


async def test_only_appointments_can_be_deleted() -> None:
    async with running() as world:
        todo = await world.psa.create_item("todo", [USER])
        assert refusal(await world.api.delete(todo.item_id, 1)) == 40400
        assert not (await world.psa.item("todo", todo.item_id)).deleted


async def test_one_occurrence_of_a_series_is_deleted_and_the_others_stay() -> None:
    start = datetime(2026, 3, 10, 9, tzinfo=UTC)
    async with running() as world:
        first, second = await world.psa.create_series([USER], [start, start.replace(day=17)])
        await world.api.delete(first.item_id, 1, first.part_id)
        left = await world.psa.items(USER)
    assert [item.part_id for item in left] == [second.part_id]


@pytest.mark.parametrize("query", [{}, {"revision": "first"}])
async def test_a_deletion_names_its_revision(query: dict[str, str]) -> None:
    async with running() as world:
        item_id = (await world.api.create())["result"]["itemId"]
        answer = await world.api.envelope("DELETE", f"/v2/calendar/appointments/{item_id}", params=query)
    assert refusal(answer) == 40000
