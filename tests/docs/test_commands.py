"""Commands on pages are commands that there are: each is parsed as the program would parse it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from stack.native.places import PROJECT
from tests.stack.commands import check_command

PAGES: Final = [
    path
    for path in (*PROJECT.glob("*.md"), *PROJECT.glob("[!.]*/**/*.md"))
    if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
]
_IN_LINE: Final = re.compile(r"`calsync ([^`]+)`")
_BLOCK: Final = re.compile(r"^```(?:sh|bash)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED: Final = re.compile(r"^ {4}(.*)$", re.MULTILINE)
_IN_BLOCK: Final = re.compile(r"(?:^|[/\s])calsync (.+)")
_PROSE: Final = re.compile(r"…|\.\.\.")


_INCOMPLETE: Final = {"MissingParameter", "NoArgsIsHelpError"}


def named(text: str) -> list[str]:
    """Return what stands after `calsync` in a sentence, which may leave out what has to be given."""
    return [one for one in _IN_LINE.findall(text) if not _PROSE.search(one)]


def typed(text: str) -> list[str]:
    """Return what stands after `calsync` in blocks, to be copied and typed."""
    blocks = [line for block in _BLOCK.findall(text) for line in block.splitlines()] + _INDENTED.findall(text)
    lines = [line.partition(" #")[0].rstrip() for line in blocks if not line.startswith("kubectl")]
    found = [words[1] for line in lines if (words := _IN_BLOCK.search(line))]
    return [one for one in found if not _PROSE.search(one)]


def problem(command: str) -> BaseException | None:
    """Return what the program would say to a command."""
    try:
        check_command(shlex.split(re.sub(r"\b(ID|USER|TENANT)\b", "1", command)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return error
    return None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_command_on_a_page_is_one_that_there_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    wrong = {one: repr(said) for one in typed(text) if (said := problem(one))}
    for one in named(text):
        said = problem(one)
        if said is not None and type(said).__name__ not in _INCOMPLETE:
            wrong[one] = repr(said)
    assert wrong == {}


def test_commands_are_found_wherever_they_stand() -> None:
    text = "Run `calsync log --tenant 7`.\n\n```\n.venv/bin/calsync worker   # any number\n```\n\n    calsync up\n"
    assert (named(text), typed(text)) == (["log --tenant 7"], ["worker", "up"])


@pytest.mark.parametrize("wrong", ["wroker", "log --colour red", "tenants set many"])
def test_what_is_no_command_is_found_out(wrong: str) -> None:
    said = problem(wrong)
    assert said is not None
    assert type(said).__name__ not in _INCOMPLETE
