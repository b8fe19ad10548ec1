"""What this process has counted so far, as far as charts show it."""

from __future__ import annotations

from adapters.telemetry.metrics import ACTIONS, SYNC_DELAY
from events.history import DELAYS, Counts
from events.journal import Result

_DONE = frozenset({Result.ACCEPTED.value, Result.DONE.value, Result.CONFLICT.value})


def counted() -> Counts:
    """Return what was counted since the process began."""
    by_result: dict[str, float] = {}
    for metric in ACTIONS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                result = sample.labels["result"]
                by_result[result] = by_result.get(result, 0) + sample.value
    return Counts(
        done=int(sum(count for result, count in by_result.items() if result in _DONE)),
        failed=int(by_result.get(Result.FAILED.value, 0)),
        retried=int(by_result.get(Result.RETRYING.value, 0)),
        delays=_delays(),
    )


def _delays() -> tuple[int, ...]:
    """Return how many took how long; Prometheus counts those that took no longer than a bound, all shorter included."""
    up_to: dict[float, float] = {}
    for metric in SYNC_DELAY.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                bound = float(sample.labels["le"])
                up_to[bound] = up_to.get(bound, 0) + sample.value
    cumulative = [int(up_to.get(bound, 0)) for bound in (*map(float, DELAYS), float("inf"))]
    return tuple(now - before for now, before in zip(cumulative, (0, *cumulative), strict=False))
