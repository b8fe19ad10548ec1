"""The page for those who write the other sides names what there is, and shows files as they are."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from cli.pages.included import with_files
from events.documents.catalogue import MESSAGES
from stack.native.places import PROJECT

PAGE: Final = (PROJECT / "docs/integrating.md").read_text(encoding="utf-8")


def test_every_call_of_the_calendar_api_is_told_of_and_none_that_there_is_not() -> None:
    yaml: Any = YAML(typ="safe")
    paths = yaml.load(PROJECT / "docs/contracts/psa-calendar-api.openapi.yaml")["paths"]
    verbs = {"get", "post", "patch", "delete"}
    there = {f"{verb.upper()} {path}" for path, calls in paths.items() for verb in calls if verb in verbs}
    assert set(re.findall(r"^\| `([A-Z]+ /\S+)` \|", PAGE, re.MULTILINE)) == there


def test_every_type_that_is_named_is_one() -> None:
    there = {message.name for message in MESSAGES}
    prose = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    whole = set(re.findall(r"`((?:psa|calsync)\.[a-z_.]+\.v\d)`", prose))
    assert whole
    assert whole <= there
    ends = set(re.findall(r"`…([a-z_]+\.v\d)`", prose))
    assert ends
    assert {end for end in ends if not any(name.endswith(f".{end}") for name in there)} == set()


def test_files_on_a_page_are_replaced_by_what_they_are_now() -> None:
    stale = "before\n<!-- file: examples/calsync.commands/wake.json -->\n```json\nformer\n```\nafter\n"
    wake = (PROJECT / "examples/calsync.commands/wake.json").read_text(encoding="utf-8").rstrip("\n")
    assert with_files(stale) == stale.replace("former", wake)


@pytest.mark.parametrize(
    "name", ["examples/python/platform.py", "examples/python/relay.py", "examples/node/platform.mjs"]
)
def test_every_program_is_shown(name: str) -> None:
    assert f"<!-- file: {name} -->\n" in PAGE
