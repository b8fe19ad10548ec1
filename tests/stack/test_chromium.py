"""Where the browser comes from that tries the console."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.failures import Unavailable
from stack.native.chromium import chromium
from tests.stack.test_promtool import Nobody, program


@pytest.mark.parametrize("name", ["chromium", "google-chrome"])
def test_the_machines_own_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program(tmp_path, name)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = chromium(tmp_path, Nobody())
    assert (found.program, found.environment) == (tmp_path / name, {})


def test_a_fetched_one_finds_its_libraries_and_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("apt-get", "dpkg-deb", "dpkg-query"):
        program(tmp_path, tool)
    home = tmp_path / "home"
    (home / "chromium/usr/lib/x86_64-linux-gnu/pulseaudio").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = chromium(home, Nobody())
    assert found.program == home / "chromium/usr/lib/chromium/chromium-headless-shell"
    assert found.environment["LD_LIBRARY_PATH"].endswith("linux-gnu/pulseaudio")
    assert found.environment["FONTCONFIG_PATH"] == f"{home}/chromium/etc/fonts"


def test_without_any_way_to_get_one_it_is_said_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="install Chromium"):
        chromium(tmp_path, Nobody())
