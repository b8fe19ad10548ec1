"""Settings: where they may stand, who goes before whom, and what is said of those that are wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from adapters.process.environment import FromEnvironment, Secrets, name_settings_file, plain
from adapters.process.strays import strays
from events.failures import Misconfigured

pytestmark = pytest.mark.usefixtures("nothing_is_set")


class Example(FromEnvironment):
    """What can be set for an example."""

    name: str = Field(min_length=2)
    """What it is called."""
    password: SecretStr = SecretStr("none")
    """What it signs in with."""
    keys: Secrets = (SecretStr("one"),)
    """What it opens."""
    count: int = 3
    """How many."""


@pytest.fixture
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALSYNC_")]:  # noqa: TID251 - to take it away
        monkeypatch.delenv(name)
    monkeypatch.setenv("CALSYNC_SETTINGS_FILE", "")  # so that what a test names is forgotten after it


def settings_file(folder: Path, text: str) -> None:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    name_settings_file(path)


def test_what_the_environment_says_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_NAME", "one")
    monkeypatch.setenv("CALSYNC_KEYS", " new , old ,")
    settings = Example.load()
    assert (settings.name, plain(settings.keys), settings.count) == ("one", ("new", "old"), 3)


def test_a_secret_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush\n")
    monkeypatch.setenv("CALSYNC_NAME", "one")
    monkeypatch.setenv("CALSYNC_PASSWORD_FILE", str(tmp_path / "password"))
    assert Example.load().password.get_secret_value() == "hush"


def test_whoever_sets_a_variable_and_its_file_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_NAME", "one")
    monkeypatch.setenv("CALSYNC_NAME_FILE", "/nonexistent")
    with pytest.raises(Misconfigured, match="CALSYNC_NAME and CALSYNC_NAME_FILE contradict each other"):
        Example.load()


def test_what_the_environment_does_not_say_the_settings_file_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("hush")
    settings_file(
        tmp_path, f'name = "filed"\ncount = 5\nkeys = ["a", "b"]\npassword_file = "{tmp_path / "password"}"\n'
    )
    monkeypatch.setenv("CALSYNC_COUNT", "7")
    settings = Example.load()
    assert (settings.name, settings.count, plain(settings.keys)) == ("filed", 7, ("a", "b"))
    assert settings.password.get_secret_value() == "hush"


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings_file(tmp_path, 'name = "filed"\n')
    monkeypatch.setenv("CALSYNC_NAME", "")
    assert Example.load().name == "filed"


def test_everything_wrong_is_said_at_once_and_no_secret_is_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_bytes(b"\xff")
    monkeypatch.setenv("CALSYNC_KEYS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("CALSYNC_COUNT", "hush")
    with pytest.raises(Misconfigured) as told:
        Example.load()
    for words in ("CALSYNC_NAME: is missing", "CALSYNC_COUNT: ", "CALSYNC_KEYS_FILE: ", "cannot be read (Unicode"):
        assert words in told.value.detail
    assert "hush" not in told.value.detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'name = "hush', "is no TOML: "),
        (b"name = '\xff'", "is no TOML: not in UTF-8"),
        (b'[worker]\nname = "hush"', r"has no use for tables such as \[worker\]"),
    ],
)
def test_a_settings_file_that_is_none_is_named_and_not_quoted(text: bytes, words: str, tmp_path: Path) -> None:
    settings_file(tmp_path, "")
    (tmp_path / "settings.toml").write_bytes(text)
    with pytest.raises(Misconfigured, match=f"settings.toml {words}") as told:
        Example.load()
    assert "hush" not in told.value.detail


def test_a_settings_file_that_is_not_there_is_named() -> None:
    name_settings_file(Path("/nonexistent/settings.toml"))
    with pytest.raises(Misconfigured, match=r"/nonexistent/settings.toml cannot be read"):
        Example.load()


def test_what_is_shown_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALSYNC_NAME", "one")
    monkeypatch.setenv("CALSYNC_PASSWORD", "hush")
    shown = Example.load().shown()
    assert shown["CALSYNC_NAME"] == "one"
    assert {shown["CALSYNC_PASSWORD"], shown["CALSYNC_KEYS"]} == {"[hidden]"}


def test_a_slip_of_the_pen_is_named_with_what_was_probably_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings_file(tmp_path, 'nane = "one"\n')
    monkeypatch.setenv("CALSYNC_PASWORD_FILE", "x")
    monkeypatch.setenv("CALSYNC_COUNT", "1")
    monkeypatch.setenv("CALSYNC_SOMETHING_ELSE", "x")
    assert strays(Example.model_fields) == [
        "CALSYNC_PASWORD_FILE is not a setting and does nothing; was CALSYNC_PASSWORD_FILE meant?",
        "CALSYNC_SOMETHING_ELSE is not a setting and does nothing.",
        "CALSYNC_NANE is not a setting and does nothing; was CALSYNC_NAME meant?",
    ]
