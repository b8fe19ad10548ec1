"""Publishing a dead letter once more: written down first, then sent, under a header that names the replay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adapters.rabbitmq.publisher import Outgoing
from events.addresses import COMMANDS, CRONOFY_EVENTS, PSA_EVENTS
from events.dead_letters import Replayed, portable
from events.failures import Refused
from events.letters import Letter, Replay, Verdict
from events.reasons import Reason
from worker.dead_letters.contracts import destination

if TYPE_CHECKING:
    from worker.dead_letters.ports import Replays
    from worker.ports import Clock

EXCHANGES: Final = (PSA_EVENTS, CRONOFY_EVENTS, COMMANDS)
"""Where replays may go."""
Send = Callable[[Outgoing], Awaitable[None]]


def replay_id(job: str, letter_id: str) -> str:
    """Name the replay of a letter by a job: the same after a crash."""
    return f"{job}:{letter_id}"


@dataclass(frozen=True, slots=True)
class Republisher:
    """Publishes letters once more."""

    letters: Replays
    send: Send
    new_id: Callable[[], str]
    clock: Clock

    async def publish(self, letter_id: str, who: str, why: str, job: str) -> Replay | None:
        """Publish a letter once more. None if there is nothing to be done with it any more.

        Raises `TryLater` if store or broker are away; then it may be repeated.
        """
        replay = Replay(replay_id(job, letter_id), self.clock.now(), who, job)
        letter = await self.letters.begin(letter_id, replay, why)
        if letter is None:
            return None
        try:
            await self.send(outgoing(letter, replay, self.new_id()))
        except Refused as error:
            detail = f"{error.reason}: {error.detail}"
            await self.letters.ended(letter_id, replay.id, Verdict.FAILED_AGAIN, detail, self.clock.now())
        return replay


def outgoing(letter: Letter, replay: Replay, message_id: str) -> Outgoing:
    """Return the message to publish. Raises `Refused` if where it came from is not known.

    Each publication has an id of its own: the broker's answers are told apart by it, and leases are owned by it.
    """
    where = destination(letter.original)
    if where is None or letter.original.size > len(letter.original.body):
        raise Refused(Reason.UNROUTABLE, "where it came from is not known, or it was not kept whole")
    exchange, routing_key = where
    headers: dict[str, Any] = {**portable(letter.original.headers), **Replayed(letter.id, replay.id).headers()}
    body, properties = letter.original.body, letter.original.properties
    return Outgoing(exchange, routing_key, body, message_id, headers, properties=properties)
