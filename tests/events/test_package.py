"""Which `events` is imported. The distribution *Events* on PyPI installs a top-level package of this name, too."""

from __future__ import annotations

from pathlib import Path

import events
import events.contract


def test_the_events_that_are_imported_are_ours() -> None:
    project = Path(__file__).parents[2]
    assert Path(events.__file__) == project / "events" / "__init__.py"
    assert Path(events.contract.__file__) == project / "events" / "contract.py"
