"""How a command ends: its exit code, and one line that says why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Final, cast

import typer

from adapters.process.ending import Overdue
from events.failures import Malformed, Misconfigured, SyncError, TryLater
from stack.failures import Unavailable

FAILED: Final = 1
"""The command was carried out and the answer is no."""
MISUSED: Final = 2
"""The command could not be carried out: wrong words or settings, or something it needs is missing."""
INTERRUPTED: Final = 130


class Failed(Exception):
    """The answer is no. The message, if there is one, is for a person."""


def exit_code(command: Callable[[], object]) -> int:
    """Run a command to its end, say what went wrong if anything foreseen did, and return the exit code."""
    try:
        command()
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as misuse:
        sys.stderr.write(f"{misuse.format_message()}\n")
        return MISUSED
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        words = _words(error)
        if words is None:
            raise
        if words[1]:
            sys.stderr.write(f"{words[1]}\n")
        return words[0]
    return 0


def _words(error: BaseException) -> tuple[int, str] | None:
    for one in _leaves(error):
        match one:
            case Failed():
                return FAILED, str(one)
            case Overdue():
                return FAILED, "What was under way did not come to an end in time; it will be done again."
            case Misconfigured() | Malformed():
                return MISUSED, f"{one.reason.explanation} {one.detail}"
            case TryLater():
                return MISUSED, f"{one.system} is away: {one.reason.explanation} {one.detail}"
            case SyncError():
                return FAILED, f"{one.reason.explanation} {one.detail}"
            case Unavailable():
                return MISUSED, str(one)
            case OSError(filename=str() as name):
                return MISUSED, f"{name}: {one.strerror}"
            case OSError() if one.errno is not None:
                return MISUSED, str(one)
            case _:
                continue
    return None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(inner)
    else:
        yield error
