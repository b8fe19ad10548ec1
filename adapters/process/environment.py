"""Settings, read once and checked before anything is opened.

Every setting is `CALSYNC_<NAME>`. A secret may instead be in a file named by `CALSYNC_<NAME>_FILE`. What the
environment does not say, the settings file says (see `adapters.process.settings_file`). An empty variable says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self, cast
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters.process.logs import Format, Level
from adapters.process.settings_file import read_settings_file
from events.failures import Misconfigured
from events.reasons import Reason

PREFIX: Final = "CALSYNC_"
SETTINGS_FILE: Final = f"{PREFIX}SETTINGS_FILE"
"""Names the settings file, if there is one."""


def _split(value: Any) -> Any:  # noqa: ANN401 - what the environment holds
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


AnySecrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
"""Comma-separated, perhaps none; in a settings file a list as well."""
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
"""Comma-separated; in a settings file a list as well."""


class FromEnvironment(BaseSettings):
    """What can be set for a part of the product. What has no default must be."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )

    log_format: Format = Format.JSON
    """`json`, or `console` for people."""
    log_level: Level = Level.INFO
    """What is logged: this and what is worse."""
    allow_plaintext: bool = False
    """Whether to speak to other machines without TLS. Only where the network itself keeps others out."""

    @classmethod
    def load(cls) -> Self:
        """Read the settings. Raises `Misconfigured` with one message that names everything wrong or missing."""
        values, problems = _collected(cls)
        try:
            settings = cls(**values)
        except ValidationError as error:
            wrong = [f"{variable(str(p['loc'][0]))}: {_words(p['type'], p['msg'])}" for p in error.errors()]
            raise Misconfigured(Reason.BAD_SETTINGS, "; ".join([*problems, *wrong])) from None
        if problems:
            raise Misconfigured(Reason.BAD_SETTINGS, "; ".join(problems))
        return settings

    def secrets(self) -> list[str]:
        """Return everything that is secret about the settings, so that it can be hidden. Of addresses the password."""
        found: list[object] = []
        for name in type(self).model_fields:
            value: object = getattr(self, name)
            found += cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        secrets = [secret.get_secret_value() for secret in found if isinstance(secret, SecretStr)]
        return [_password(secret) if "://" in secret else secret for secret in secrets]

    def shown(self) -> dict[str, str]:
        """Return the effective settings, fit to be shown: without secrets."""
        return {variable(name): _shown(getattr(self, name)) for name in type(self).model_fields}


def plain(secrets: tuple[SecretStr, ...]) -> tuple[str, ...]:
    """Take secrets out of their wrapping, for whoever needs them."""
    return tuple(secret.get_secret_value() for secret in secrets)


def variable(name: str) -> str:
    """Return the variable that sets what is called `name`."""
    return f"{PREFIX}{name.upper()}"


def given() -> dict[str, str]:
    """Return the variables of ours that say something."""
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX) and value}  # noqa: TID251 - the place where settings are read


def name_settings_file(path: Path) -> None:
    """Name the settings file, for this process and those that it starts."""
    os.environ[SETTINGS_FILE] = str(path)  # noqa: TID251 - as above


def in_settings_file() -> Mapping[str, object]:
    """Return what the settings file says, if there is one. Raises `Misconfigured` if it cannot be read."""
    path = given().get(SETTINGS_FILE)
    return read_settings_file(Path(path)) if path else {}


def _collected(settings: type[BaseSettings]) -> tuple[dict[str, Any], list[str]]:
    """Return what is not simply a variable: it is in a file, or in the settings file. And what is wrong with these."""
    ours, filed = given(), in_settings_file()
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name in settings.model_fields:
        here, there = variable(name), f"{variable(name)}_FILE"
        if here in ours and there in ours:
            problems.append(f"{here} and {there} contradict each other: set one of them")
        elif there in ours:
            values[name] = _content(Path(ours[there]), there, problems)
        elif here not in ours and name in filed:
            values[name] = filed[name]
        elif here not in ours and f"{name}_file" in filed:
            values[name] = _content(Path(str(filed[f"{name}_file"])), f"{name}_file", problems)
    return values, problems


def _content(path: Path, named_by: str, problems: list[str]) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{named_by}: {path} cannot be read ({type(error).__name__})")
        return ""


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _words(kind: str, message: str) -> str:
    return "is missing" if kind == "missing" else message.removeprefix("Value error, ")


def _shown(value: object) -> str:
    match value:
        case SecretStr() | tuple():
            return "[hidden]"
        case None:
            return ""
        case _:
            return str(value)
