"""The page of settings is what the models say, and so is the list of names."""

from __future__ import annotations

from cli.pages.settings import page as page_of_settings
from cli.settings import NAMES, READERS


def test_every_setting_is_on_the_page_and_says_what_it_is() -> None:
    page = page_of_settings()
    for reader in READERS.values():
        for name, field in reader.model_fields.items():
            assert f"| `CALSYNC_{name.upper()}` | " in page
            assert field.description
    assert all(f"CALSYNC_{name.upper()}" in page for name in NAMES)
