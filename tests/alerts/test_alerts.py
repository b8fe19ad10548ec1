"""Each alert fires when it should and not when it should not, and tells whoever is woken what to do."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from cli.pages.metrics import metrics
from tests.alerts.cases import CASES, Case, Series
from tests.alerts.files import ALERTS, DASHBOARD, RUNBOOKS, Rule, metrics_in, rules, tool
from tests.services import Urls

SECTIONS = ["## What it means", "## How to see it", "## How to fix it", "## How to know that it worked"]
NAMES = [rule.name for rule in rules()]
each_rule = pytest.mark.parametrize("rule", rules(), ids=NAMES)


def known() -> set[str]:
    """Return the names of all metrics of ours, as Prometheus stores them."""
    found = {one.name for one in metrics()}
    for one in metrics():
        if one.kind == "histogram":
            found |= {f"{one.name}_{suffix}" for suffix in ("bucket", "sum", "count")}
    return found | {"process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}


def trial(rule: Rule, case: Case, series: Series, *, fires: bool) -> dict[str, Any]:
    """Return a test as promtool reads it."""
    alert = {"exp_labels": {**rule.labels, **(case.labels or {})}, "exp_annotations": _filled(rule, case.labels or {})}
    return {
        "name": f"{rule.name} {'fires' if fires else 'is quiet'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {"eval_time": f"{case.at}m", "alertname": rule.name, "exp_alerts": [alert] if fires else []}
        ],
    }


def _filled(rule: Rule, labels: Series) -> Series:
    def fill(match: re.Match[str]) -> str:
        return labels[match[1]]

    return {name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", fill, text) for name, text in rule.annotations.items()}


def test_every_alert_is_tried_fires_when_it_should_and_is_quiet_otherwise(tmp_path: Path) -> None:
    assert sorted(CASES) == sorted(NAMES)
    tool("check", "rules", str(ALERTS), folder=tmp_path)
    files = [
        to_try(rule, tmp_path, series, fires=fires)
        for rule in rules()
        for fires, series in ((True, CASES[rule.name].fires), (False, CASES[rule.name].quiet))
    ]
    said = tool("test", "rules", *map(str, files), folder=tmp_path)
    assert said.count("SUCCESS") == len(files)


def to_try(rule: Rule, folder: Path, series: Series, *, fires: bool) -> Path:
    """Write down the trial of one rule, beside a file with this rule alone: the tool evaluates all that it is given."""
    name = f"{rule.name}-{fires}"
    alone = folder / f"{name}.rule.yml"  # JSON is YAML
    alone.write_bytes(orjson.dumps({"groups": [{"name": rule.name, "rules": [rule.given]}]}))
    trials = [trial(rule, CASES[rule.name], series, fires=fires)]
    path = folder / f"{name}.yml"
    path.write_bytes(orjson.dumps({"rule_files": [str(alone)], "evaluation_interval": "1m", "tests": trials}))
    return path


def test_a_rule_that_never_fires_would_be_noticed(tmp_path: Path) -> None:
    (rule,) = [rule for rule in rules() if rule.name == "CalsyncOverdue"]
    quiet = CASES[rule.name].quiet
    written = to_try(rule, tmp_path, quiet, fires=True)
    with pytest.raises(AssertionError, match="CalsyncOverdue"):
        tool("test", "rules", str(written), folder=tmp_path)


@each_rule
def test_an_alert_has_a_page_that_says_what_to_do(rule: Rule) -> None:
    assert rule.labels["severity"] in {"page", "ticket"}
    assert rule.annotations["runbook"] == f"docs/runbooks/{rule.name}.md"
    page = (RUNBOOKS / f"{rule.name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule.name}\n")
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == SECTIONS
    for first, second in zip(SECTIONS, [*SECTIONS[1:], None], strict=True):
        text = page.partition(first)[2].partition(second)[0] if second else page.partition(first)[2]
        assert len(text.split()) >= 5, first


def test_no_page_is_left_of_an_alert_that_is_no_more() -> None:
    assert {path.stem for path in RUNBOOKS.glob("Calsync*.md")} == set(NAMES)
    listed = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\[(Calsync\w+)\]", listed) == NAMES


@each_rule
def test_an_alert_is_about_metrics_that_exist(rule: Rule) -> None:
    used = metrics_in(rule.expression)
    assert used
    assert {name for name in used if not name.startswith("rabbitmq_")} <= known()


def test_panels_that_runbooks_name_are_on_the_dashboard() -> None:
    titles = {panel["title"] for panel in panels()}
    for path in RUNBOOKS.glob("Calsync*.md"):
        text = re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8"))
        named = {" ".join(title.split()) for title in re.findall(r'"([^"]+)"', text)}
        assert named <= titles, path.name


def test_commands_in_runbooks_exist() -> None:
    from typer.main import get_command  # noqa: PLC0415 - only here

    from cli.main import app_for  # noqa: PLC0415 - as above

    commands = get_command(app_for())
    for path in RUNBOOKS.glob("*.md"):
        for words in re.findall(r"`calsync ([a-z-]+(?: [a-z-]+)*)", path.read_text(encoding="utf-8")):
            command: Any = commands
            for word in words.split():
                if hasattr(command, "commands"):
                    assert word in command.commands, f"{path.name}: calsync {words}"
                    command = command.commands[word]


async def test_the_brokers_metrics_are_called_as_in_the_rules_and_the_dashboard(
    service_urls: Urls, request: pytest.FixtureRequest
) -> None:
    where: str = service_urls.rabbitmq_metrics or request.getfixturevalue("own_broker").metrics_url
    families = "/detailed?family=queue_coarse_metrics&family=queue_consumer_count"
    async with httpx.AsyncClient(trust_env=False) as http:
        pages = await asyncio.gather(*(http.get(where + path) for path in ("", families)))
    there = set(re.findall(r"^# TYPE (\w+)", "".join(page.text for page in pages), re.MULTILINE))
    used = metrics_in(ALERTS.read_text(encoding="utf-8")) | metrics_in(DASHBOARD.read_text(encoding="utf-8"))
    assert {name for name in used if name.startswith("rabbitmq_")} <= there


# The dashboard


def panels() -> list[dict[str, Any]]:
    """Return its panels, those in rows included."""
    document = orjson.loads(DASHBOARD.read_bytes())
    return [inner for panel in document["panels"] for inner in (panel, *panel.get("panels", ()))]


def test_every_panel_is_about_metrics_that_exist_and_all_of_ours_are_shown_somewhere() -> None:
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    used = {name for query in queries for name in metrics_in(query)}
    assert {name for name in used if not name.startswith("rabbitmq_")} <= known()
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert {one.name for one in metrics()} - shown - used == set()


def test_queries_of_the_dashboard_are_understood(tmp_path: Path) -> None:
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    plain = [query.replace("$__rate_interval", "5m").replace("$__range", "1h") for query in queries]
    recorded = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(plain)]
    written = tmp_path / "queries.yml"
    written.write_bytes(orjson.dumps({"groups": [{"name": "queries", "rules": recorded}]}))
    assert "SUCCESS" in tool("check", "rules", str(written), folder=tmp_path)


def test_panels_have_ids_of_their_own_a_description_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert all(0 <= x < 24 for x, _ in cells)
        taken |= cells
        assert panel["type"] == "row" or panel["description"]
