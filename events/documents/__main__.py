"""Write the documents: `python -m events.documents`. With `--check`, only say which are stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from events.documents.asyncapi import asyncapi
from events.documents.catalogue import MESSAGES, ROOT
from events.documents.schemas import Json, schema_of

CONTRACTS: Final = ROOT / "docs" / "contracts"
SCHEMAS: Final = "schemas"


def documents() -> Mapping[str, bytes]:
    """Return what is to be in the folder of the contracts: bodies by the files' relative names."""
    schemas = {f"{SCHEMAS}/{message.name}.schema.json": _text(schema_of(message)) for message in MESSAGES}
    return {"asyncapi.json": _text(asyncapi()), **schemas}


def stale(folder: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Return the names of files that are missing, differ, or should not be there."""
    there = {path.relative_to(folder).as_posix() for path in (folder / SCHEMAS).glob("*")}
    wrong = {name for name, body in wanted.items() if not _holds(folder / name, body)}
    return sorted(wrong | (there - wanted.keys()))


def write(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Write what is missing or differs, and remove what should not be there."""
    (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
    for name in stale(folder, wanted):
        if name in wanted:
            (folder / name).write_bytes(wanted[name])
        else:
            (folder / name).unlink()


def _holds(path: Path, body: bytes) -> bool:
    return path.is_file() and path.read_bytes() == body


def _text(document: Json) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def main(arguments: list[str]) -> str | None:
    """Return what is wrong, for the exit; None if nothing is."""
    wanted = documents()
    if "--check" not in arguments:
        write(CONTRACTS, wanted)
        return None
    names = stale(CONTRACTS, wanted)
    listed = "".join(f"\n  docs/contracts/{name}" for name in names)
    return f"Stale, run `python -m events.documents`:{listed}" if names else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
