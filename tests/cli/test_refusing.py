"""Wrong words, wrong settings, absent systems: one message that says what is wrong, and exit code 2."""

from __future__ import annotations

import subprocess  # noqa: S404 - to type it as others do
import sys
from pathlib import Path

import pytest
import typer
from cryptography.fernet import Fernet

from cli.main import app_for
from stack.native.places import PROJECT
from tests.cli.conftest import SECRET, WHOLE, Calsync

APPOINTMENT = str(PROJECT / "examples/psa.events/appointment.json")


def commands() -> list[tuple[str, ...]]:
    """Return every command there is, as it is typed."""
    root = typer.main.get_command(app_for())
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], object]] = [((), root)]
    while waiting:
        words, command = waiting.pop()
        found.append(words)
        below: dict[str, object] = getattr(command, "commands", {})
        waiting += [((*words, name), one) for name, one in below.items()]
    return sorted(found)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_says_what_it_does(calsync: Calsync, words: tuple[str, ...]) -> None:
    told = calsync(*words, "--help")
    assert (told.code, told.err) == (0, "")
    assert " ".join(("Usage: calsync", *words)) in " ".join(told.out.split())
    assert "--help" in told.out


@pytest.mark.parametrize(
    "words", [("dance",), ("worker", "--dance"), ("log", "--limit", "0"), ("config", "check", "x")]
)
def test_words_that_mean_nothing_are_refused(calsync: Calsync, words: tuple[str, ...]) -> None:
    told = calsync(*words)
    assert told.code == 2
    assert told.err


BIG = "99999999999999999999"


