"""Calendars and items that were there before anybody linked them, and how a run over them went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from events.items import ItemType
from events.outcomes import Configured, RunProgress, RunProgressData
from events.psa import FutureRange, PastRange, Range
from sandbox.cronofy.control.event_messages import EventFields
from sandbox.psa.client import PsaItem
from sandbox.psa.publishing.mishaps import Kind, Mishap
from tests.stories.stage import PATIENCE, Linked, NotYet, Stage

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)  # noqa: TID251
MONTH = Range(past=PastRange.ONE_WEEK, future=FutureRange.ONE_MONTH)


def on(day: int, hour: int = 12) -> datetime:
    return NOON.replace(hour=hour) + timedelta(days=day)


async def linked(world: Stage, user: int, days: Sequence[int], more: Sequence[EventFields] = ()) -> Linked:
    """Link a calendar that has been in use before, with an event on each of these days, and more."""
    account = await world.cronofy.create_account()
    events: list[EventFields] = [{"summary": f"old {day}", "start": on(day, 9), "end": on(day, 10)} for day in days]
    await world.cronofy.create_known_events(account.calendar_id, [*events, *more])
    await world.cronofy.advance(60)
    dana = Linked(world, user, f"int-{user}", account)
    await world.psa.connect(dana.integration_id, user, account.code, time_zone="Europe/Berlin")
    await world.psa.configure(dana.integration_id, account.calendar_id)
    await world.psa.outcome(Configured, integration_id=dana.integration_id, within=PATIENCE)
    return dana


async def unannounced_items(world: Stage, user: int, days: Sequence[int]) -> list[PsaItem]:
    """Make items of which nobody is told: their events get lost."""
    await world.psa.add_mishap(Mishap(kind=Kind.LOST, type="psa.calendar_item.changed.v1", times=len(days)))
    return [
        await world.psa.create_item(ItemType.APPOINTMENT, [user], subject=f"item {day}", start=on(day), end=on(day, 13))
        for day in days
    ]


async def progress(world: Stage, integration_id: str) -> list[RunProgressData]:
    told = await world.psa.outcomes("calsync.run.progress.v1", integration_id=integration_id)
    return [one.event.data for one in told if isinstance(one.event, RunProgress)]


async def ended(world: Stage, integration_id: str, revision: int) -> RunProgressData:
    """Return the last word about the run that an event asked for."""

    async def look() -> RunProgressData:
        told = await progress(world, integration_id)
        (run_id,) = {one.run_id for one in told if one.revision == revision} or {""}
        last = [one for one in told if one.run_id == run_id and one.state != "running"]
        if not last:
            raise NotYet(f"{told}")
        return last[-1]

    return await world.until(look)


async def subjects(world: Stage, user: int) -> Counter[str]:
    """Return what the user's My Calendar shows."""
    mine = [item for item in await world.psa.items(user) if not item.deleted]
    return Counter(str(getattr(item.facts.item, "subject", "")) for item in mine)


async def summaries(dana: Linked) -> Counter[str]:
    return Counter(event.summary for event in await dana.events())
