"""The page of cases: none is missing, each has a proof, and each proof exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "scenarios.md").read_text()
LAST: Final = {"S": 111, "D": 14, "M": 8}
"""The last number of each kind. A case that is added continues it; one that is dropped leaves its number behind."""
_CASE: Final = re.compile(r"^- \*\*([SDM]\d+)\*\* ", re.MULTILINE)
_PROOF: Final = re.compile(r"`(tests/[^`\s]+)`")
_NOT_GIVEN: Final = re.compile(r"The numbers are names that stay; (.*?) are not given\.", re.DOTALL)


def cases(page: str) -> dict[str, list[str]]:
    """Return the proofs of each case. Fails if one is listed twice."""
    parts = _CASE.split(re.sub(r"^## .*$", "", page, flags=re.MULTILINE))[1:]
    names, texts = parts[::2], parts[1::2]
    assert len(names) == len(set(names)), f"twice: {sorted(name for name in names if names.count(name) > 1)}"
    return {name: _PROOF.findall(text) for name, text in zip(names, texts, strict=True)}


def problems(page: str) -> Iterator[str]:
    """Yield what is wrong with the page."""
    found = cases(page)
    not_given = _NOT_GIVEN.search(page)
    skipped = set(re.findall(r"S\d+", not_given[1])) if not_given else set[str]()
    expected = {f"{kind}{number:02}" if kind == "S" else f"{kind}{number}" for kind, number in _numbers()}
    for name in sorted(expected ^ (found.keys() | skipped)):
        yield f"{name} is missing, or has a number that is not expected"
    for name in sorted(skipped & found.keys()):
        yield f"{name} is said not to be given"
    for name, proofs in found.items():
        if not proofs:
            yield f"{name} has no proof"
        yield from (f"{name}: no such test: {proof}" for proof in proofs if not exists(proof))


def _numbers() -> Iterator[tuple[str, int]]:
    return ((kind, number) for kind, last in LAST.items() for number in range(1, last + 1))


def exists(proof: str) -> bool:
    """Whether there is a test of this name. The file is read and not imported, so that nothing else can fail."""
    path, *names = proof.split("::")
    if not names or not names[-1].startswith("test_") or not (ROOT / path).is_file():
        return False
    body: list[ast.stmt] = parsed(ROOT / path).body
    for name in names:
        named = [one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        one = next((one for one in named if one.name == name), None)
        if one is None:
            return False
        body = one.body
    return True


@cache
def parsed(path: Path) -> ast.Module:
    """Return what a file says."""
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_case_has_a_proof_that_exists() -> None:
    assert list(problems(PAGE)) == []


FIRST = "tests/simulation/test_random_schedules.py::test_outages_and_lost_answers_of_either_side_are_made_good"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (FIRST, FIRST + "_or_not", f"S01: no such test: {FIRST}_or_not"),
        ("**S02**", "**S199**", "S02 is missing, or has a number that is not expected"),
        ("S03, S05", "S05", "S03 is missing, or has a number that is not expected"),
        ("S03, S05", "S01, S03, S05", "S01 is said not to be given"),
        ("`tests/stories/test_15_nobody_is_mailed.py::test_that_somebody", "`somebody", "S94 has no proof"),
    ],
    ids=["a test that is not there", "another number", "a gap", "a contradiction", "without a proof"],
)
def test_what_is_wrong_with_the_page_is_noticed(old: str, new: str, said: str) -> None:
    assert old in PAGE
    assert said in list(problems(PAGE.replace(old, new)))
