#!/usr/bin/env python3
"""Bring `.venv` to what lock files say, and install the project into it: `install.py run.txt build.txt`.

It runs before anything is installed, so it needs Python's own library only. A second run with nothing new to install
takes no time. A run that was killed is not taken for good by the next.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess  # noqa: S404 - it runs pip
import sys
import venv
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[1]
OLDEST: Final = (3, 11)


class Impossible(Exception):
    """Nothing can be installed here; the message says what to do."""


def main(names: Sequence[str]) -> int:
    """Return the exit code."""
    try:
        with one_at_a_time(PROJECT / "requirements"):
            install(PROJECT, [PROJECT / "requirements" / name for name in names])
    except Impossible as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    return 0


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Generator[None]:
    """Wait for others who install into the same environment."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def install(project: Path, locks: Sequence[Path]) -> None:
    """Do what is not done yet."""
    environment = project / ".venv"
    stamp = environment / f"installed-{'-'.join(lock.stem for lock in locks)}"
    wanted = digest([*locks, project / "pyproject.toml"])
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    broken = environment / "broken"  # from here on, until everything is there
    if broken.exists() or not has_pip(environment):
        create(environment, broken)
    broken.touch()
    pip(environment, "install", "--no-deps", "--require-hashes", *(f"--requirement={lock}" for lock in locks))
    # Without isolation hatchling comes from the lock, too, hashes and all.
    pip(environment, "install", "--no-deps", "--no-build-isolation", f"--editable={project}")
    stamp.write_text(wanted)
    broken.unlink()


def digest(files: Sequence[Path]) -> str:
    """One word for the contents of all these files."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def has_pip(environment: Path) -> bool:
    """Whether there is an environment that pip can install into."""
    python = environment / "bin" / "python"
    asked = [python, "-c", "import pip"]
    return python.exists() and not subprocess.run(asked, check=False, capture_output=True).returncode  # noqa: S603


def create(environment: Path, broken: Path) -> None:
    """Make a new environment, in place of one that may be there."""
    if sys.version_info < OLDEST:
        raise Impossible(f"Python {OLDEST[0]}.{OLDEST[1]} or later is needed; this is {sys.version.split()[0]}.")
    say(f"creating {environment}")
    bare(environment)
    broken.touch()
    asked = [environment / "bin" / "python", "-m", "ensurepip", "--default-pip"]
    if subprocess.run(asked, check=False, capture_output=True).returncode:  # noqa: S603
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Impossible(
            f"Python {version} here comes without ensurepip, so that nothing can be installed for it; "
            f"on Debian and Ubuntu install the package python{version}-venv."
        )


def bare(environment: Path) -> None:
    """Make an environment with nothing in it, not even pip, so that it cannot be taken for good."""
    venv.create(environment, clear=True)


def pip(environment: Path, *arguments: str) -> None:
    """Run the environment's pip."""
    say(f"pip {arguments[0]} {' '.join(Path(word.rpartition('=')[2]).name for word in arguments if '=' in word)}")
    quiet = ("--quiet", "--quiet", "--no-compile", "--disable-pip-version-check", "--no-input")
    command = [environment / "bin" / "python", "-m", "pip", *arguments, *quiet]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
        raise Impossible("pip could not install what the project needs; its words are above.")


def say(what: str) -> None:
    """Tell a waiting person."""
    sys.stderr.write(f"setup: {what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
