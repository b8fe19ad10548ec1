"""Settings, read from the environment once and checked before anything is opened.

Every setting is `CALSYNC_<NAME>`. Secrets may instead be in a file named by `CALSYNC_<NAME>_FILE`.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from adapters.mongodb.driver import Driver
from events.failures import Misconfigured
from events.lanes import Allowance
from events.reasons import Reason
from worker.logs import Format

PREFIX: Final = "CALSYNC_"


class Level(StrEnum):
    """What is logged: this and what is worse."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def _split(value: Any) -> Any:  # noqa: ANN401 - what the environment holds
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]


class Infrastructure(BaseSettings):
    """What every command needs that touches the broker or the store."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    rabbitmq_url: SecretStr
    """`amqp://` or `amqps://user:password@host:port/vhost`."""
    mongodb_url: SecretStr
    """`mongodb://` or `mongodb+srv://`. A replica set or a sharded cluster."""
    mongodb_database: str = Field(default="calsync", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")
    mongodb_driver: Driver = Driver.MOTOR
    """`motor`, or `pymongo` for PyMongo's own asynchronous client."""
    log_format: Format = Format.JSON
    """`json`, or `console` for people."""
    log_level: Level = Level.INFO

    @classmethod
    def load(cls) -> Self:
        """Read the settings. Raises `Misconfigured` with one message that names everything wrong or missing."""
        try:
            return cls(**_from_files(cls))
        except ValidationError as error:
            problems = [f"{PREFIX}{str(p['loc'][0]).upper()}: {_words(p['type'], p['msg'])}" for p in error.errors()]
            raise Misconfigured(Reason.BAD_SETTINGS, "; ".join(problems)) from None

    def shown(self) -> dict[str, str]:
        """Return the effective settings, fit to be shown: without secrets."""
        return {f"{PREFIX}{name.upper()}": _shown(getattr(self, name)) for name in type(self).model_fields}


class Settings(Infrastructure):
    """Everything that can be set for a worker. What has no default must be."""

    cronofy_api_url: str = Field(pattern=r"^https?://")
    """Such as `https://api.cronofy.com`; each data centre has its own."""
    cronofy_client_id: str = Field(min_length=1)
    cronofy_client_secrets: Secrets
    """Comma-separated, the newest first; notifications signed with any of them are accepted."""
    cronofy_callback_url: str = Field(pattern=r"^https?://")
    """Where the relay listens, as Cronofy sees it."""
    cronofy_requests_per_second: int = Field(default=50, ge=1)
    cronofy_requests_per_minute: int = Field(default=500, ge=2)

    psa_api_url: str = Field(pattern=r"^https?://")
    psa_client_id: str = Field(min_length=1)
    psa_client_secret: SecretStr

    encryption_keys: Secrets
    """Comma-separated Fernet keys, the newest first. `calsync keys new` makes one."""

    sweep_seconds: float = Field(default=1.0, gt=0, le=60)
    """How often to look for what is due."""
    integrations_at_once: int = Field(default=16, ge=1, le=500)
    """How many integrations one process works on at the same time."""
    log_keep_days: int = Field(default=90, ge=1)
    """How long entries of the sync log are kept."""
    stop_seconds: float = Field(default=45.0, gt=0)
    """How long to go on with what is under way after SIGTERM."""

    @property
    def allowance(self) -> Allowance:
        """What may be asked of Cronofy."""
        return Allowance(self.cronofy_requests_per_second, self.cronofy_requests_per_minute)


def _from_files(settings: type[BaseSettings]) -> dict[str, Any]:
    """Return the settings whose value is in a file."""
    values: dict[str, Any] = {}
    for name in settings.model_fields:
        path = os.environ.get(f"{PREFIX}{name.upper()}_FILE")  # noqa: TID251 - the place where settings are read
        if path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                problem = f"{PREFIX}{name.upper()}_FILE: cannot be read: {error.strerror}"
                raise Misconfigured(Reason.BAD_SETTINGS, problem) from error
    return values


def _words(kind: str, message: str) -> str:
    return "is missing" if kind == "missing" else message.removeprefix("Value error, ")


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "[hidden]"
    if isinstance(value, tuple):
        return "[hidden]"
    return str(value)
