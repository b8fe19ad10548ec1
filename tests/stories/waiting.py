"""Waiting for what the PSA is to show."""

from __future__ import annotations

from sandbox.psa.client import PsaItem
from tests.stories.stage import NotYet, Stage


async def shows(world: Stage, item: PsaItem, **fields: object) -> PsaItem:
    """Return the item as soon as the PSA shows these fields."""

    async def look() -> PsaItem:
        now = await world.psa.item(item.item_type, item.item_id, item.part_id)
        shown = {name: now.field(name) for name in fields}
        if shown != fields:
            raise NotYet(f"{shown} instead of {fields}")
        return now

    return await world.until(look)


async def is_deleted(world: Stage, item: PsaItem) -> None:
    """Return as soon as the item is deleted."""

    async def look() -> None:
        if not (await world.psa.item(item.item_type, item.item_id, item.part_id)).deleted:
            raise NotYet(item.item_id)

    await world.until(look)
