"""Where in the program something failed: places only. Values, messages and source lines may be private."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from events.failures import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT: Final = Path(__file__).parents[1]
_MOST_FRAMES: Final = 30
_MOST_CAUSES: Final = 5
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Trace:
    """What a failure tells of itself beside its reason."""

    error: str = ""
    """Its class, and behind arrows those of its causes."""
    stack: str = ""
    """One place a line, `worker/reconcile.py:61 in reconcile`, the innermost last."""
    call: str = ""
    """The HTTP request that failed: method, route without ids, status."""


NO_TRACE: Final = Trace()


def trace_of(error: BaseException) -> Trace:
    """Read a failure and its causes."""
    chain = list(_chain(error))
    calls = [one.call for one in chain if isinstance(one, SyncError) and one.call]
    return Trace(
        error=" ← ".join(type(one).__name__ for one in chain)[:200],
        stack="\n".join(_places(chain))[-_LONGEST:],
        call=calls[0] if calls else "",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _places(chain: list[BaseException]) -> list[str]:
    """Return the places from the outermost call to where it began: those of the first cause come last."""
    frames = [
        f"{_where(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
        for one in chain
        for frame, line in traceback.walk_tb(one.__traceback__)
    ]
    return frames[-_MOST_FRAMES:]


def _where(filename: str) -> str:
    """Return a file as people know it: ours from the project's folder, others from their package."""
    path = Path(filename)
    if path.is_relative_to(_ROOT) and ".venv" not in path.parts:
        return path.relative_to(_ROOT).as_posix()
    return "/".join(path.parts[-2:])
