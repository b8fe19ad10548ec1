"""What is published when a letter is replayed: the original, and which replay it is; nothing of its former failures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.addresses import PSA_EVENTS, SIGNATURE_HEADER
from events.dead_letters import Replayed
from events.failures import Refused
from events.letters import Letter, Replay
from tests.dead_letters.examples import KEY, NOW, TOLD, letter
from worker.dead_letters.publishing import outgoing, replay_id

REPLAY = Replay(replay_id("job", letter().id), NOW, "ann", "job")
HEADERS = {
    **TOLD.headers(),
    **Replayed("a" * 24, "an older one").headers(),
    "x-death": [{"reason": "rejected"}],
    "x-delivery-count": 3,
    SIGNATURE_HEADER: "abc",
    "traceparent": "00-1",
}


def test_the_original_goes_out_as_it_was_and_says_which_replay_it_is() -> None:
    one = letter()
    message = outgoing(replace(one, original=replace(one.original, headers=HEADERS)), REPLAY, "m-new")
    assert (message.exchange, message.routing_key, message.body, message.message_id) == (
        PSA_EVENTS,
        KEY,
        b"{}",
        "m-new",
    )
    assert message.properties == {"type": "t"}
    assert message.headers == {SIGNATURE_HEADER: "abc", "traceparent": "00-1", **Replayed(one.id, REPLAY.id).headers()}


@pytest.mark.parametrize(
    "one",
    [
        letter(original=replace(letter().original, exchange="somebody.elses", queue="a.queue")),
        letter(original=replace(letter().original, size=10**9)),
    ],
    ids=["from nowhere", "not kept whole"],
)
def test_what_cannot_be_published_says_so(one: Letter) -> None:
    with pytest.raises(Refused):
        outgoing(one, REPLAY, "m-new")
