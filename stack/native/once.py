"""Doing something once for all runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from stack.kept import Owner
from stack.native.locks import held


def made_once(target: Path, make: Callable[[Path], None], owner: Owner) -> Path:
    """Return the folder `target`, which `make` has filled.

    It is filled in another place and then renamed, so that a folder of this name is always complete. Of several that
    want it at once one makes it and the others wait.
    """
    workshop = target.parent / "making"
    while not target.is_dir():
        workshop.mkdir(parents=True, exist_ok=True)
        with held(workshop) as ours:
            if ours and not target.is_dir():
                _make(target, make, workshop / target.name)
        owner.pause(0.1)
    return target


def _make(target: Path, make: Callable[[Path], None], making: Path) -> None:
    shutil.rmtree(making, ignore_errors=True)  # of one that was killed
    making.mkdir()
    make(making)
    making.rename(target)
