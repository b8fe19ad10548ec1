"""Python's garbage collector, set for a process that runs for long and makes many values that live for a moment."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 50_000
"""New objects, beside those that have gone, after which cycles are looked for among them. Python's own 700 are used up
by a dozen links, and then what is under way is looked through over and over again, and finally all there is."""
_OLDER: Final = 20
_OLDEST: Final = 50


def set_for_long() -> None:
    """Leave out what was loaded so far, which stays for ever, and look for cycles less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
