"""Texts about markup: what is sent of them comes back as it is, or their event would never be confirmed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from events.items import ItemType
from events.link import LinkState
from events.reasons import Reason
from tests.memory.platform import stamp
from tests.simulation.world import NOON, USER, World
from tests.worker.passing import HOUR, TIMES, links

CALL: Final[dict[str, Any]] = {"account": {"id": 1, "name": "Contoso"}, "user_id": USER, "status": "Open"}
IN_SYNC: Final = [(LinkState.SETTLED, Reason.IN_SYNC)]


def ends(world: World, kind: ItemType, **item: Any) -> list[tuple[LinkState, Reason]]:
    """Say how the links end after the item was moved once and two days have passed."""
    made = world.platform.make(kind, USER, **item, **TIMES)
    world.settle()
    world.platform.edit(made, start=stamp(NOON + HOUR), end=stamp(NOON + timedelta(hours=2)))
    world.settle()
    world.pass_a_day()
    world.pass_a_day()
    return [(link.state, link.reason) for link in links(world)]


@pytest.mark.parametrize("text", ["<p>Use &lt;br&gt; here</p>", "<p>Error in &lt;div&gt;x&lt;/div&gt;</p>"])
@pytest.mark.parametrize("status", ["Open", "R&D", "<br>"])
def test_a_service_call_about_markup_is_confirmed(world: World, text: str, status: str) -> None:
    assert ends(world, ItemType.SERVICE_CALL, description=text, **{**CALL, "status": status}) == IN_SYNC
    (event,) = world.calendar.live()
    assert "&amp;lt;" not in event.description, "nobody escaped it twice"
    assert not world.parked


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<p>&lt;div&gt;" + "word " * 900 + "&lt;/div&gt;</p>", id="closed behind the cut"),
        pytest.param("<p>AT&amp;T " + "word " * 900 + "&lt;br&gt;</p>", id="markup only behind the cut"),
        pytest.param("AT&amp;T " + "word " * 900 + "R&D", id="no markup at all"),
        pytest.param("&lt;b&gt;x&lt;/b&gt;" + ">" * 5000 + "R&D", id="longer in its new form"),
    ],
)
def test_a_long_text_about_markup_is_confirmed(world: World, text: str) -> None:
    assert ends(world, ItemType.APPOINTMENT, subject="Review", description=text) == IN_SYNC
    assert not world.parked
