"""Frozen values are changed as `dataclasses.replace` changes them, only quicker."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from events.content import Content, Timed
from events.link import Link, LinkState, ManagedEvent, Origin
from events.reasons import Reason
from events.values import replace

NOW: Final = datetime(2026, 3, 9, 9, tzinfo=UTC)
LINK: Final = Link("i/e", "i", 1204, 7001, ManagedEvent("cal", "e"), Origin.PSA)


def test_a_change_is_the_one_that_dataclasses_would_make() -> None:
    changes: dict[str, Any] = {"state": LinkState.SETTLED, "reason": Reason.IN_SYNC, "due_at": NOW, "attempts": 3}
    assert replace(LINK, **changes) == dataclasses.replace(LINK, **changes)


def test_the_former_value_stays_as_it_is() -> None:
    before = dataclasses.asdict(LINK)
    replace(LINK, attempts=3)
    assert dataclasses.asdict(LINK) == before


def test_what_was_changed_is_frozen_like_the_former_value() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(LINK, attempts=3).attempts = 4  # type: ignore[misc]


def test_what_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError, match="Link has no colour"):
        replace(LINK, colour="red")  # type: ignore[call-arg]


def test_a_value_with_slots_is_changed_as_well() -> None:
    content = Content(Timed(NOW, NOW), "Visit")
    assert replace(content, summary="Call") == Content(Timed(NOW, NOW), "Call")
