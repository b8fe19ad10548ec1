"""The page of metrics, from where they are defined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.telemetry.metrics import ALL
from worker.ops.sampling import SAMPLED, Family
from worker.ops.server import LIVE
from worker.parts import Part

_HEAD: Final = """# Metrics

Written by `python -m cli.documents` from where they are defined; a check fails when this page is stale.

Every worker serves them at `/metrics` of its own server, and the relay at its only one. Beside them stand those of the
process itself (`process_…`: memory, processor time, open files). The broker's own figures, such as the length of a
queue, come from RabbitMQ's Prometheus plugin. A histogram has `_bucket`, `_sum` and `_count`.

"""
LABELS: Final = {
    "version": "The program's version.",
    "python": "Python's version.",
    "consumer": f"Part of the worker: {', '.join(f'`{part}`' for part in Part)}.",
    "outcome": (
        "Of messages: `done`; `nobody` (concerns no integration); `old` (nothing new); `dead_lettered`; of a wake-up "
        "`rested`, `waiting` (due again later), `calendar_on_hold` and `psa_on_hold` (left alone after an outage), "
        "`gave_way`, `busy` (another worker has the lease) or a reason code. Of what is "
        "published: `confirmed`, `unroutable`, `failed`. Of a wait for the allowance: `waited`, `postponed`."
    ),
    "exchange": "The exchange that was published to.",
    "verdict": "What the relay answered: `relayed`, `unsigned`, `forged`, `too_large`, `later` (no broker).",
    "cause": "Why a wake-up was sent; of a missed signal, what it is put down to.",
    "direction": "`to_calendar`, `from_calendar`, `none`.",
    "act": "As in the sync log: `create`, `update`, `delete`, `confirm`, `skip`, `reject` and so on.",
    "result": "As in the sync log: `accepted`, `done`, `retrying`, `failed`, `conflict`, `skipped`.",
    "reason": "A reason code; `events/reasons.py` has a sentence for each.",
    "system": "`cronofy`, `psa`, `mongodb`, `rabbitmq`; `none` if it was none of them.",
    "failure": (
        "What must happen next: `transient`, `rate`, `reconnect`, `permission`, `gone`, `stale`, `poison`; `bug` if "
        "nobody foresaw it."
    ),
    "source": "The queue that a message came from; `link` for an item.",
    "method": "The HTTP method.",
    "route": "The address as a template, such as `/v1/channels/{id}`.",
    "status": "Of an HTTP answer: its code, or `none` without one. Of an integration: `connected`, `not_connected`.",
    "active": "`true` unless the user switched the integration off.",
    "lane": "For whom a request is sent, from the most urgent: `real_time`, `asked`, `backfill`, `audit`.",
    "sample": "A kind of figures: `waiting`, `integrations`, `dead_letters`, `held_back`, `budget`.",
}
"""What each label means, whichever metric has it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What is said of one."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def counted() -> list[Metric]:
    """Return those that a process counts for itself."""
    return [Metric(one.name, one.kind, one.labels, one.help) for one in ALL]


def _looked_up(families: tuple[Family, ...]) -> list[Metric]:
    return [Metric(one.name, "gauge", one.labels, one.help) for one in families]


def metrics() -> list[Metric]:
    """Return all of them."""
    return [*counted(), *_looked_up(LIVE), *_looked_up(SAMPLED)]


def page() -> str:
    """Return the page."""
    return _HEAD + "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "## Of one worker\n"
    yield from _table([*counted(), *_looked_up(LIVE)])
    yield "\n## Of the whole installation\n"
    yield "Looked up in MongoDB when somebody asks, and kept for a while (`CALSYNC_OPS_SAMPLE_SECONDS`). Every worker"
    yield "shows the same: take their `max`, not their `sum`.\n"
    yield from _table(_looked_up(SAMPLED))
    yield "\n## Labels\n"
    yield "| label | what |"
    yield "|---|---|"
    for name, what in LABELS.items():
        yield f"| `{name}` | {what} |"


def _table(found: list[Metric]) -> Iterator[str]:
    yield "| metric | kind | labels | what |"
    yield "|---|---|---|---|"
    for one in found:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        yield f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"
