"""Pages that are written by the program are not stale, and a stale one is noticed."""

from __future__ import annotations

from pathlib import Path

from cli import documents
from cli.pages import metrics


def test_no_page_is_stale() -> None:
    assert documents.main(["--check"]) is None


def test_a_stale_page_is_noticed_and_written_anew(tmp_path: Path) -> None:
    assert documents.main([], tmp_path) is None
    assert documents.main(["--check"], tmp_path) is None
    (tmp_path / "settings.md").write_text("something else")
    assert documents.main(["--check"], tmp_path) == "Stale, run `python -m cli.documents`:\n  docs/settings.md"
    assert documents.main([], tmp_path) is None
    assert documents.main(["--check"], tmp_path) is None


def test_every_label_is_explained_and_none_that_is_not_there() -> None:
    assert {label for metric in metrics.metrics() for label in metric.labels} == set(metrics.LABELS)
