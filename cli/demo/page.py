"""A page of what was typed and what was said, word for word."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_FIRST, _LAST = 4, 2
_QUOTED: Final = frozenset(" ;&'()*?$")


@dataclass
class Page:
    """See the module. Of long answers the beginning and the end are kept."""

    parts: list[str] = field(default_factory=list[str])

    def title(self, words: str) -> None:
        """Begin."""
        self.parts.append(f"# {words}")

    def chapter(self, words: str) -> None:
        """Begin a part."""
        self.parts.append(f"## {words}")

    def say(self, words: str) -> None:
        """Tell something."""
        self.parts.append(words)

    def typed(self, at: datetime, words: Sequence[str], said: str, *, whole: bool = False) -> None:
        """Show a command, when it was typed, and the answer."""
        lines = [line.rstrip() for line in said.rstrip().splitlines()]
        if not whole and len(lines) > _FIRST + _LAST + 1:
            left = len(lines) - _FIRST - _LAST
            lines = [*lines[:_FIRST], f"… {left} more lines …", *lines[-_LAST:]]
        command = " ".join(f'"{word}"' if _QUOTED & set(word) else word for word in ("calsync", *words))
        self.parts.append("\n".join(["```", f"{at:%H:%M:%S}Z $ {command}", *lines, "```"]))

    def text(self) -> str:
        """Return the page, in Markdown."""
        return "\n\n".join(self.parts) + "\n"
