"""Structured logs: constant event names, one line per fact, no secret and no private text."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
import structlog
from typing_extensions import override

from adapters.process.redaction import Redactor
from events.traces import trace_of

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


LIBRARY: Final = "library_said"
FAILED: Final = "process_failed"
_LONGEST: Final = 200


def where_it_failed(_logger: object, _name: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Put an exception's class and its places into a line, in place of its words: they may quote anything."""
    given: Any = line.pop("exc_info", None)
    if isinstance(given, tuple):
        given = cast("tuple[object, ...]", given)[1]
    error = sys.exc_info()[1] if given is True else given
    if isinstance(error, BaseException):
        trace = trace_of(error)
        line.update({"error": trace.error, "stack": trace.stack} | ({"call": trace.call} if trace.call else {}))
    return line


def configure(form: Format, level: Level, secrets: Iterable[str] = ()) -> None:
    """Configure the process's logs. Libraries' own go out from WARNING on. `secrets` are hidden wherever they turn up.

    What ends the process is its last line, in the same form.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        where_it_failed,
        Redactor(secrets),
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
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    logging.captureWarnings(capture=True)
    # These report every reconnect attempt at length; we say once that the system is away, and once that it is back.
    for name in ("aio_pika", "aiormq", "pymongo", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    sys.excepthook = _last_words


class _Libraries(logging.Handler):
    """Logs what libraries say as lines of ours: the constant beginning only. What they fill in may be private."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        said = str(record.msg).partition("\n")[0][:_LONGEST]
        logger().log(record.levelno, LIBRARY, logger=record.name, said=said, exc_info=record.exc_info)


def _last_words(_kind: type[BaseException], error: BaseException, _where: TracebackType | None) -> None:
    logger().critical(FAILED, exc_info=error)


def logger() -> Logger:
    """Return the logger."""
    log: Logger = structlog.get_logger()
    return log
