"""Where things are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
"""The folder the project was cloned into."""

HOME: Final = PROJECT / ".stack"
"""All that is fetched and all that runs. Deleting it while nothing runs is safe; it is made anew."""

RUNS: Final = HOME / "runs"
"""One folder for each run."""

LOCK_FILE: Final = PROJECT / "requirements" / "native.txt"
"""What is fetched from the package index, with its hashes."""
