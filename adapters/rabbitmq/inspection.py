"""Comparing what exists on the broker with what is declared: everything that could lose messages is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.rabbitmq.management import Seen, SeenQueue
from adapters.rabbitmq.topology import APPLY, EXCHANGES, QUEUES, TO_CHANGE, Finding, Queue

_LOSING: Final = ("message-ttl", "expires", "max-age")
"""What a policy must not set: messages, or the queue with them, would go away by themselves."""
_LOSING_AT_THE_END: Final = ("max-length", "max-length-bytes", "delivery-limit")
"""What it must not set on a queue without dead letters, which drops what exceeds it."""


def inspect(seen: Seen) -> list[Finding]:
    """Return what is wrong. Queues that were left by a former version are nobody's concern here."""
    findings = [finding for name in EXCHANGES for finding in _exchange(name, seen)]
    for queue in QUEUES:
        there = seen.queues.get(queue.name)
        subject = f"queue {queue.name}"
        if there is None:
            findings.append(Finding(subject, "does not exist", APPLY))
            continue
        findings += [Finding(subject, problem, TO_CHANGE) for problem in _differences(queue, there)]
        findings += [Finding(subject, *words) for words in _policies(queue, there)]
        findings += _bindings(queue, seen)
    return findings


def _exchange(name: str, seen: Seen) -> Iterator[Finding]:
    there = seen.exchanges.get(name)
    if there is None:
        yield Finding(f"exchange {name}", "does not exist", APPLY)
    elif there != ("topic", True):
        kind, durable = there
        yield Finding(f"exchange {name}", f"is {'durable' if durable else 'transient'}, of type {kind}", TO_CHANGE)


def _differences(queue: Queue, there: SeenQueue) -> Iterator[str]:
    if (there.kind, there.durable) != ("quorum", True):
        yield f"is a {'durable' if there.durable else 'transient'} {there.kind} queue, and not a quorum queue"
        return
    for name in sorted(queue.arguments.keys() | there.arguments.keys()):
        wanted, held = queue.arguments.get(name), there.arguments.get(name)
        if wanted != held:
            yield f"has {name} {_shown(held)} instead of {_shown(wanted)}"


def _policies(queue: Queue, there: SeenQueue) -> Iterator[tuple[str, str]]:
    harmful = _LOSING if queue.dead_letters else (*_LOSING, *_LOSING_AT_THE_END)
    for name in harmful:
        if name in there.policy:
            remedy = (
                "take it out of the policies for this queue (`rabbitmqctl list_policies`, `list_operator_policies`)"
            )
            yield f"loses messages by policy: {name} is {there.policy[name]}", remedy


def _bindings(queue: Queue, seen: Seen) -> Iterator[Finding]:
    for key in queue.keys:
        if (queue.exchange, key, queue.name) not in seen.bindings:
            yield Finding(f"queue {queue.name}", f"gets nothing of {queue.exchange} with key {key}", APPLY)


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
