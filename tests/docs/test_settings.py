"""The page of settings is what the models say, and so is the list of names."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli import documents
from cli.settings import NAMES, READERS


def test_the_page_is_not_stale() -> None:
    assert documents.main(["--check"]) is None


def test_a_stale_page_is_noticed_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PAGE", tmp_path / "settings.md")
    assert documents.main(["--check"]) == "Stale, run `python -m cli.documents`:\n  docs/settings.md"
    assert documents.main([]) is None
    assert documents.main(["--check"]) is None


def test_every_setting_is_on_the_page_and_says_what_it_is() -> None:
    page = documents.page()
    for reader in READERS.values():
        for name, field in reader.model_fields.items():
            assert f"| `CALSYNC_{name.upper()}` | " in page
            assert field.description
    assert all(f"CALSYNC_{name.upper()}" in page for name in NAMES)
