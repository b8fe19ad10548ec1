"""Debian packages fetched by apt and unpacked in a folder: no root, and the machine stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native.program import FailedProgram, run_to_end

_TOOLS: Final = ("apt-get", "dpkg-deb", "dpkg-query")


def is_here() -> bool:
    """Return whether this is a machine with apt."""
    return all(shutil.which(tool) for tool in _TOOLS)


def unpack(packages: Sequence[str], ours: Callable[[str], bool], into: Path, owner: Owner) -> None:
    """Fetch packages and what they need, and unpack them in a folder. Raises `Unavailable`."""
    work = into / "apt"
    apt = _prepared(work)
    said = ""
    try:
        run_to_end([*apt, "update"], work, owner)
    except FailedProgram as failure:  # one source of several may be broken without harm to us
        said = f"\n{failure}"
    try:
        run_to_end([*apt, "download", *_chosen(apt, packages, ours, work, owner)], work, owner)
        for package in sorted(work.glob("*.deb")):
            run_to_end(["dpkg-deb", "-x", str(package), str(into)], work, owner)
    except FailedProgram as failure:
        raise Unavailable(f"apt could not fetch {' '.join(packages)}.{said}\n{failure}") from failure
    shutil.rmtree(work)


def _chosen(
    apt: Sequence[str], packages: Sequence[str], ours: Callable[[str], bool], work: Path, owner: Owner
) -> list[str]:
    """Say which packages to fetch.

    What they need is worked out as if nothing were installed, so that a half-installed machine and a bare one give the
    same answer. Of that we take what `ours` says, and the libraries that the machine lacks, but none for browsers.
    """
    plan = run_to_end([*apt, "--no-install-recommends", "--simulate", "install", *packages], work, owner)
    needed = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    listing = run_to_end(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n"], work, owner)
    present = {name for state, name in map(str.split, listing.splitlines()) if state == "installed"}
    lacking = {name for name in needed if name.startswith("lib") and not name.startswith("libjs-")} - present
    return [name for name in needed if ours(name) or name in lacking]


def libraries(folder: Path) -> list[str]:
    """Where an unpacked folder has its shared libraries."""
    return [str(path) for path in sorted([*folder.glob("usr/lib/*-linux-gnu*"), *folder.glob("lib/*-linux-gnu*")])]


def _prepared(work: Path) -> list[str]:
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    options = (
        "Debug::NoLocking=1",  # the locks are for who changes the machine
        f"Dir::State::lists={work}/lists",
        f"Dir::Cache={work}/cache",
        "Dir::State::status=/dev/null",
        "APT::Sandbox::User=root",  # our folder is closed to apt's own user
        "Acquire::Languages=none",
        "Acquire::Retries=3",
    )
    return ["apt-get", "-q", *(f"-o{option}" for option in options)]
