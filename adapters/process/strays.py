"""Variables and entries that look like settings and are none: most often a slip of the pen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from adapters.process.environment import SETTINGS_FILE, given, in_settings_file, variable


def strays(names: Collection[str]) -> list[str]:
    """Say of each that means nothing here which setting may have been meant. `names`: of all settings there are."""
    known = {SETTINGS_FILE}.union(*({variable(name), f"{variable(name)}_FILE"} for name in names))
    return [_sentence(stray, known) for stray in _said() if stray not in known]


def _said() -> Iterator[str]:
    yield from sorted(given())
    yield from sorted(variable(name) for name in in_settings_file())


def _sentence(stray: str, known: Collection[str]) -> str:
    near = get_close_matches(stray, known, n=1, cutoff=0.75)
    return f"{stray} is not a setting and does nothing{f'; was {near[0]} meant?' if near else '.'}"
