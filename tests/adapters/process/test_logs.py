"""The lines that a process writes."""

from __future__ import annotations

import subprocess  # noqa: S404 - ourselves
import sys
from typing import Any

import orjson
import pytest

from stack.native.places import PROJECT

BEGIN = """
import logging, sys, asyncio, warnings
from adapters.process.logs import Format, Level, configure, logger
configure(Format.JSON, Level.INFO, ["the-password-of-all"])
"""


def lines(program: str, code: int = 0) -> list[dict[str, Any]]:
    """Return what a process says that runs a program."""
    command = [sys.executable, "-c", BEGIN + program]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)  # noqa: S603 - as above
    assert (ended.returncode, ended.stderr.decode()) == (code, "")
    return [orjson.loads(line) for line in ended.stdout.splitlines()]


def test_a_line_has_its_name_its_level_and_its_time() -> None:
    (line,) = lines('logger().info("wake_executed", integration_id="int-7", seconds=0.25)')
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "wake_executed", "level": "info", "integration_id": "int-7", "seconds": 0.25}


def test_an_exceptions_words_are_not_shown_its_class_and_places_are() -> None:
    (line,) = lines("""
def handle(): raise ValueError("Dentist, the-password-of-all")
try:
    try: handle()
    except ValueError as error: raise KeyError("Dentist") from error
except KeyError as error:
    logger().error("message_failed", exc_info=error)
""")
    assert "Dentist" not in str(line)
    assert line["error"] == "KeyError ← ValueError"
    assert line["stack"].endswith("in handle")


@pytest.mark.parametrize(
    "program",
    [
        'logging.getLogger("uvicorn.error").error("cannot serve %s", "Dentist")',
        'logging.getLogger("some").warning("first line\\nDentist")',
        """
try: raise ValueError("Dentist")
except ValueError: logging.getLogger("some").exception("it failed")
""",
        """
async def fail(): raise ValueError("Dentist")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
asyncio.run(main())
""",
    ],
)
def test_libraries_speak_in_lines_of_ours_and_fill_nothing_in(program: str) -> None:
    (line,) = lines(program)
    assert line["event"] == "library_said"
    assert "Dentist" not in str(line)
    assert line["said"]


def test_what_ends_the_process_is_a_line_as_well() -> None:
    (line,) = lines('raise ValueError("Dentist")', code=1)
    assert (line["event"], line["level"], line["error"]) == ("process_failed", "critical", "ValueError")
    assert "Dentist" not in str(line)


def test_a_secret_of_the_process_is_hidden_in_every_line() -> None:
    (line,) = lines('logger().info("said", detail="using the-password-of-all today")')
    assert line["detail"] == "using [hidden] today"
