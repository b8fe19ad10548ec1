"""Structured logs: constant event names, one line per fact, no secret and no private text."""

from __future__ import annotations

import logging
import re
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

Logger = structlog.typing.FilteringBoundLogger


class Format(StrEnum):
    """How lines look."""

    JSON = "json"
    CONSOLE = "console"


class Level(StrEnum):
    """What is logged: this and what is worse."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


_SECRET_KEYS: Final = re.compile(
    r"token|secret|password|authorization|code$|signature|sealed|summary|description|title"
)
_SECRET_VALUES: Final = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+|(://[^:/@\s]+:)[^@\s]+(@)")


def redact(_logger: object, _name: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide what must not be in a log, by key and by pattern. A net below code that should not log it at all."""
    for key, value in line.items():
        if _SECRET_KEYS.search(key):
            line[key] = "[hidden]"
        elif isinstance(value, str):
            line[key] = _SECRET_VALUES.sub(r"\1\2[hidden]\3", value)
    return line


def configure(form: Format, level: Level) -> None:
    """Configure the process's logs. Libraries' own logs go out from WARNING on."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any
    factory: Any
    if form is Format.JSON:
        renderer = structlog.processors.JSONRenderer(serializer=orjson.dumps)
        factory = structlog.BytesLoggerFactory(sys.stdout.buffer)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        factory = structlog.PrintLoggerFactory(sys.stdout)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s", level=logging.WARNING, stream=sys.stdout)
    # These report every reconnect attempt at length; we say once that the system is away, and once that it is back.
    for name in ("aio_pika", "aiormq", "pymongo", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def logger() -> Logger:
    """Return the logger."""
    log: Logger = structlog.get_logger()
    return log
