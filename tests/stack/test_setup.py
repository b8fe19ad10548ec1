"""What `make demo` and `make test` do before anything is installed."""

# ruff: noqa: S404, S603 - programs of our own

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from stack.native.places import PROJECT

PYTHON = """\
#!/bin/sh
# Stands in for the environment's Python: pip always works, or never.
case "$*" in *ensurepip*|*"import pip"*) exit 0;; esac
echo "$*" >> {log}
exit {code}
"""


@pytest.fixture
def setup() -> ModuleType:
    specification = importlib.util.spec_from_file_location("setup", PROJECT / "requirements" / "install.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose environment is there."""
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "run.txt").write_text("one==1")
    python(tmp_path, works=True)
    return tmp_path


def python(project: Path, *, works: bool) -> None:
    program = project / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(PYTHON.format(log=project / "log", code=0 if works else 1))
    program.chmod(0o755)


def asked_of_pip(project: Path) -> list[str]:
    log = project / "log"
    return log.read_text().splitlines() if log.exists() else []


def test_a_second_run_installs_nothing(setup: ModuleType, project: Path) -> None:
    setup.install(project, [project / "run.txt"])
    first = asked_of_pip(project)
    setup.install(project, [project / "run.txt"])
    assert asked_of_pip(project) == first
    assert "--require-hashes" in first[0]
    assert f"--editable={project}" in first[1]


@pytest.mark.parametrize("changed", ["run.txt", "pyproject.toml"])
def test_what_has_changed_is_installed(changed: str, setup: ModuleType, project: Path) -> None:
    setup.install(project, [project / "run.txt"])
    before = len(asked_of_pip(project))
    (project / changed).write_text("something else")
    setup.install(project, [project / "run.txt"])
    assert len(asked_of_pip(project)) == 2 * before


def test_an_installation_that_did_not_finish_begins_anew_in_a_new_environment(
    setup: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def created(environment: Path) -> None:
        shutil.rmtree(environment)
        python(project, works=True)

    monkeypatch.setattr(setup, "bare", created)
    python(project, works=False)
    with pytest.raises(setup.Impossible):
        setup.install(project, [project / "run.txt"])
    (project / ".venv" / "half-installed").touch()
    setup.install(project, [project / "run.txt"])
    assert {path.name for path in (project / ".venv").iterdir()} == {"bin", "installed-run"}


def test_a_python_that_is_too_old_is_told_in_one_sentence(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "OLDEST", (9, 9))
    with pytest.raises(setup.Impossible, match=r"^Python 9.9 or later is needed; this is 3\.\d+\.\d+\.$"):
        setup.create(tmp_path, tmp_path / "broken")


@pytest.mark.parametrize("goal", ["demo", "test"])
def test_without_python_one_sentence_says_so(goal: str, tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    command = [make, "--no-print-directory", "-f", str(PROJECT / "Makefile"), goal]
    ended = subprocess.run(command, cwd=tmp_path, env={"PATH": ""}, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[0] == "Python 3.11 or later is needed, and none was found."


@pytest.mark.parametrize("lock", ["run", "dev", "build", "stack", "native"])
def test_every_requirement_is_pinned_with_its_hashes_and_names_no_index(lock: str) -> None:
    lines = (PROJECT / "requirements" / f"{lock}.txt").read_text().splitlines()
    assert all("==" in line or line.startswith("    --hash=sha256:") for line in lines)
    assert not any("//" in line for line in lines)


def test_what_runs_is_what_was_tested() -> None:
    tested = pinned("dev")
    for lock in ("run", "stack"):
        assert pinned(lock) <= tested


def pinned(lock: str) -> set[str]:
    lines = (PROJECT / "requirements" / f"{lock}.txt").read_text().splitlines()
    return {line.partition(" ")[0] for line in lines if not line.startswith(" ")}
