"""A run's folder, and what becomes of those whose run was killed."""

# ruff: noqa: S404, S607 - programs of our own

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stack.failures import Unavailable
from stack.kept import await_ready
from stack.native.program import FailedProgram, Program, Recipe, run_to_end
from stack.native.runs import Run, clear_leftovers, new_run
from tests.stack.conftest import Bystander, eventually, processes_in


def test_the_folder_of_a_run_is_gone_when_it_ends(tmp_path: Path) -> None:
    with new_run(tmp_path) as run:
        assert run.folder.is_dir()
    assert not list(tmp_path.iterdir())


def test_a_living_run_is_left_alone(tmp_path: Path) -> None:
    with new_run(tmp_path) as one, sleeper(one.folder) as process:
        one.note(process.pid)
        with new_run(tmp_path) as other:
            assert one.folder.exists()
            assert other.folder != one.folder
        assert process.poll() is None


def test_processes_of_a_killed_run_are_ended_and_its_folder_removed(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    with sleeper(folder) as process:
        Run(folder).note(process.pid)
        clear_leftovers(tmp_path)
        assert process.wait(10) == -9
    assert not folder.exists()


def test_a_process_that_only_has_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    folder.mkdir()
    with sleeper(folder) as process:
        (folder / "processes").write_text(f"{process.pid} 12345\n")
        clear_leftovers(tmp_path)
        assert process.poll() is None
    assert not folder.exists()


def test_a_process_that_works_elsewhere_is_left_alone(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "runs" / "killed", tmp_path / "elsewhere"
    folder.mkdir(parents=True)
    elsewhere.mkdir()
    with sleeper(elsewhere) as process:
        Run(folder).note(process.pid)
        clear_leftovers(folder.parent)
        assert process.poll() is None


def test_a_server_that_ends_while_it_starts_says_why(tmp_path: Path, owner: Bystander) -> None:
    recipe = Recipe("teapot", ["/bin/sh", "-c", "echo out of tea; exit 3"], {}, {}, ready=lambda: False)
    program = Program(recipe, Run(tmp_path))
    program.launch()
    with pytest.raises(Unavailable, match=r"teapot did not start(.|\n)*out of tea"):
        await_ready(program, owner)
    program.kill()


def test_a_shell_that_starts_a_server_ends_with_it(tmp_path: Path, owner: Bystander) -> None:
    script = "sleep 1000 & touch started; wait"
    recipe = Recipe("shell", ["/bin/sh", "-c", script], {}, {}, ready=(tmp_path / "started").exists)
    program = Program(recipe, Run(tmp_path))
    program.launch()
    await_ready(program, owner)
    program.stop()
    assert eventually(lambda: not processes_in(tmp_path))  # what is killed is gone a moment later


def test_a_program_that_fails_is_quoted(tmp_path: Path, owner: Bystander) -> None:
    assert run_to_end(["echo", "fine"], tmp_path, owner) == "fine\n"
    with pytest.raises(FailedProgram, match="no such luck"):
        run_to_end(["/bin/sh", "-c", "echo no such luck; exit 1"], tmp_path, owner)


@contextmanager
def sleeper(folder: Path) -> Generator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"], cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()
