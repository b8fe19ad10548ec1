# pyright: reportPrivateUsage=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
"""A run is taken back while people work on what it made: what they did stays, whatever happens at any await."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import worker.core.decide
import worker.core.undoing
import worker.judging
from events.link import Link, Undoing
from tests.simulation.schedules import CRASHES, CUTS, NONE, OUTAGES, TWICE
from tests.simulation.undoing import run_undone
from tests.simulation.world import Faults

SEEDS = 12
FAULTS = pytest.mark.parametrize(
    "faults", [NONE, TWICE, CRASHES, CUTS, OUTAGES], ids=["none", "twice", "crashes", "cuts", "outages"]
)
Plant = Callable[[pytest.MonkeyPatch], object]


@FAULTS
def test_what_somebody_worked_on_is_never_taken_back(faults: Faults, pytestconfig: pytest.Config) -> None:
    for seed in range(SEEDS * int(str(pytestconfig.getoption("--schedules")))):
        run_undone(seed, faults)


def _nothing(*_: object) -> None:
    return None


def _yes(*_: object) -> bool:
    return True


def _no(*_: object) -> bool:
    return False


def never_looking_who_was_here(patch: pytest.MonkeyPatch) -> None:
    """Everything that the run did is taken back, whoever has worked on it since."""
    patch.setattr(worker.core.undoing, "_obstacle", _nothing)
    patch.setattr(worker.core.undoing, "_untouched", _yes)


def forgetting_what_was_let_go(patch: pytest.MonkeyPatch) -> None:
    """What was taken back stays apart for ever."""
    patch.setattr(worker.core.decide, "comes_back", _no)


def being_content_with_the_first_answer(patch: pytest.MonkeyPatch) -> None:
    """Once taking back is begun nobody asks any more what is to become of it."""

    def forgetful(link: Link) -> Link:
        return replace(link, undoing=None, images=()) if link.undoing is Undoing.BEGUN else link

    patch.setattr(worker.judging, "still_undoing", forgetful)


@pytest.mark.parametrize(
    "plant",
    [never_looking_who_was_here, forgetting_what_was_let_go, being_content_with_the_first_answer],
    ids=lambda plant: plant.__name__,
)
def test_the_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        search()


def search() -> Any:
    for seed in range(60):
        for faults in (NONE, CRASHES):
            run_undone(seed, faults)
