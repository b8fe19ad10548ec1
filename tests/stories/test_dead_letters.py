"""What a person can do with what failed for good, on real parts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aio_pika
import httpx
import orjson
from pydantic import JsonValue

from adapters.rabbitmq.connection import connect
from adapters.rabbitmq.consumer import Delivery, consume
from adapters.rabbitmq.publisher import Outgoing
from events.addresses import COMMANDS_QUEUE, DEAD_LETTERS_QUEUE, PSA_EVENTS, PSA_ITEMS_QUEUE
from events.dead_letters import DeadLetter
from events.items import ItemType
from events.letters import Deed, Kind, Letter, Status, Verdict, Which
from events.outcomes import ItemBlocked
from events.replays import JobState
from sandbox.cronofy.api.faults import Instead, Match
from stack.services import Database as Server
from tests.stories.office import Operator, operator
from tests.stories.stage import DANA, TENANT, NotYet, Services, stage
from worker.dead_letters.foreseeing import Expected
from worker.dead_letters.reading import Dead, occurrence
from worker.parts import ALL_PARTS, Part

ITEM_CHANGED = "psa.calendar_item.changed.v1"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)  # noqa: TID251
NO_KEEPER = tuple(part for part in ALL_PARTS if part is not Part.DEAD_LETTERS)


def todo(revision: object, item_id: str = "88120") -> bytes:
    """An event about Dana's to-do; only an integer is a revision."""
    item = {"id": int(item_id), "user_id": DANA, "description": "Call back", "date": NOON.isoformat()}
    data = {
        "tenant_id": TENANT, "item_type": "todo", "item_id": item_id, "revision": revision, "deleted": False,
        "assignees": [DANA], "item": item,
    }  # fmt: skip
    envelope = {"specversion": "1.0", "id": f"todo/{item_id}@{revision}", "source": "psa", "type": ITEM_CHANGED}
    return orjson.dumps({**envelope, "data": data})


async def publish(ann: Operator, body: bytes, message_id: str = "m-1", **headers: str) -> None:
    """Publish an item event as the platform would."""
    await ann.publisher.send(Outgoing(PSA_EVENTS, ITEM_CHANGED, body, message_id, headers))


def deeds(letter: Letter) -> list[Deed]:
    return [act.deed for act in letter.history]


