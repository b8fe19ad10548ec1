"""Point 11: who owns what, and what becomes of a value that lost: told, on record, and had back on request."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner

from cli.commands.conflicts import app as conflicts
from events.content import Field
from events.items import ItemType
from events.outcomes import ItemConflict, OrderClosed
from events.psa import AppointmentOwnership, OwnershipTable, TenantOptions
from events.tenant import Owner
from sandbox.psa.client import PsaItem
from tests.stories.days import at, stamp
from tests.stories.stage import PATIENCE, Linked, Stage
from tests.stories.waiting import shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def appointment(world: Stage, user_id: int) -> tuple[Linked, PsaItem]:
    """Return a user with an appointment that is in sync."""
    dana = await world.link(user_id)
    item = await world.psa.create_item(
        ItemType.APPOINTMENT, [user_id], subject="Review", description="", start=at(9), end=at(10)
    )
    await dana.event(item)
    await world.told(dana.integration_id, act="confirm", reason="in_sync")
    return dana, item


async def edit_both(world: Stage, dana: Linked, item: PsaItem) -> ItemConflict:
    """Let both sides change the title at the same time, and return what is told of it."""
    await world.psa.deactivate(dana.integration_id)
    await dana.rest(still_for=0.1)
    await world.cronofy.edit_event(await dana.event(item), summary="By the calendar")
    await world.psa.edit_item(item, subject="By the PSA")
    await world.psa.activate(dana.integration_id)
    return await world.psa.outcome(ItemConflict, item_id=item.item_id, within=PATIENCE)


async def test_different_fields_that_were_changed_on_both_sides_both_survive(world: Stage) -> None:
    dana, item = await appointment(world, 201)
    await dana.rest(still_for=0.1)
    # Of two edits at the very same time the calendar's could be written over: Cronofy has no conditional write.
    await world.cronofy.edit_event(await dana.event(item), start=at(14), end=at(15))
    await world.psa.edit_item(item, subject="Review with Contoso")
    await dana.shows(item, summary="Review with Contoso", start=stamp(at(14)))
    await shows(world, item, subject="Review with Contoso", start=at(14))


async def test_the_value_that_lost_is_told_and_had_back_by_a_press_of_a_button(world: Stage) -> None:
    dana, item = await appointment(world, 202)
    conflict = await edit_both(world, dana, item)
    (lost,) = conflict.data.lost
    assert (lost.field, lost.winner, lost.value) == ("summary", "psa", "By the calendar")
    await dana.shows(item, summary="By the PSA")
    await world.psa.restore_value(dana.integration_id, conflict.data.conflict_id, Field.SUMMARY)
    await shows(world, item, subject="By the calendar")
    await dana.shows(item, summary="By the calendar")
    closed = await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, within=PATIENCE)
    assert (closed.data.order, closed.data.result) == ("restore", "done")
    await world.told(dana.integration_id, reason="wanted_back", result="done")


async def test_an_operator_lists_conflicts_and_has_values_back_as_well(
    world: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dana, item = await appointment(world, 203)
    conflict = await edit_both(world, dana, item)
    monkeypatch.setenv("CALSYNC_MONGODB_URL", world.services.mongodb_url)
    monkeypatch.setenv("CALSYNC_MONGODB_DATABASE", world.services.database)
    listed = await asyncio.to_thread(typed, "list", "--item", f"appointment/{item.item_id}")
    assert "By the calendar" in listed
    await asyncio.to_thread(typed, "restore", conflict.data.conflict_id)
    await shows(world, item, subject="By the calendar")
    await dana.shows(item, summary="By the calendar")


def typed(*words: str) -> str:
    """Return what a command prints."""
    result = CliRunner().invoke(conflicts, list(words))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("conflict_id", ["nothing", "int-205/none:1:update:conflict:psa_changed:0"])
async def test_a_conflict_that_nobody_knows_is_refused_with_that_reason(world: Stage, conflict_id: str) -> None:
    dana = await world.link(205)
    seen = (await world.psa.outcomes())[-1].number
    await world.psa.restore_value(dana.integration_id, conflict_id)
    closed = await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, after=seen, within=PATIENCE)
    assert (closed.data.result, closed.data.reason) == ("refused", "no_such_conflict")


async def test_a_tenant_decides_which_fields_the_calendar_may_change(world: Stage) -> None:
    owned = AppointmentOwnership(summary=Owner.PSA, deletable=False)
    await world.psa.configure_tenant(TenantOptions(ownership=OwnershipTable(appointment=owned)))
    dana, item = await appointment(world, 206)
    await world.cronofy.edit_event(await dana.event(item), summary="Mine", location="Room 7")
    await shows(world, item, subject="Review", location="Room 7")
    await world.psa.edit_item(item, description="More")
    event = await dana.shows(item, summary="Review", location="Room 7")
    # Deleting the event leaves the appointment alone.
    await dana.rest(still_for=0.1)
    await world.cronofy.delete_event(event)
    await world.told(dana.integration_id, reason="calendar_deleted")
    assert not (await world.psa.item(ItemType.APPOINTMENT, item.item_id)).deleted
    await world.psa.configure_tenant(TenantOptions())
