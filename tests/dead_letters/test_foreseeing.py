"""What would happen if a letter were replayed now, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
    SIGNATURE_HEADER,
)
from events.documents.catalogue import EXAMPLES
from events.integration import Assignee, Held, Integration, Signals, Status, Wanted
from events.items import ItemType
from events.letters import Original
from events.link import ItemKey, Link, LinkState, ManagedEvent, Origin, Standing
from events.notification import signature
from events.reasons import Reason
from tests.dead_letters.examples import ITEM_CHANGED, KEY, LINK_FAILED, NOW, letter
from worker.dead_letters.contracts import destination
from worker.dead_letters.foreseeing import Expected, Forecast, Foresight

WHOLE: dict[str, Any] = orjson.loads((EXAMPLES / PSA_EVENTS / "service_call.json").read_bytes())["data"]
ITEM = ItemKey(1204, ItemType.SERVICE_CALL, "70551")
STANDING = Standing("int-7/x", "int-7", 1204, 5571, ITEM, 0, "", 7, lacks_content=False, due=False)
SETTLED = Link(
    "int-7/x", "int-7", 1204, 5571, ManagedEvent("cal", "e"), Origin.PSA, ITEM,
    state=LinkState.SETTLED, reason=Reason.IN_SYNC,
)  # fmt: skip
BLOCKED = replace(SETTLED, state=LinkState.BLOCKED, reason=Reason.CALENDAR_REFUSED)
ANN = Assignee("int-7", 1204, 5571)
CONNECTED = Integration("int-7", 1204, 5571, 1, held=Held(status=Status.CONNECTED))


class Store:
    """What is known."""

    def __init__(
        self,
        standing: Standing | None = None,
        link: Link | None = None,
        integration: Integration | None = None,
        assignee: Assignee | None = None,
    ) -> None:
        self.standing, self.link, self.integration, self.assignee = standing, link, integration, assignee

    async def of_items(self, items: object, references: object) -> list[Standing]:
        del items, references
        return [self.standing] if self.standing else []

    async def by_ids(self, ids: object) -> dict[str, Link]:
        del ids
        return {self.link.id: self.link} if self.link else {}

    async def get(self, integration_id: str) -> Integration | None:
        return self.integration if integration_id == "int-7" else None

    async def assignees(self, users: object) -> list[Assignee]:
        return [self.assignee] if self.assignee and users else []


def item(**data: Any) -> Original:
    body = {**ITEM_CHANGED, "data": {**ITEM_CHANGED["data"], **data}}
    return original(PSA_ITEMS_QUEUE, body, PSA_EVENTS)


def original(queue: str, body: object, exchange: str = "", headers: dict[str, Any] | None = None) -> Original:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Original(exchange, KEY, queue, "m-1", raw, len(raw), headers or {})


def wish(kind: str, **data: Any) -> Original:
    about = {"integration_id": "int-7", "tenant_id": 1204, "user_id": 5571, **data}
    envelope = {"specversion": "1.0", "id": "e", "source": "psa", "type": f"psa.integration.{kind}.v1", "data": about}
    return original(INTEGRATIONS_QUEUE, envelope, PSA_EVENTS)


LINK = original("", LINK_FAILED, COMMANDS)
WAKE = original(COMMANDS_QUEUE, {"type": "calsync.wake.v1", "integration_id": "int-7", "cause": "due"}, COMMANDS)
NOTE = orjson.dumps({
    "notification": {"type": "change"},
    "channel": {"channel_id": "chn", "callback_url": "https://relay/notifications/int-7"},
})
SIGNED = original(NOTIFICATIONS_QUEUE, NOTE, CRONOFY_EVENTS, {SIGNATURE_HEADER: signature("secret", NOTE)})
HEARD = replace(CONNECTED, signals=Signals(requested=2, served=2))
ACTIVE = replace(CONNECTED, wanted=Wanted(active_revision=5))

CASES: dict[str, tuple[Original, Store, Expected]] = {
    "item: nobody": (item(), Store(), Expected.NOBODY),
    "item: a new assignee": (item(deleted=False, assignees=[5571]), Store(assignee=ANN), Expected.TAKEN),
    "item: a new assignee, but others know better": (
        item(deleted=False, assignees=[5572], revision=6),
        Store(STANDING, SETTLED, assignee=Assignee("int-8", 1204, 5572)),
        Expected.STALE,
    ),
    "item: a newer revision": (item(revision=8), Store(STANDING, SETTLED), Expected.TAKEN),
    "item: its content was lacking": (
        item(deleted=False, assignees=[], item=WHOLE["item"]),
        Store(replace(STANDING, lacks_content=True), SETTLED),
        Expected.TAKEN,
    ),
    "item: an older revision": (item(revision=6), Store(STANDING, SETTLED), Expected.STALE),
    "item: the same, at rest": (item(), Store(STANDING, SETTLED), Expected.IN_SYNC),
    "item: the same, blocked": (item(), Store(STANDING, BLOCKED), Expected.STALE),
    "item: the same, being worked on": (item(), Store(STANDING, replace(SETTLED, due_at=NOW)), Expected.STALE),
    "item: breaks its contract": (item(revision="7"), Store(STANDING, SETTLED), Expected.FAILS_AGAIN),
    "item: in the wrong queue": (
        replace(wish("activate", revision=1), queue=PSA_ITEMS_QUEUE),
        Store(),
        Expected.FAILS_AGAIN,
    ),
    "wish: in the wrong queue": (replace(item(), queue=INTEGRATIONS_QUEUE), Store(), Expected.FAILS_AGAIN),
    "link: settled": (LINK, Store(link=SETTLED), Expected.IN_SYNC),
    "link: blocked": (LINK, Store(link=BLOCKED), Expected.TRIED),
    "link: due": (LINK, Store(link=replace(SETTLED, due_at=NOW)), Expected.TRIED),
    "link: gone": (LINK, Store(), Expected.STALE),
    "wish: a newer revision": (wish("activate", revision=6), Store(integration=ACTIVE), Expected.TAKEN),
    "wish: a known revision": (wish("activate", revision=5), Store(integration=ACTIVE), Expected.STALE),
    "wish: of somebody new": (wish("activate", revision=5), Store(), Expected.TAKEN),
    "wish: another kind": (wish("list_calendars", revision=0), Store(integration=ACTIVE), Expected.TAKEN),
    "notification: signed": (SIGNED, Store(integration=CONNECTED), Expected.TRIED),
    "notification: of nobody": (SIGNED, Store(), Expected.NOBODY),
    "notification: unsigned": (replace(SIGNED, headers={}), Store(integration=CONNECTED), Expected.FAILS_AGAIN),
    "wake-up: nothing due": (WAKE, Store(integration=HEARD), Expected.IN_SYNC),
    "wake-up: something due": (WAKE, Store(integration=replace(HEARD, due_at=NOW)), Expected.TRIED),
    "wake-up: not connected": (WAKE, Store(integration=replace(HEARD, due_at=NOW, held=Held())), Expected.TRIED),
    "no JSON": (original(PSA_ITEMS_QUEUE, b"\xff", PSA_EVENTS), Store(), Expected.FAILS_AGAIN),
    "not kept whole": (replace(item(), size=10**9), Store(), Expected.FAILS_AGAIN),
    "from nowhere": (original("a.queue.of.others", b"{}"), Store(), Expected.FAILS_AGAIN),
}


@pytest.mark.parametrize(("one", "store", "expected"), CASES.values(), ids=CASES)
async def test_what_would_happen(one: Original, store: Store, expected: Expected) -> None:
    told = await foresee(one, store)
    assert told.expected is expected, told
    assert told.detail


async def foresee(one: Original, store: Store) -> Forecast:
    dead = letter(original=one)
    return await Foresight(store, store, ("secret",)).of(
        replace(dead, subject=replace(dead.subject, integration_id="int-7"))
    )


async def test_without_the_secrets_a_notification_is_taken_for_good() -> None:
    dead = letter(original=replace(SIGNED, headers={}))
    dead = replace(dead, subject=replace(dead.subject, integration_id="int-7"))
    store = Store(integration=CONNECTED)
    assert (await Foresight(store, store, None).of(dead)).expected is Expected.TRIED


# Where it goes


@pytest.mark.parametrize(
    ("exchange", "queue", "where"),
    [
        (PSA_EVENTS, PSA_ITEMS_QUEUE, (PSA_EVENTS, KEY)),
        (CRONOFY_EVENTS, NOTIFICATIONS_QUEUE, (CRONOFY_EVENTS, KEY)),
        ("", NOTIFICATIONS_QUEUE, (CRONOFY_EVENTS, "notification")),
        ("", COMMANDS_QUEUE, (COMMANDS, "wake")),
        ("somebody.elses", "some.queue", None),
        ("calsync.outcomes", "", None),
    ],
)
def test_a_replay_goes_where_it_came_from_and_nowhere_else(
    exchange: str, queue: str, where: tuple[str, str] | None
) -> None:
    assert destination(original(queue, b"{}", exchange)) == where
