"""A browser without a window, to try pages with: the machine's Chromium, or Debian's, fetched once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native import apt
from stack.native.once import made_once
from stack.native.program import FailedProgram, run_to_end

_NAMES: Final = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "google-chrome-stable")
_PACKAGES: Final = ("chromium-headless-shell", "fonts-dejavu-core")
_OURS: Final = frozenset({*_PACKAGES, "chromium-common", "fontconfig-config"})
_PROGRAM: Final = "usr/lib/chromium/chromium-headless-shell"
_WAYS_OUT: Final = "install Chromium (as `chromium` on the PATH), or use a Debian machine"


@dataclass(frozen=True, slots=True)
class Chromium:
    """How to start it. `environment`: what it needs beside the usual variables."""

    program: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def chromium(home: Path, owner: Owner) -> Chromium:
    """Return the machine's own browser, else a fetched one. Raises `Unavailable`, with what to do."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is not None:
        return Chromium(Path(found))
    if not apt.is_here():
        raise Unavailable(f"Chromium is needed to try the console in a real browser: {_WAYS_OUT}.")
    return _in_folder(made_once(home / "chromium", lambda folder: _fetch(folder, owner), owner))


def _fetch(folder: Path, owner: Owner) -> None:
    owner.tell("fetching Chromium (100 MB, once)")
    apt.unpack(_PACKAGES, _OURS.__contains__, folder, owner)
    fetched = _in_folder(folder)
    settings = [f"{name}={value}" for name, value in fetched.environment.items()]
    try:
        run_to_end(["env", *settings, str(fetched.program), "--version"], folder, owner)
    except FailedProgram as failure:
        raise Unavailable(f"The fetched Chromium does not run on this machine: {_WAYS_OUT}.\n{failure}") from failure


def _in_folder(folder: Path) -> Chromium:
    libraries = apt.libraries(folder)
    libraries += [str(path) for path in sorted(folder.glob("usr/lib/*-linux-gnu*/pulseaudio"))]
    environment = {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "FONTCONFIG_PATH": str(folder / "etc/fonts"),
        "XDG_DATA_HOME": str(folder / "usr/share"),
    }
    return Chromium(folder / _PROGRAM, environment)
