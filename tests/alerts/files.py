"""The files that are tested, and Prometheus' own tool."""

from __future__ import annotations

import re
import subprocess  # noqa: S404 - Prometheus' own tool
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from stack.native.places import HOME, PROJECT
from stack.native.promtool import promtool

ALERTS: Final = PROJECT / "ops" / "prometheus" / "alerts.yml"
DASHBOARD: Final = PROJECT / "ops" / "grafana" / "calsync.json"
RUNBOOKS: Final = PROJECT / "docs" / "runbooks"
_METRIC: Final = re.compile(r"\b(?:calsync|process|rabbitmq)_[a-z0-9_]+\b")


class Patient:
    """Waits for others who fetch the same."""

    def tell(self, progress: str) -> None:
        """Say it."""

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


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
    command = [*promtool(HOME, Patient(), [PROJECT, folder]), *words]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - as above
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, said
    return said
