"""Write the pages that the program knows best: `python -m cli.documents`. With `--check`, only say which are stale."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.pages import included, metrics, settings
from stack.native.places import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS: Final = PROJECT / "docs"
PAGES: Final[dict[str, Callable[[], str]]] = {
    "settings.md": settings.page,
    "metrics.md": metrics.page,
    "integrating.md": included.page("integrating.md"),
}


def stale(folder: Path) -> list[str]:
    """Return the names of pages that are missing or differ."""
    return [name for name, page in PAGES.items() if _text(folder / name) != page()]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main(arguments: list[str], folder: Path = DOCS) -> str | None:
    """Return what is wrong, for the exit; None if nothing is."""
    names = stale(folder)
    if "--check" in arguments:
        listed = "".join(f"\n  docs/{name}" for name in names)
        return f"Stale, run `python -m cli.documents`:{listed}" if names else None
    for name in names:
        (folder / name).write_text(PAGES[name](), encoding="utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
