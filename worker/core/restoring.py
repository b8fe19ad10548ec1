"""Values that a person wants back: what remains to be brought into the item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.content import AllDay, Field, Timed
from events.values import replace
from worker.core.compare import overlay, same
from worker.core.ownership import Fits, as_kept
from worker.core.plan import ChangeItem
from worker.core.sides import PsaHolds, PsaUnread

if TYPE_CHECKING:
    from events.content import Value
    from events.link import Link
    from worker.core.ownership import Traits
    from worker.core.sides import PsaView


def still_wanted(link: Link, psa: PsaView) -> Link:
    """Return the link without the values that the item shows by now, or cannot hold."""
    if not link.restoring or isinstance(psa, PsaUnread):
        return link
    return replace(link, restoring=_lacking(link, psa) if isinstance(psa, PsaHolds) else {})


def _lacking(link: Link, psa: PsaHolds) -> dict[Field, Value]:
    kept = {name: _as_kept(psa.traits, value) for name, value in link.restoring.items()}
    return {
        name: value
        for name, value in kept.items()
        if value is not None and not same(name, value, psa.content.value(name))
    }


def _as_kept(traits: Traits, value: Value) -> Value | None:
    if not isinstance(value, Timed | AllDay):
        return value
    fitting = as_kept(traits, value)
    return fitting.when if isinstance(fitting, Fits) else None


def change_back(link: Link, psa: PsaHolds) -> ChangeItem:
    """Return the change that brings the values into the item. From there they go into the calendar as any change."""
    return ChangeItem(content=overlay(psa.content, link.restoring), fields=frozenset(link.restoring))
