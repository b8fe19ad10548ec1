"""Which `events` is imported. The distribution *Events* on PyPI installs a top-level package of this name, too."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import events
import events.contract

PROJECT = Path(__file__).parents[2]


def test_the_events_that_are_imported_are_ours() -> None:
    assert Path(events.__file__) == PROJECT / "events" / "__init__.py"
    assert Path(events.contract.__file__) == PROJECT / "events" / "contract.py"


def test_every_top_level_package_is_shipped_and_has_its_place_in_the_layers() -> None:
    tools: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
    packages = {found.parent.name for found in PROJECT.glob("*/__init__.py")} - {"tests"}
    assert set(tools["hatch"]["build"]["targets"]["wheel"]["packages"]) == packages
    assert set(tools["importlinter"]["root_packages"]) == packages
    (layers, *_) = tools["importlinter"]["contracts"]
    assert {name for layer in layers["layers"] for name in layer.split(" | ")} == packages
