"""Prometheus' own tool, to check and try its rules: the machine's, or fetched once, or in a container."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native import apt
from stack.native.once import made_once

IMAGE: Final = "prom/prometheus:v3.5.0"
_TOOL: Final = "usr/bin/promtool"


def promtool(home: Path, owner: Owner, folders: Sequence[Path]) -> list[str]:
    """Return the beginning of a command that runs the tool; it may read in these folders. Raises `Unavailable`."""
    if found := shutil.which("promtool"):
        return [found]
    if apt.is_here():
        return [str(made_once(home / "promtool", lambda folder: _fetch(folder, owner), owner) / _TOOL)]
    if docker := shutil.which("docker"):
        shared = [f"--volume={folder}:{folder}:ro" for folder in folders]
        ours = f"--user={os.getuid()}:{os.getgid()}"  # whose files they are
        return [docker, "run", "--rm", "--network=none", ours, *shared, "--entrypoint=promtool", IMAGE]
    raise Unavailable(
        "promtool is needed to try the alert rules: install Prometheus or Docker, or use a Debian or Ubuntu machine."
    )


def _fetch(folder: Path, owner: Owner) -> None:
    owner.tell("fetching promtool (19 MB, once)")
    apt.unpack(["prometheus"], "prometheus".__eq__, folder, owner)
