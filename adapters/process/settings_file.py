"""The settings file: TOML, one `name = value` for each setting, the name without prefix and in small letters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from events.failures import Misconfigured
from events.reasons import Reason


def read_settings_file(path: Path) -> Mapping[str, object]:
    """Return what the file says. Raises `Misconfigured` if it cannot be read, or is no such file."""
    try:
        said: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(Reason.BAD_SETTINGS, f"{path} cannot be read ({type(error).__name__})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # Its words name the line and never quote it: there are secrets in it.
        raise Misconfigured(Reason.BAD_SETTINGS, f"{path} is no TOML: {_words(error)}") from None
    tables = [name for name, value in said.items() if isinstance(value, dict)]
    if tables:
        raise Misconfigured(Reason.BAD_SETTINGS, f"{path} has no use for tables such as [{tables[0]}]")
    return said


def _words(error: ValueError) -> str:
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "not in UTF-8"
