"""The files that are tested, and Prometheus' own tool."""

from __future__ import annotations

import re
import subprocess  # noqa: S404 - Prometheus' own tool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from stack.native.places import PROJECT
from stack.programs import rule_tool

ALERTS: Final = PROJECT / "ops" / "prometheus" / "alerts.yml"
DASHBOARD: Final = PROJECT / "ops" / "grafana" / "calsync.json"
RUNBOOKS: Final = PROJECT / "docs" / "runbooks"
_METRIC: Final = re.compile(r"\b(?:calsync|process|rabbitmq)_[a-z0-9_]+\b")


@dataclass(frozen=True)
class Rule:
    """One alert."""

    name: str
    expression: str
    labels: dict[str, str]
    annotations: dict[str, str]
    given: dict[str, Any]
    """All of it, as it is written."""


@cache
def rules() -> list[Rule]:
    """Return all alerts."""
    yaml: Any = YAML(typ="safe")
    document = yaml.load(ALERTS)
    return [
        Rule(rule["alert"], rule["expr"], rule.get("labels", {}), rule.get("annotations", {}), rule)
        for group in document["groups"]
        for rule in group["rules"]
    ]


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics that an expression is about."""
    return set(_METRIC.findall(expression))


def tool(*words: str, folder: Path) -> str:
    """Run the tool; return what it says, or fail with that."""
    command = [*rule_tool([PROJECT, folder]), *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    return said
