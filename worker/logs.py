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


class Format(StrEnum):
    """How lines look."""

    JSON = "json"
    CONSOLE = "console"


class Said(StrEnum):
    """Every event name there is."""

    STARTED = "worker_started"
    STOPPING = "worker_stopping"
    STOPPED = "worker_stopped"
    AWAY = "system_away"
    BACK = "system_back"
    ITEMS_TAKEN = "items_taken"
    WISH_TAKEN = "wish_taken"
    NOTIFICATION_TAKEN = "notification_taken"
    WOKEN = "wake_executed"
    SWEPT = "due_integrations_woken"
    PARKED = "message_dead_lettered"
    HELD = "message_held"
    FAILED = "message_failed"
    ACK_LOST = "ack_lost"
    KEPT = "dead_letter_kept"


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


def configure(form: Format, level: str) -> None:
    """Configure the process's logs. Libraries' own logs go out from WARNING on, through the same formatter."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any
    if form is Format.JSON:
        renderer = structlog.processors.JSONRenderer(serializer=orjson.dumps)
        factory: Any = structlog.BytesLoggerFactory(sys.stdout.buffer)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        factory = structlog.PrintLoggerFactory(sys.stdout)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s", level=logging.WARNING, stream=sys.stdout)
    # These report every reconnect attempt at length; we say once that the system is away, and once that it is back.
    for name in ("aio_pika", "aiormq", "pymongo", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def logger() -> structlog.stdlib.BoundLogger:
    """Return the logger."""
    log: structlog.stdlib.BoundLogger = structlog.get_logger()
    return log