@pytest.mark.parametrize(
    "words",
    [
        ("log", "--tenant", BIG),
        ("conflicts", "list", "--tenant", BIG),
        ("integrations", "list", "--tenant", BIG),
        ("integrations", "list", "--user", BIG),
        ("integrations", "recheck", "--tenant", BIG),
        ("brakes", "list", "--tenant", BIG),
        ("dead-letters", "list", "--tenant", BIG),
        ("dead-letters", "groups", "--tenant", BIG),
        ("dead-letters", "list", "--newer", "999999d"),
        ("dead-letters", "discard", "--older", "999999d", "--why", "x"),
        ("dead-letters", "replay", "--all", "--stop-after-failures", BIG),
        ("explain", "appointment/5", "--tenant", BIG),
        ("tenants", "show", BIG),
        ("tenants", "set", BIG, "remove_when_done=true"),
        ("users", "export", "1", BIG),
        ("users", "erase", str(2**31), "1"),
        ("relay", "--port", "65536"),
        ("sandbox", "--psa-port", "-1"),
        ("dead-letters", "show", "\udcff"),
        ("integrations", "show", "\udcff"),
        ("log", "--after", "x\udc80"),
        ("runs", "show", "\udcff"),
    ],
    ids=repr,
)
def test_numbers_and_texts_that_nothing_can_have_are_refused_before_anything_is_asked(
    calsync: Calsync, words: tuple[str, ...]
) -> None:
    told = calsync(*words, **WHOLE)
    assert (told.code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    assert "is away" not in told.err


# Settings


def test_settings_are_shown_without_secrets(calsync: Calsync) -> None:
    told = calsync("config", "check", **WHOLE)
    assert (told.code, told.err) == (0, "")
    assert "CALSYNC_CRONOFY_CLIENT_ID=the-client\n" in told.out
    assert "CALSYNC_SWEEP_SECONDS=" in told.out, "what was not said has its default"
    assert SECRET not in told.out
    assert WHOLE["CALSYNC_ENCRYPTION_KEYS"] not in told.out
    for name in WHOLE:
        assert f"{name}=" in told.out


def test_every_setting_that_is_missing_is_named_at_once(calsync: Calsync) -> None:
    told = calsync("config", "check")
    assert (told.code, told.out) == (2, "")
    for name in WHOLE:
        assert f"{name}: is missing" in told.err
    assert len(told.err.splitlines()) == 1


WRONG = [
    ("CALSYNC_CRONOFY_API_URL", "api.cronofy.com"),
    ("CALSYNC_CRONOFY_REQUESTS_PER_SECOND", "many"),
    ("CALSYNC_ENCRYPTION_KEYS", ""),
    ("CALSYNC_INTEGRATIONS_AT_ONCE", "0"),
    ("CALSYNC_LOG_LEVEL", "LOUD"),
    ("CALSYNC_MONGODB_DATABASE", "a b"),
    ("CALSYNC_MONGODB_DRIVER", "mongoose"),
    ("CALSYNC_PSA_CLIENT_SECRET_FILE", "/nowhere/secret"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[name for name, _ in WRONG])
def test_a_setting_that_is_wrong_is_named(calsync: Calsync, name: str, value: str) -> None:
    told = calsync("config", "check", **{**WHOLE, name: value})
    assert (told.code, told.out) == (2, "")
    assert name in told.err
    assert SECRET not in told.err


def test_everything_that_is_wrong_is_named_at_once(calsync: Calsync) -> None:
    told = calsync("config", "check", **{**WHOLE, **dict(WRONG)})
    assert told.code == 2
    for name, _ in WRONG:
        assert name in told.err


def test_a_key_that_is_none_is_refused_with_a_hint(calsync: Calsync) -> None:
    told = calsync("config", "check", **{**WHOLE, "CALSYNC_ENCRYPTION_KEYS": SECRET})
    assert told.code == 2
    assert "calsync keys new" in told.err
    assert SECRET not in told.err


NEED_SETTINGS = [
    (("worker",), "CALSYNC_PSA_API_URL"),
    (("relay", "--port", "0"), "CALSYNC_CRONOFY_CLIENT_SECRETS"),
    (("sandbox", "--cronofy-port", "0", "--psa-port", "0"), "CALSYNC_RABBITMQ_URL"),
    (("topology", "check"), "CALSYNC_MONGODB_URL"),
    (("topology", "apply"), "CALSYNC_RABBITMQ_URL"),
    (("integrations", "list"), "CALSYNC_MONGODB_URL"),
    (("integrations", "show", "int-1"), "CALSYNC_MONGODB_URL"),
    (("log",), "CALSYNC_MONGODB_URL"),
    (("publish", APPOINTMENT), "CALSYNC_RABBITMQ_URL"),
]


@pytest.mark.parametrize(("words", "name"), NEED_SETTINGS, ids=[" ".join(words[:2]) for words, _ in NEED_SETTINGS])
def test_without_settings_nothing_is_begun(calsync: Calsync, words: tuple[str, ...], name: str) -> None:
    told = calsync(*words)
    assert (told.code, told.out) == (2, "")
    assert f"{name}: is missing" in told.err


def test_parts_that_do_not_exist_are_named_with_those_that_do(calsync: Calsync) -> None:
    told = calsync("worker", "--only", "psa-items,dance", **WHOLE)
    assert told.code == 2
    assert "dance" in told.err
    assert "notifications" in told.err


@pytest.mark.parametrize(
    ("words", "system"),
    [
        (("topology", "check"), "rabbitmq"),
        (("topology", "apply"), "rabbitmq"),
        (("publish", APPOINTMENT), "rabbitmq"),
        (("integrations", "list"), "mongodb"),
        (("integrations", "show", "int-1"), "mongodb"),
        (("log",), "mongodb"),
    ],
    ids=str,
)
def test_a_system_that_is_away_is_named(calsync: Calsync, words: tuple[str, ...], system: str) -> None:
    told = calsync(*words, **WHOLE)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"{system} is away: ")
    assert len(told.err.splitlines()) == 1
    assert SECRET not in told.err


def test_what_is_published_must_be_there_and_keep_its_contract(calsync: Calsync, tmp_path: Path) -> None:
    told = calsync("publish", str(tmp_path / "nothing.json"), **WHOLE)
    assert (told.code, "nothing.json" in told.err) == (2, True)
    (tmp_path / "bad.json").write_text('{"type": "psa.integration.dance.v1", "title": "s3cr3t"}', encoding="utf-8")
    told = calsync("publish", APPOINTMENT, str(tmp_path / "bad.json"), **WHOLE)
    assert (told.code, told.out) == (2, "")
    assert "psa.integration.dance.v1" in told.err
    assert "s3cr3t" not in told.err


# Keys


def test_a_key_is_new_each_time_and_good_for_sealing(calsync: Calsync) -> None:
    keys = [calsync("keys", "new").out.strip() for _ in range(2)]
    assert keys[0] != keys[1]
    for key in keys:
        Fernet(key)


# As a process


def test_a_process_ends_with_the_same_code_and_no_traceback() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "worker"], cwd=PROJECT, env={}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "CALSYNC_ENCRYPTION_KEYS: is missing" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not ended.stdout
