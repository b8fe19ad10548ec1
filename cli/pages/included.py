"""Pages with files of the project in them: what stands below such a mark is the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stack.native.places import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

_INCLUDED: Final = re.compile(r"(<!-- file: (\S+) -->\n)```\w*\n.*?^```$", re.DOTALL | re.MULTILINE)
_LANGUAGES: Final = {"py": "python", "mjs": "javascript", "json": "json"}


def page(name: str) -> Callable[[], str]:
    """Return what makes a page of `docs/`: as it is, with the files in it as they are."""
    return lambda: with_files((PROJECT / "docs" / name).read_text(encoding="utf-8"))


def with_files(text: str) -> str:
    """Return the text with the newest form of each file in it."""
    return _INCLUDED.sub(_file, text)


def _file(found: re.Match[str]) -> str:
    mark, name = found[1], found[2]
    content = (PROJECT / name).read_text(encoding="utf-8").rstrip("\n")
    return f"{mark}```{_LANGUAGES[name.rpartition('.')[2]]}\n{content}\n```"
