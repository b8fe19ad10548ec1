"""Settings, read from the environment once and checked before anything is opened.

Every setting is `CALSYNC_<NAME>`. A secret may instead be in a file named by `CALSYNC_<NAME>_FILE`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters.process.logs import Format, Level
from events.failures import Misconfigured
from events.reasons import Reason

PREFIX: Final = "CALSYNC_"


def _split(value: Any) -> Any:  # noqa: ANN401 - what the environment holds
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
"""Comma-separated."""


class FromEnvironment(BaseSettings):
    """What can be set for a part of the product. What has no default must be."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, use_attribute_docstrings=True)

    log_format: Format = Format.JSON
    """`json`, or `console` for people."""
    log_level: Level = Level.INFO
    """What is logged: this and what is worse."""

    @classmethod
    def load(cls) -> Self:
        """Read the settings. Raises `Misconfigured` with one message that names everything wrong or missing."""
        values, problems = _from_files(cls)
        try:
            settings = cls(**values)
        except ValidationError as error:
            wrong = [f"{_variable(str(p['loc'][0]))}: {_words(p['type'], p['msg'])}" for p in error.errors()]
            raise Misconfigured(Reason.BAD_SETTINGS, "; ".join([*problems, *wrong])) from None
        if problems:
            raise Misconfigured(Reason.BAD_SETTINGS, "; ".join(problems))
        return settings

    def shown(self) -> dict[str, str]:
        """Return the effective settings, fit to be shown: without secrets."""
        return {_variable(name): _shown(getattr(self, name)) for name in type(self).model_fields}


def plain(secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
    """Take secrets out of their wrapping, for whoever needs them."""
    return tuple(secret.get_secret_value() for secret in secrets)


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _from_files(settings: type[BaseSettings]) -> tuple[dict[str, Any], list[str]]:
    """Return the settings whose value is in a file, and what is wrong with the files."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in settings.model_fields:
        variable = f"{_variable(name)}_FILE"
        path = os.environ.get(variable)  # noqa: TID251 - the place where settings are read
        if path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{variable}: {path} cannot be read ({type(error).__name__})")
    return values, problems


def _words(kind: str, message: str) -> str:
    return "is missing" if kind == "missing" else message.removeprefix("Value error, ")


def _shown(value: object) -> str:
    return "[hidden]" if isinstance(value, SecretStr | tuple) else str(value)
