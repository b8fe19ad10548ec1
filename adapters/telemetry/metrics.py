"""Everything that a process counts and times: one place for all names, so that nobody has to guess one.

Only the shell counts; the core knows nothing of it. Counting one event costs about a microsecond. Labels have few,
known values: reason codes, routes as templates, names of parts, and never an id. All workers of one process count
together.
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Generator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from events.failures import Gone, Malformed, MustReconnect, RateLimited, Refused, Stale, System, TokenRejected, TryLater
from events.history import DELAYS

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_QUICK: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WORK: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
_DELAY: Final = DELAYS


@dataclass(frozen=True, slots=True)
class About:
    """What is to be known about a metric, under the name that Prometheus shows."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


_about: list[About] = []


def _counter(name: str, about: str, *labels: str) -> Counter:
    _about.append(About(f"{name}_total", "counter", labels, about))
    return Counter(name, about, labels, registry=REGISTRY)


def _gauge(name: str, about: str, *labels: str) -> Gauge:
    _about.append(About(name, "gauge", labels, about))
    return Gauge(name, about, labels, registry=REGISTRY)


def _histogram(name: str, about: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    _about.append(About(name, "histogram", labels, about))
    return Histogram(name, about, labels, buckets=buckets, registry=REGISTRY)


BUILD: Final = _gauge("calsync_build_info", "Always 1. Which version runs, on which Python.", "version", "python")
BUILD.labels(version("psa-calendar-sync"), platform.python_version()).set(1)

# Messages

RECEIVED: Final = _counter(
    "calsync_messages_received",
    "Messages taken from a queue, redelivered ones included, by part of the worker.",
    "consumer",
)
PROCESSED: Final = _counter(
    "calsync_messages_processed",
    "Messages that were dealt with, by part of the worker and by what came of them.",
    "consumer",
    "outcome",
)
PROCESSING: Final = _histogram(
    "calsync_message_processing_seconds",
    "How long it took to deal with a message, or with a batch where a part takes batches.",
    "consumer",
    buckets=_WORK,
)
EVENT_AGE: Final = _histogram(
    "calsync_event_age_seconds",
    "From the time that an event names as its own to when it was taken. Two clocks: off by their difference.",
    "consumer",
    buckets=_DELAY,
)
PUBLISHED: Final = _counter(
    "calsync_messages_published",
    "Messages published, by exchange and outcome: confirmed, unroutable, or failed (away, full or silent).",
    "exchange",
    "outcome",
)
WAKES: Final = _counter(
    "calsync_wakes",
    "Wake-ups published, by cause.",
    "cause",
)

RELAY_REQUESTS: Final = _counter(
    "calsync_relay_requests",
    "Requests to the relay, by verdict. Anything but `relayed` is sent again by Cronofy for a day.",
    "verdict",
)

# The work

SYNC_DELAY: Final = _histogram(
    "calsync_sync_delay_seconds",
    "From a change on one side (the PSA's or the calendar's own time of it) to its being confirmed on the other, by "
    "direction.",
    "direction",
    buckets=_DELAY,
)
ACTIONS: Final = _counter(
    "calsync_actions",
    "Lines of the sync log: what was done, or deliberately not done, and why.",
    "direction",
    "act",
    "result",
    "reason",
)
RETRIES: Final = _counter(
    "calsync_retries",
    "What was put off to be tried again, by the system that stumbled and by class of failure.",
    "system",
    "failure",
)
DEAD_LETTERS: Final = _counter(
    "calsync_dead_letters",
    "Messages and items set aside for a person, by reason. Source: the queue it came from, or `link` for an item.",
    "source",
    "reason",
)
LEASE_CONFLICTS: Final = _counter(
    "calsync_lease_conflicts",
    "Wake-ups that found another worker busy with the integration. Harmless: that one looks once more.",
)
STALE_DROPS: Final = _counter(
    "calsync_stale_drops",
    "Work that was dropped because its lease was lost or the settings changed meanwhile, by reason.",
    "reason",
)
MISSED_SIGNALS: Final = _counter(
    "calsync_missed_signals",
    "Differences that an audit found and no message had announced, by the cause they are put down to.",
    "cause",
)

# HTTP

HTTP_REQUESTS: Final = _counter(
    "calsync_http_requests",
    "HTTP requests sent, hiccups included. Status: the answer's, or `none` without one.",
    "system",
    "method",
    "route",
    "status",
)
HTTP_SECONDS: Final = _histogram(
    "calsync_http_request_seconds",
    "How long an HTTP request took, its whole answer included.",
    "system",
    "method",
    "route",
    buckets=_WORK,
)
BUDGET_WAITS: Final = _counter(
    "calsync_budget_waits",
    "Times that the allowance of requests to Cronofy did not suffice: waited in place, or postponed to a due time.",
    "lane",
    "outcome",
)

# The process

LOOP_LAG: Final = _histogram(
    "calsync_event_loop_lag_seconds",
    "How much later than asked the event loop woke the heartbeat.",
    buckets=_QUICK,
)

ALL: Final = tuple(_about)
"""All of the above, for the documents."""


def exposition() -> bytes:
    """Return it all as Prometheus reads it."""
    return generate_latest(REGISTRY)


def failure_class(error: BaseException) -> str:
    """Name a failure by what must happen next, as the metrics do."""
    match error:
        case RateLimited():
            return "rate"
        case TryLater():
            return "transient"
        case MustReconnect() | TokenRejected():
            return "reconnect"
        case Refused():
            return "permission"
        case Gone():
            return "gone"
        case Stale():
            return "stale"
        case Malformed():
            return "poison"
        case _:
            return "bug"


def retried(error: BaseException) -> None:
    """Count that something is put off because of a failure."""
    system = error.system.value if isinstance(error, TryLater) else "none"
    RETRIES.labels(system, failure_class(error)).inc()


class Request:
    """An HTTP request that is under way. `status`: the answer's, once there is one."""

    __slots__ = ("status",)

    def __init__(self) -> None:
        self.status = 0


@contextlib.contextmanager
def request(system: System, method: str, route: str) -> Generator[Request, None, None]:
    """Count and time one HTTP request. `route`: a template such as `/v1/channels/{id}`."""
    sent, began = Request(), time.perf_counter()
    try:
        yield sent
    finally:
        HTTP_SECONDS.labels(system.value, method, route).observe(time.perf_counter() - began)
        HTTP_REQUESTS.labels(system.value, method, route, str(sent.status) if sent.status else "none").inc()
