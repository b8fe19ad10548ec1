"""Counts of a minute, and what delays can be told from them."""

from __future__ import annotations

import pytest

from events.history import DELAYS, Counts


def counts(**delays: int) -> Counts:
    """Return counts with so many delays under each bound, given as `d0`, `d1`, …"""
    return Counts(delays=tuple(delays.get(f"d{n}", 0) for n in range(len(DELAYS) + 1)))


def test_what_was_counted_before_is_taken_off() -> None:
    former = Counts(1, 2, 3, counts(d0=1).delays)
    assert Counts(5, 2, 4, counts(d0=1, d3=2).delays).beyond(former) == Counts(4, 0, 1, counts(d3=2).delays)
    assert former.beyond(former).nothing
    assert not former.nothing


@pytest.mark.parametrize(
    ("delays", "share", "seconds"),
    [
        ({}, 0.5, None),
        ({"d0": 10}, 0.5, 0.25),
        ({"d0": 10}, 1.0, 0.5),
        ({"d0": 5, "d2": 5}, 0.5, 0.5),
        ({"d0": 5, "d2": 5}, 0.75, 1.75 - 0.0),
        ({"d16": 3}, 0.95, 24 * 3600),
    ],
)
def test_a_share_of_changes_took_about_so_long(delays: dict[str, int], share: float, seconds: float | None) -> None:
    assert counts(**delays).delay(share) == seconds
