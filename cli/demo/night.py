"""A night: Cronofy refuses a field, many items end as dead letters, and an operator brings them all home by commands.

Nothing is mended behind the scenes: whatever the operator does is typed, and what the page shows was answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import JsonValue

from cli.demo.page import Page
from cli.failing import FAILED, Failed
from events.items import ItemType
from events.outcomes import Configured
from sandbox.cronofy.api.faults import Instead, Match

if TYPE_CHECKING:
    from adapters.process.system import SystemClock
    from sandbox.cronofy.client.control import CronofyControl
    from sandbox.cronofy.control.event_messages import EventView
    from sandbox.psa.client import PsaControl, PsaItem

TENANT: Final = 1204
WHO: Final = "ines"
_FIELD: Final = "location"
_SETTING: Final = f"mapping.service_call.{_FIELD}=left_out"
_PATIENCE: Final = 120.0
_WITHIN: Final = 60.0
"""Seconds in which what fails is to be seen among the dead letters."""
_REFUSAL: Final[JsonValue] = {
    "errors": {_FIELD: [{"key": "errors.unsupported", "description": "is not supported here"}]}
}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Typing = Callable[[Sequence[str]], Awaitable[Said]]
"""Types the words of a `calsync` command."""


@dataclass(frozen=True)
class Night:
    """Where it takes place, and how large it is: `items` service calls, and one to-do for each user."""

    psa: PsaControl
    cronofy: CronofyControl
    clock: SystemClock
    typing: Typing
    users: Sequence[int]
    items: int
    rate: int
    page: Page = field(default_factory=Page)

    async def types(self, *words: str, code: int = 0, whole: bool = False) -> str:
        """Type a command that is to end like this, and show it with its answer."""
        at = self.clock.now()
        said = await self.typing(words)
        if said.code != code:
            raise Failed(f"calsync {' '.join(words)} ended with {said.code}: {said.err or said.out}")
        self.page.typed(at, words, f"{said.out}\n{said.err}".strip(), whole=whole)
        return said.out

    async def asks(self, *words: str) -> list[dict[str, Any]]:
        """Type a command that answers in JSON, and show nothing."""
        said = await self.typing((*words, "--json"))
        if said.code:
            raise Failed(f"calsync {' '.join(words)} ended with {said.code}: {said.err}")
        return [orjson.loads(line) for line in said.out.splitlines()]


async def play(night: Night) -> None:
    """Play it to its end. Raises `Failed` if something is not as it is to be."""
    calendars = await _people_link_calendars(night)
    calls = await _a_field_is_refused(night)
    group = await _it_shows(night)
    await _nothing_is_done_yet(night, group)
    await _the_mapping_is_changed(night, group)
    await _everything_is_in_sync(night, calls, calendars, group)
    await _the_record_tells(night)


async def _people_link_calendars(night: Night) -> Mapping[int, str]:
    calendars: dict[int, str] = {}
    for user in night.users:
        account = await night.cronofy.create_account()
        await night.psa.connect(_name(user), user, account.code, time_zone="Europe/Berlin")
        await night.psa.configure(_name(user), account.calendar_id)
        calendars[user] = account.calendar_id
    for user in night.users:
        await night.psa.outcome(Configured, integration_id=_name(user), within=_PATIENCE)
    return calendars


def _name(user: int) -> str:
    return f"int-{user}"


async def _a_field_is_refused(night: Night) -> list[PsaItem]:
    began = night.clock.now()
    refusing = Instead(status=422, body=_REFUSAL)
    await night.cronofy.set_fault(refusing, Match(operation="write_event", says=_FIELD), count=None)
    night.page.chapter("A field is refused")
    night.page.say(
        f"At {began:%H:%M:%S}Z Cronofy begins to answer 422 to every write that says something in `{_FIELD}`; all "
        f"else is taken. {len(night.users)} technicians have linked their calendars, and while it lasts the PSA plans "
        f"{night.items} service calls, each with a place, and a to-do for each of them."
    )
    for user in night.users:
        await night.psa.create_item(ItemType.TODO, [user], description="Hand in the hours", date=_hour(night, 1))
    users = [night.users[number % len(night.users)] for number in range(night.items)]
    return [
        await night.psa.create_item(
            ItemType.SERVICE_CALL, [user], start=_hour(night, number), end=_hour(night, number + 1)
        )
        for number, user in enumerate(users)
    ]


def _hour(night: Night, number: int) -> datetime:
    tomorrow = (night.clock.now() + timedelta(days=1)).replace(hour=7, minute=0, second=0, microsecond=0)
    return tomorrow + timedelta(days=number // 10 % 60, hours=number % 10)


async def _it_shows(night: Night) -> str:
    """Return the fingerprint of the group."""
    night.page.chapter("It shows")
    began = night.clock.monotonic()
    while sum(group["letters"] for group in await night.asks("dead-letters", "groups")) < night.items:
        if night.clock.monotonic() - began > _WITHIN:
            raise Failed(f"Not all {night.items} items were among the dead letters within a minute.")
        await night.clock.sleep(0.2)
    seconds = night.clock.monotonic() - began
    night.page.say(
        f"{seconds:.0f} s after the last of them was planned, all of them are in one group. Its fingerprint is made of "
        "what failed, why, and which request it was. The to-dos, which have no place, went out."
    )
    await night.types("dead-letters", "groups")
    (group,) = await night.asks("dead-letters", "groups")
    fingerprint = str(group["fingerprint"])
    await night.types("dead-letters", "list", "--group", fingerprint, "--limit", "5", whole=True)
    return fingerprint


async def _nothing_is_done_yet(night: Night, group: str) -> None:
    night.page.chapter("What would happen")
    night.page.say("A dry run says so for each, and changes nothing. One letter is tried: the field is still refused.")
    await night.types("dead-letters", "replay", "--group", group, "--dry-run")
    (letter, *_) = await night.asks("dead-letters", "list", "--group", group)
    why = ("--why", "is it refused still?", "--as", WHO)
    await night.types("dead-letters", "replay", str(letter["id"]), *why, code=FAILED)


async def _the_mapping_is_changed(night: Night, group: str) -> None:
    night.page.chapter("The mapping is changed, and the group replayed")
    night.page.say(
        "The places of service calls are left out of the tenant's calendars for now. That alone sends nothing: what "
        "was refused waits for whoever deals with it. So one letter is tried again, and then the group, "
        f"{night.rate} a second."
    )
    why = ("--why", "calendars refuse places", "--as", WHO)
    told = await night.typing(("tenants", "set", str(TENANT), _SETTING, *why))
    if told.code:
        raise Failed(told.err)
    shown = "\n".join(line for line in told.out.splitlines() if line.startswith(("version", "mapping.service_call")))
    night.page.typed(night.clock.now(), ("tenants", "set", str(TENANT), _SETTING, *why), shown, whole=True)
    (letter, *_) = await night.asks("dead-letters", "list", "--group", group, "--limit", "1")
    await night.types("dead-letters", "replay", str(letter["id"]), *why)
    began = night.clock.monotonic()
    await night.types("dead-letters", "replay", "--group", group, "--rate", str(night.rate), *why, whole=True)
    night.page.say(
        f"That took {night.clock.monotonic() - began:.0f} s. The letters go out at that rate; each is heard of when a "
        "read-back shows its event, and Cronofy allows 500 requests a minute for all of it."
    )


async def _everything_is_in_sync(
    night: Night, calls: Sequence[PsaItem], calendars: Mapping[int, str], group: str
) -> None:
    night.page.chapter("All in sync")
    resolved = await _resolved(night, group)
    of_users = Counter(user for call in calls for user in call.assignees)
    events = 0
    for user, calendar in calendars.items():
        shown = await night.cronofy.events(calendar)
        _must_be(shown, of_users[user] + 1)
        events += len(shown)
    night.page.say(
        f"{resolved} letters are resolved, none is open. The calendars themselves hold {events} events: one for each "
        "item, none twice, none with a place."
    )
    await night.types("dead-letters", "groups")
    await night.types("log", "--item", f"{ItemType.SERVICE_CALL}/{calls[0].item_id}", whole=True)


async def _resolved(night: Night, group: str) -> int:
    """Return how many letters are resolved, as soon as that is all of them."""
    began = night.clock.monotonic()
    while True:
        listed = await night.asks(
            "dead-letters", "list", "--group", group, "--status", "all", "--limit", str(night.items)
        )
        counts = Counter(str(letter["status"]) for letter in listed)
        if counts == {"resolved": night.items}:
            return night.items
        if night.clock.monotonic() - began > _PATIENCE:
            raise Failed(f"Not all letters were resolved: {dict(counts)}")
        await night.clock.sleep(0.2)


def _must_be(shown: Sequence[EventView], number: int) -> None:
    names = {event.event_id for event in shown}
    if len(shown) != number or len(names) != number:
        raise Failed(f"There are {len(shown)} events, {len(names)} of them different, instead of {number}.")
    if any(event.location for event in shown):
        raise Failed("An event shows a place.")


async def _the_record_tells(night: Night) -> None:
    night.page.chapter("Who did what")
    night.page.say("Each letter has its own history (`calsync dead-letters show`). All that was done, newest first:")
    await night.types("record", whole=True)
    await night.types("dead-letters", "jobs", whole=True)


def typing_to(program: Sequence[str], environment: Mapping[str, str]) -> Typing:
    """Return what types commands as they are typed at a shell."""

    async def typed(words: Sequence[str]) -> Said:
        for_people = "--json" not in words
        process = await asyncio.create_subprocess_exec(
            *program,
            *words,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if for_people else asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Said(process.returncode or 0, out.decode(), (err or b"").decode())

    return typed
