"""Whether the process should be ended and started anew. Nothing outside of it ever counts: that would help nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.telemetry.pulse import Pulse

LONGEST_LAG: Final = 10.0
"""Seconds by which the event loop may be late."""
LONGEST_STILL: Final = 180.0
"""Seconds for which a handler may not move. Every call that it waits for ends sooner, and counts as a move."""


def stuck(pulse: Pulse) -> list[str]:
    """Say what no longer moves; nothing if all does."""
    found = [
        f"{consumer}: a handler has not moved for {still:.0f} s"
        for consumer, (_, still) in sorted(pulse.busy().items())
        if still > LONGEST_STILL
    ]
    if pulse.lag > LONGEST_LAG:
        found.append(f"the event loop is {pulse.lag:.0f} s late")
    return found