async def test_a_poison_message_is_kept_counted_replayed_in_vain_mended_replayed_and_resolved(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working(), operator(world) as ann:
        dana = await world.link()
        await publish(ann, todo("seven"), traceparent="00-1")
        dead = await ann.the_letter()
        assert (dead.failure.reason, dead.failure.trace.error) == ("breaks_schema", "Malformed")
        assert "worker/consumers/items.py" in dead.failure.trace.stack
        assert (dead.subject.tenant_id, dead.subject.item) == (TENANT, "todo/88120")
        assert (dead.original.body, dead.original.headers["traceparent"]) == (todo("seven"), "00-1")
        # The same message once more is counted, and replaying it as it is changes nothing.
        await publish(ann, todo("seven"))
        dead = await ann.the_letter(count=2)
        assert await ann.foresee(dead) is Expected.FAILS_AGAIN
        job = await ann.replay(Which(ids=frozenset({dead.id})))
        assert (job.state, job.tally.failed_again) == (JobState.DONE, 1)
        dead = await ann.the_letter(count=3)
        assert dead.replays[0].verdict is Verdict.FAILED_AGAIN
        # Mended it is taken, and the event appears.
        new = await ann.desk.edit(dead, todo(7), "a number")
        assert await ann.foresee(new) is Expected.TAKEN
        assert (await ann.replay(Which(ids=frozenset({new.id})))).tally.resolved == 1
        mended = await ann.the_letter(Status.RESOLVED)
        assert (mended.id, mended.replaces) == (new.id, dead.id)
        assert deeds(mended) == [Deed.EDITED, Deed.REPLAYED, Deed.RESOLVED]
        old = await ann.the_letter(Status.REPLACED, count=3)
        assert old.replaced_by == new.id
        assert deeds(old) == [Deed.KEPT, Deed.FAILED_AGAIN, Deed.REPLAYED, Deed.FAILED_AGAIN, Deed.EDITED]
        events = await world.until(lambda: some_events(dana.events))
        assert [event.summary for event in events] == ["To-do: Call back"]
        # What is in sync is known to be, and replaying it all the same does nothing.
        await world.rest()
        assert await ann.foresee(new) is Expected.IN_SYNC
        assert [action.who for action in await ann.actions.newest(10)] == ["ann"] * 3


async def some_events(look: Any) -> Sequence[Any]:
    found: Sequence[Any] = await look()
    if not found:
        raise NotYet("no event")
    return found


async def test_items_that_the_calendar_refused_are_replayed_as_a_group_when_the_cause_is_gone(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working(), operator(world) as ann:
        dana = await world.link()
        body: JsonValue = {"errors": {"summary": [{"key": "errors.too_long", "description": "is too long"}]}}
        await world.cronofy.set_fault(Instead(status=422, body=body), Match(operation="write_event"), count=None)
        todos = [
            await world.psa.create_item(ItemType.TODO, [DANA], description=f"number {number}", date=NOON)
            for number in range(3)
        ]
        parked = await ann.all_letters(3, Status.OPEN)
        assert {one.kind for one in parked} == {Kind.LINK}
        assert {one.subject.item for one in parked} == {f"todo/{item.item_id}" for item in todos}
        assert {(one.failure.reason, one.failure.trace.call) for one in parked} == {
            ("calendar_refused", "POST /v1/batch 422")
        }
        told = await world.psa.outcome(ItemBlocked, item_id=todos[0].item_id, within=30)
        assert told.data.reason == "calendar_refused"
        (group,) = await ann.letters.groups(Which(), NOON, 10)
        assert (group.letters, group.occurrences) == (3, 3)
        # Replayed too early, each fails again, and is counted.
        assert [await ann.foresee(one) for one in parked] == [Expected.TRIED] * 3
        assert (await ann.replay(Which(fingerprint=group.fingerprint))).tally.failed_again == 3
        await ann.all_letters(3, Status.OPEN, count=2)
        # The cause is gone.
        await world.cronofy.clear_faults()
        job = await ann.replay(Which(fingerprint=group.fingerprint), "the limit was lifted")
        assert (job.tally.published, job.tally.resolved) == (3, 3)
        resolved = await ann.all_letters(3, Status.RESOLVED, count=2)
        assert {act.why for one in resolved for act in one.history if act.deed is Deed.REPLAYED} == {
            "fixed",
            "the limit was lifted",
        }
        assert [await ann.foresee(one) for one in resolved] == [Expected.IN_SYNC] * 3
        assert {event.summary for event in await dana.events()} == {f"To-do: number {number}" for number in range(3)}


async def test_an_item_that_is_in_order_again_by_itself_resolves_its_letter(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world, operator(world) as ann:
        async with world.working():
            await world.link()
            await world.cronofy.set_fault(Instead(status=422), Match(operation="write_event"), count=1)
            item = await world.psa.create_item(ItemType.TODO, [DANA], description="first", date=NOON)
            await ann.the_letter()
            await world.psa.edit_item(item, description="second")
            await world.rest()
            # It is looked at now and then; here, now.
            world.store["dead_letters"].update_many({}, {"$set": {"checked_at": datetime(2020, 1, 1, tzinfo=UTC)}})
            resolved = await ann.the_letter(Status.RESOLVED)
        assert resolved.replays == ()
        assert deeds(resolved) == [Deed.KEPT, Deed.RESOLVED]


async def test_while_the_store_is_away_dead_letters_wait_with_the_broker(
    vhost: str, own_database: Server, tmp_path: Path
) -> None:
    services = Services(vhost, own_database.url, "calsync")
    async with stage(services, tmp_path) as world, operator(world) as ann, world.working(parts=NO_KEEPER):
        for number in range(20):
            await publish(ann, todo("no", str(number)), f"m-{number}")
        async with world.working(parts=(Part.DEAD_LETTERS,)):
            await ann.all_letters(20, Status.OPEN)
            own_database.kill()
            for number in range(20, 30):
                await publish(ann, todo("no", str(number)), f"m-{number}")
            own_database.start()
            letters = await ann.all_letters(30, Status.OPEN)
            assert {one.count for one in letters} == {1}


async def test_a_keeper_that_dies_between_keeping_and_acking_changes_nothing_for_the_next_one(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, operator(world) as ann, world.working(parts=NO_KEEPER):
        await publish(ann, todo("no", "1"), "m-1")
        await publish(ann, todo("no", "1"), "m-1")
        async with (
            connect(services.rabbitmq_url, "dying keeper") as connections,
            consume(connections.consuming, DEAD_LETTERS_QUEUE, 10) as inbox,
        ):
            kept: list[Delivery] = []
            while len(kept) < 2:
                kept += await inbox.batch(10)
            dead = [Dead(one.body, one.headers, one.message_id, one.properties) for one in kept]
            await ann.letters.keep([occurrence(one, NOON) for one in dead], NOON)
        before = await ann.the_letter(count=2)
        async with world.working(parts=(Part.DEAD_LETTERS,)):
            await publish(ann, todo("no", "2"), "m-2")
            await ann.all_letters(1, Status.OPEN, count=1)
        assert await ann.letters.get(before.id) == before


async def test_letters_of_an_item_are_replayed_one_after_the_other_beside_live_traffic(
    services: Services, tmp_path: Path
) -> None:
    async with stage(services, tmp_path) as world, world.working(), operator(world) as ann:
        dana = await world.link()
        # Six revisions of each of three to-dos died once, for a reason that is gone.
        dead = [
            Dead(
                todo(revision, item_id),
                died(f"m-{item_id}-{revision}", revision).headers(),
                f"d-{item_id}-{revision}",
                {},
            )
            for revision in (3, 1, 6, 2, 5, 4)
            for item_id in ("1", "2", "3")
        ]
        await ann.letters.keep([occurrence(one, NOON) for one in dead], NOON)
        replaying = asyncio.create_task(ann.replay(Which(), rate=100))  # noqa: TID251 - awaited below
        for revision in (4, 7):
            await publish(ann, todo(revision, "1"), f"live-{revision}")
        job = await replaying
        assert (job.tally.published, job.tally.failed_again, job.tally.unheard) == (18, 0, 0)
        letters = await ann.all_letters(18, Status.RESOLVED)
        for item in ("todo/1", "todo/2", "todo/3"):
            of_item = sorted((one for one in letters if one.subject.item == item), key=lambda one: one.first_at)
            replays = [one.replays[0] for one in of_item]
            for former, later in itertools.pairwise(replays):
                assert former.ended_at is not None
                assert former.ended_at <= later.at
            assert {one.verdict for one in replays} <= {Verdict.RESOLVED, Verdict.STALE}
        await world.rest()
        assert len(await dana.events()) == 3
        tallies = {one.event_id: one.creates for one in await world.cronofy.tallies()}
        assert set(tallies.values()) == {1}, "no event was made twice"


def died(message_id: str, revision: int) -> DeadLetter:
    return DeadLetter(
        reason="poison",
        queue=PSA_ITEMS_QUEUE,
        exchange=PSA_EVENTS,
        routing_key=ITEM_CHANGED,
        message_id=message_id,
        failed_at=NOON - timedelta(days=30) + timedelta(minutes=revision),
    )


async def test_what_a_tool_of_the_brokers_moves_back_to_its_queue_is_handled_and_if_it_fails_it_is_the_same_letter(
    services: Services, tmp_path: Path, management: httpx.Client
) -> None:
    async with stage(services, tmp_path) as world, operator(world) as ann:
        async with world.working(parts=NO_KEEPER):
            dana = await world.link()
            for number in ("1", "2"):
                await publish(ann, todo("no", number), f"m-{number}")
            await world.cronofy.set_fault(Instead(status=422), Match(operation="write_event"), count=1)
            await world.psa.create_item(ItemType.TODO, [DANA], description="refused", date=NOON)
            hand = Hand(management, urlsplit(services.rabbitmq_url).path[1:])
            messages = await world.until(lambda: hand.take(3))
            for message in messages:
                hand.put_back(message)
            # The calendar takes the to-do now; what breaks its contract fails again.
            (event,) = await world.until(lambda: some_events(dana.events))
            await world.until(lambda: lie_there(services, 2))
            if hand.shovel(2, PSA_ITEMS_QUEUE):
                await world.until(hand.shovelled)
            else:
                await as_a_shovel_does(services, 2, PSA_ITEMS_QUEUE)
            await world.until(lambda: lie_there(services, 2))
        async with world.working(parts=(Part.DEAD_LETTERS,)):
            letters = await ann.all_letters(2, Status.OPEN)
        assert event.summary == "To-do: refused"
        assert {one.subject.item for one in letters} == {"todo/1", "todo/2"}
        assert {one.original.message_id for one in letters} == {"m-1", "m-2"}
        assert {(one.original.exchange, one.original.routing_key) for one in letters} == {(PSA_EVENTS, ITEM_CHANGED)}
        assert {one.failure.attempts for one in letters} == {3}


async def lie_there(services: Services, number: int) -> None:
    """Return when there are so many dead letters that nobody has taken."""
    async with await aio_pika.connect(services.rabbitmq_url) as connection:
        queue = await (await connection.channel()).get_queue(DEAD_LETTERS_QUEUE)
        if (waiting := queue.declaration_result.message_count) != number:
            raise NotYet(f"{waiting}")


async def as_a_shovel_does(services: Services, number: int, queue: str) -> None:
    """Move dead letters to a queue, with everything that is in them, and say so in headers."""
    async with await aio_pika.connect(services.rabbitmq_url) as connection:
        channel = await connection.channel()
        source = await channel.get_queue(DEAD_LETTERS_QUEUE)
        for _ in range(number):
            letter = await source.get()
            forwarded = [{"shovelled-by": "calsync", "shovel-type": "dynamic", "src-queue": DEAD_LETTERS_QUEUE}]
            headers: dict[str, Any] = {**letter.headers, "x-shovelled": forwarded}
            message = aio_pika.Message(
                letter.body,
                headers=headers,
                message_id=letter.message_id,
                content_type=letter.content_type,
                delivery_mode=letter.delivery_mode,
            )
            await channel.default_exchange.publish(message, queue)
            await letter.ack()


class Hand:
    """A person at the broker's management page: Get messages, Publish message, Move messages."""

    def __init__(self, management: httpx.Client, vhost: str) -> None:
        self._http = management
        self._vhost = quote(vhost, safe="")
        self._taken: list[dict[str, Any]] = []

    async def take(self, number: int) -> list[dict[str, Any]]:
        """Take messages out of the dead letters, as soon as there are so many."""
        asked = {"count": number, "ackmode": "ack_requeue_false", "encoding": "base64"}
        answer = self._http.post(f"/queues/{self._vhost}/{DEAD_LETTERS_QUEUE}/get", json=asked)
        self._taken += answer.raise_for_status().json()
        if len(self._taken) < number:
            raise NotYet(f"{len(self._taken)}")
        return self._taken

    def put_back(self, message: dict[str, Any]) -> None:
        """Publish a message to the queue it came from; an item, to the commands."""
        asked = {
            "properties": message["properties"],
            "routing_key": message["properties"]["headers"]["x-calsync-queue"] or COMMANDS_QUEUE,
            "payload": message["payload"],
            "payload_encoding": message["payload_encoding"],
        }
        answer = self._http.post(f"/exchanges/{self._vhost}/amq.default/publish", json=asked)
        assert answer.raise_for_status().json() == {"routed": True}

    def shovel(self, number: int, queue: str) -> bool:
        """Have the shovel plugin move so many dead letters. It adds headers of its own. False if there is no plugin."""
        value = {
            "src-protocol": "amqp091",
            "src-uri": f"amqp:///{self._vhost}",
            "src-queue": DEAD_LETTERS_QUEUE,
            "src-delete-after": number,
            "dest-protocol": "amqp091",
            "dest-uri": f"amqp:///{self._vhost}",
            "dest-queue": queue,
            "dest-add-forward-headers": True,
            "dest-add-timestamp-header": True,
        }
        answer = self._http.put(f"/parameters/shovel/{self._vhost}/back", json={"value": value})
        if answer.status_code == HTTPStatus.BAD_REQUEST and "component" in answer.text:
            return False
        answer.raise_for_status()
        return True

    async def shovelled(self) -> None:
        """Return when the shovel has moved what it was to move: then it is gone."""
        if self._http.get(f"/parameters/shovel/{self._vhost}").raise_for_status().json():
            raise NotYet
