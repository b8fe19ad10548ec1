"""Prometheus' own tool, to check and try its rules: the machine's, or fetched once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native import apt
from stack.native.once import made_once

_TOOL: Final = "usr/bin/promtool"


def promtool(home: Path, owner: Owner) -> Path:
    """Return the tool. Raises `Unavailable`."""
    found = shutil.which("promtool")
    return Path(found) if found else made_once(home / "promtool", lambda folder: _fetch(folder, owner), owner) / _TOOL


def _fetch(folder: Path, owner: Owner) -> None:
    if not apt.is_here():
        raise Unavailable("promtool is needed to try the alert rules: install Prometheus, or use a machine with apt.")
    owner.tell("fetching promtool (19 MB, once)")
    apt.unpack(["prometheus"], "prometheus".__eq__, folder, owner)
