"""Where Prometheus' own tool comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.failures import Unavailable
from stack.native.promtool import IMAGE, promtool


class Nobody:
    """Is told nothing and waits for nothing."""

    def tell(self, progress: str) -> None:
        pytest.fail(progress)

    def pause(self, seconds: float) -> None:
        pytest.fail(f"waited for {seconds} s")


def program(folder: Path, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


def test_the_machines_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "promtool")
    program(tmp_path, "docker")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert promtool(tmp_path, Nobody(), []) == [str(tmp_path / "promtool")]


def test_without_it_and_without_apt_it_runs_in_a_container_that_sees_the_files_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "docker")
    monkeypatch.setenv("PATH", str(tmp_path))
    command = promtool(tmp_path, Nobody(), [tmp_path / "rules"])
    assert command[:3] == [str(tmp_path / "docker"), "run", "--rm"]
    assert {f"--volume={tmp_path}/rules:{tmp_path}/rules:ro", "--network=none"} <= set(command)
    assert command[-2:] == ["--entrypoint=promtool", IMAGE]


def test_without_any_way_to_get_it_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="promtool is needed"):
        promtool(tmp_path, Nobody(), [])
