"""Point 5: the status says why, work waits, and goes on after relinking, also by another account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events.items import ItemType
from events.outcomes import AccountChanged, CalendarsFound, Configured, Connected, Disconnected, OrderClosed
from events.reasons import Reason
from sandbox.cronofy.control.account_messages import NewAccount
from sandbox.psa.client import PsaItem
from tests.stories.stage import DANA, PATIENCE, Linked, NotYet, Services, Stage, stage

TOMORROW = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251
LATER = TOMORROW + timedelta(hours=1)
Trouble = Callable[[Stage, Linked], Awaitable[object]]


async def newest(world: Stage) -> int:
    """Return the number of the newest outcome, to wait for what comes after it."""
    return max((told.number for told in await world.psa.outcomes()), default=0)


async def appointment(world: Stage, subject: str) -> PsaItem:
    return await world.psa.create_item(ItemType.APPOINTMENT, [DANA], subject=subject, start=TOMORROW, end=LATER)


async def disconnects(world: Stage, dana: Linked) -> None:
    await world.cronofy.disconnect(dana.account.profile_id)


async def is_linked_again(world: Stage, dana: Linked) -> None:
    await world.cronofy.relink(dana.account.profile_id)
    # Cronofy tells nobody that it works again: so the user presses the button, or the probe finds out.
    await world.psa.connect(dana.integration_id, DANA, await world.cronofy.issue_code(dana.account.sub))


async def makes_read_only(world: Stage, dana: Linked) -> None:
    await world.cronofy.change_calendar(dana.calendar_id, readonly=True)


async def makes_writable(world: Stage, dana: Linked) -> None:
    await world.cronofy.change_calendar(dana.calendar_id, readonly=False)
    await world.psa.connect(dana.integration_id, DANA, await world.cronofy.issue_code(dana.account.sub))


async def deletes_calendar(world: Stage, dana: Linked) -> None:
    await world.cronofy.change_calendar(dana.calendar_id, deleted=True)


async def restores_calendar(world: Stage, dana: Linked) -> None:
    await world.cronofy.change_calendar(dana.calendar_id, deleted=False)
    await world.psa.connect(dana.integration_id, DANA, await world.cronofy.issue_code(dana.account.sub))


async def revokes(world: Stage, dana: Linked) -> None:
    await world.cronofy.revoke(dana.account.sub)


async def grants_again(world: Stage, dana: Linked) -> None:
    await world.psa.connect(dana.integration_id, DANA, await world.cronofy.issue_code(dana.account.sub))


TROUBLES: list[tuple[Reason, Trouble, Trouble]] = [
    (Reason.REAUTHORISE_NEEDED, disconnects, is_linked_again),
    (Reason.CALENDAR_READ_ONLY, makes_read_only, makes_writable),
    (Reason.CALENDAR_MISSING, deletes_calendar, restores_calendar),
    (Reason.REAUTHORISE_NEEDED, revokes, grants_again),
]


@pytest.mark.parametrize(("reason", "trouble", "help_"), TROUBLES, ids=[trouble.__name__ for _, trouble, _ in TROUBLES])
async def test_the_status_says_why_and_what_waits_is_done_once_it_works_again(
    services: Services, tmp_path: Path, reason: Reason, trouble: Trouble, help_: Trouble
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        before = await newest(world)
        await trouble(world, dana)
        waiting = await appointment(world, "waits")
        told = await world.psa.outcome(Disconnected, integration_id=dana.integration_id, after=before, within=PATIENCE)
        assert (told.data.reason, told.data.explanation) == (reason.value, reason.explanation)
        assert bool(told.data.relink_url) == (trouble is disconnects)
        before = await newest(world)
        await help_(world, dana)
        await world.psa.outcome(Connected, integration_id=dana.integration_id, after=before, within=PATIENCE)
        await dana.shows(waiting, summary="waits")


async def test_another_account_freezes_what_is_linked_until_the_user_says_what_it_means(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        item = await appointment(world, "moves along")
        await dana.event(item)
        await world.rest()
        other = await world.cronofy.create_account(given=NewAccount(person="dana@elsewhere.example"))

        # Not meant: the former account stays.
        before = await newest(world)
        await world.psa.connect(dana.integration_id, DANA, other.code)
        asked = await world.psa.outcome(
            AccountChanged, integration_id=dana.integration_id, after=before, within=PATIENCE
        )
        assert asked.data.connected == other.profile.name
        writes = await world.writes()
        await world.psa.edit_item(item, subject="retitled")
        await world.psa.wait_until_quiet(still_for=0.5, within=PATIENCE)
        assert await world.writes() == writes, "frozen, and yet something was written"
        before = await newest(world)
        await world.psa.resolve_account(dana.integration_id, adopt=False)
        closed = await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, after=before, within=PATIENCE)
        assert closed.data.result == "done"
        await dana.shows(item, summary="retitled")
        accounts = {account.sub: account.authorized for account in await world.cronofy.accounts()}
        assert accounts == {dana.account.sub: True, other.sub: False}

        # Meant: the new account takes its place, and a calendar of it is picked.
        before = await newest(world)
        code = await world.cronofy.issue_code(other.sub)
        await world.psa.connect(dana.integration_id, DANA, code)
        await world.psa.outcome(AccountChanged, integration_id=dana.integration_id, after=before, within=PATIENCE)
        before = await newest(world)
        await world.psa.resolve_account(dana.integration_id, adopt=True)
        await world.until(lambda: is_told(world, "calendar_missing", before))
        await world.psa.list_calendars(dana.integration_id)
        found = await world.psa.outcome(
            CalendarsFound, integration_id=dana.integration_id, after=before, within=PATIENCE
        )
        assert [one.calendar_id for one in found.data.calendars] == [other.calendar_id]
        await world.psa.configure(dana.integration_id, other.calendar_id)
        await world.psa.outcome(Configured, integration_id=dana.integration_id, after=before, within=PATIENCE)
        await world.until(lambda: shows(world, other.calendar_id, "retitled"))
        await world.rest()
        accounts = {account.sub: account.authorized for account in await world.cronofy.accounts()}
        assert accounts == {dana.account.sub: False, other.sub: True}


async def is_told(world: Stage, reason: str, after: int) -> None:
    told = await world.psa.outcomes(Disconnected.model_fields["type"].default, after=after)
    reasons = [one.event.data.reason for one in told if isinstance(one.event, Disconnected)]
    if reason not in reasons:
        raise NotYet(f"{reasons}")


async def shows(world: Stage, calendar_id: str, *summaries: str) -> None:
    found = sorted(event.summary for event in await world.cronofy.events(calendar_id))
    if found != sorted(summaries):
        raise NotYet(f"{found}")


async def test_an_answer_to_a_question_that_nobody_asked_is_refused(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, world.working():
        dana = await world.link()
        await world.psa.resolve_account(dana.integration_id, adopt=True)
        closed = await world.psa.outcome(OrderClosed, integration_id=dana.integration_id, within=PATIENCE)
        assert (closed.data.result, closed.data.reason) == ("refused", "nothing_to_answer")
