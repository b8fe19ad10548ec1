"""A stage with everything on it: broker, store, both sandboxes, the relay, and workers in this process or their own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from pydantic import SecretStr
from pymongo import MongoClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_incrementing

from adapters.mongodb.driver import Driver
from adapters.mongodb.vault import new_key
from adapters.process.environment import PREFIX
from cli.commands.topology import apply_topology
from cli.local.workers import WorkerProcess
from events.link import ItemKey, managed_event_id
from events.outcomes import Configured
from relay.run import running_relay
from relay.settings import RelaySettings
from sandbox.clock import Clock
from sandbox.cronofy.client import CronofyControl
from sandbox.cronofy.control.account_messages import CreatedAccount, NewAccount
from sandbox.cronofy.control.event_messages import EventView
from sandbox.cronofy.model.settings import PROMPT, Service
from sandbox.cronofy.model.settings import Settings as CronofyHabits
from sandbox.psa.client import PsaControl, PsaItem, psa_control
from sandbox.run import Ways, running_sandboxes
from sandbox.settings import SandboxSettings
from worker.parts import ALL_PARTS, Part
from worker.run import run_worker
from worker.settings import Settings

T = TypeVar("T")
TENANT: Final = 1204
DANA: Final = 5571
SECRET: Final = "sandbox-secret"
PATIENCE: Final = 60.0
_COLLECTIONS: Final = ("integrations", "links", "sync_log", "dead_letters", "replay_jobs", "operator_actions")
AT_ONCE: Final = CronofyHabits.model_validate(PROMPT)
"""A calendar in which everything happens at once, for stories that are not about time."""
GENEROUS: Final = AT_ONCE.model_copy(update={"requests_per_second": 10_000, "requests_per_minute": 100_000})
"""One that allows more than anybody needs, as well."""


@dataclass(frozen=True)
class Services:
    """Where a story takes place: a virtual host and a database of its own."""

    rabbitmq_url: str
    mongodb_url: str
    database: str
    driver: Driver = Driver.PYMONGO


class NotYet(Exception):
    """What is waited for has not happened."""


@dataclass
class Linked:
    """A user with a linked calendar."""

    stage: Stage
    user_id: int
    integration_id: str
    account: CreatedAccount

    @property
    def calendar_id(self) -> str:
        return self.account.calendar_id

    async def events(self) -> list[EventView]:
        """Return what truly is in the calendar."""
        return await self.stage.cronofy.events(self.calendar_id)

    async def event(self, item: PsaItem) -> EventView:
        """Return the event that was made for an item, as soon as there is one."""
        name = self.name(item)
        return await self.stage.until(lambda: self._named(name))

    def name(self, item: PsaItem) -> str:
        """Return the id of the event that is made for an item."""
        return managed_event_id(ItemKey(TENANT, item.item_type, item.item_id, item.part_id), self.user_id)

    async def _named(self, event_id: str) -> EventView:
        found = [event for event in await self.events() if event.event_id == event_id]
        assert len(found) <= 1, f"there are {len(found)} events {event_id}"
        if not found:
            raise NotYet(event_id)
        return found[0]

    async def shows(self, item: PsaItem, **fields: object) -> EventView:
        """Return the event of an item as soon as it shows these fields."""
        return await self.stage.until(lambda: self._shows(item, fields))

    async def _shows(self, item: PsaItem, fields: Mapping[str, object]) -> EventView:
        event = await self.event(item)
        shown = {name: getattr(event, name) for name in fields}
        if shown != dict(fields):
            raise NotYet(f"{shown} instead of {fields}")
        return event

    async def gone(self, item: PsaItem) -> None:
        """Return as soon as the event of an item is not there any more."""
        name = self.name(item)
        await self.stage.until(lambda: self._without(name))

    async def _without(self, event_id: str) -> None:
        if any(event.event_id == event_id for event in await self.events()):
            raise NotYet(f"{event_id} is still there")

    async def appointment(self, event: EventView) -> PsaItem:
        """Return the appointment that was made of an event, as soon as there is one."""
        return await self.stage.until(lambda: self._made_of(event))

    async def rest(self, still_for: float = 0.5) -> None:
        """Return when nothing moves any more and no work of this user's waits, whatever others wait for."""
        await self.stage.rest(still_for, self.integration_id)

    async def _made_of(self, event: EventView) -> PsaItem:
        mine = [item for item in await self.stage.psa.items(self.user_id) if not item.deleted]
        found = [item for item in mine if event.event_uid in str(getattr(item.facts.item, "external_reference", ""))]
        assert len(found) <= 1, f"there are {len(found)} appointments of {event.event_uid}"
        if not found:
            raise NotYet(event.event_uid)
        return found[0]


@dataclass
class Stage:
    """See the module."""

    services: Services
    settings: Settings
    psa: PsaControl
    cronofy: CronofyControl
    clock: Clock
    store: dict[str, Any]
    folder: Path
    workers: list[asyncio.Event] = field(default_factory=list[asyncio.Event])

    async def link(
        self,
        user_id: int = DANA,
        *,
        provider: Service = Service.GOOGLE,
        given: NewAccount | None = None,
        time_zone: str | None = "Europe/Berlin",
        **ticks: Any,
    ) -> Linked:
        """Let a user connect and configure, and return when real-time sync is on."""
        account = await self.cronofy.create_account(provider, given)
        integration_id = f"int-{user_id}"
        await self.psa.connect(integration_id, user_id, account.code, time_zone=time_zone)
        await self.psa.configure(integration_id, account.calendar_id, **ticks)
        await self.psa.outcome(Configured, integration_id=integration_id, within=PATIENCE)
        return Linked(self, user_id, integration_id, account)

    async def until(self, look: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
        """Look until it is so."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(NotYet),
            wait=wait_incrementing(0.03, 0.02, 0.3),
            stop=stop_after_delay(patience),
            reraise=True,
        ):
            with attempt:
                return await look()
        raise AssertionError

    async def log(self, integration_id: str, **which: object) -> list[dict[str, Any]]:
        """Return the lines of an integration's log that say this, the oldest first."""
        query = {"integration_id": integration_id, **which}
        return await asyncio.to_thread(lambda: list(self.store["sync_log"].find(query).sort("at")))

    async def told(self, integration_id: str, **which: object) -> dict[str, Any]:
        """Return the newest such line of the log, as soon as there is one."""
        return await self.until(lambda: self._told(integration_id, which))

    async def _told(self, integration_id: str, which: Mapping[str, object]) -> dict[str, Any]:
        lines = await self.log(integration_id, **which)
        if not lines:
            raise NotYet(f"no line with {which}")
        return lines[-1]

    async def rest(self, still_for: float = 0.5, only: str | None = None) -> None:
        """Return when nothing moves any more and no work waits, except for a time that is far away.

        `only`: of this integration. What others have begun may wait half a minute until it can be taken for arrived.
        """
        await self.until(lambda: self._rests(only))
        await self.psa.wait_until_quiet(still_for=still_for, within=PATIENCE)
        await self.cronofy.wait_until_quiet(timeout=PATIENCE)
        await self.until(lambda: self._rests(only))

    async def _rests(self, only: str | None) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)  # noqa: TID251 - the workers' clock is real
        waiting = await asyncio.to_thread(self._waiting, soon, only)
        if waiting:
            raise NotYet(f"{waiting} still wait")

    def _waiting(self, soon: datetime, only: str | None) -> list[str]:
        integrations, links = self.store["integrations"], self.store["links"]
        unasked = {
            "$min": ["$held.audit.light_at", "$held.audit.deep_at", "$held.audit.stock.at"]
        }  # looking unasked goes on for ever
        due = {
            "$expr": {
                "$and": [
                    {"$lte": ["$due_at", soon]},
                    {"$ne": [{"$ifNull": ["$due_at", None]}, None]},
                    {"$ne": ["$due_at", unasked]},
                ]
            }
        }
        its: dict[str, Any] = {} if only is None else {"_id": only}
        theirs: dict[str, Any] = {} if only is None else {"integration_id": only}
        busy = integrations.find({"$or": [{"lease.owner": {"$ne": None}}, due], **its}, {"_id": 1})
        waiting = links.find({"due_at": {"$lte": soon}, **theirs}, {"_id": 1}).limit(5)
        return [str(document["_id"]) for document in [*busy, *waiting]]

    async def writes(self) -> tuple[int, int]:
        """Return how many writes were sent to Cronofy and to the PSA."""
        batches = await self.cronofy.requests(path="/v1/batch")
        entries = sum(len(request.entries) for request in batches)
        changes = [one for one in await self.psa.requests(path="/v2/calendar/*") if one.method != "GET"]
        return entries, len(changes)

    @contextlib.asynccontextmanager
    async def working(
        self, count: int = 1, parts: Sequence[Part] = ALL_PARTS, **changes: object
    ) -> AsyncGenerator[None, None]:
        """Let workers of this process work while the block runs."""
        settings = self.settings.model_copy(update=changes)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(run_worker(settings, parts, stopping))
            try:
                yield
            finally:
                stopping.set()

    @contextlib.asynccontextmanager
    async def processes(self, count: int = 1, **changes: object) -> AsyncGenerator[list[WorkerProcess], None]:
        """Let workers in processes of their own work while the block runs."""
        variables = environment(self.settings.model_copy(update=changes))
        workers = [WorkerProcess(variables, self.folder / f"worker-{number}.log") for number in range(count)]
        try:
            for worker in workers:
                await worker.start()
            for worker in workers:
                await worker.ready()
            yield workers
        finally:
            await asyncio.gather(*(worker.stop() for worker in workers))


@contextlib.asynccontextmanager
async def stage(
    services: Services, folder: Path, habits: CronofyHabits = AT_ONCE, *, clock: Clock | None = None, **settings: Any
) -> AsyncGenerator[Stage, None]:
    """Set the stage. `settings`: of the workers."""
    clock = clock or Clock()
    ways = Ways(cronofy=habits, clock=clock)
    credentials = SandboxSettings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        cronofy_client_secrets=(SecretStr(SECRET),),
        psa_client_secret=SecretStr(SECRET),
    )
    relay = RelaySettings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        cronofy_client_secrets=(SecretStr(SECRET),),
    )
    wanted = _settings(services, settings)
    assert await apply_topology(wanted) == []
    async with (
        running_sandboxes(credentials, ways) as there,
        running_relay(relay, "127.0.0.1", 0) as relay_url,
        CronofyControl(there.cronofy_url) as cronofy,
        psa_control(there.psa_url, TENANT) as psa,
    ):
        await psa.change_settings(calls_per_hour=None)
        wanted = wanted.model_copy(
            update={
                "cronofy_api_url": there.cronofy_url,
                "cronofy_callback_url": f"{relay_url}/notifications",
                "psa_api_url": there.psa_url,
            }
        )
        with MongoClient[dict[str, Any]](services.mongodb_url, tz_aware=True) as client:
            store: dict[str, Any] = {name: client[services.database][name] for name in _COLLECTIONS}
            yield Stage(services, wanted, psa, cronofy, clock, store, folder)


@contextlib.asynccontextmanager
async def held_open(opening: AbstractAsyncContextManager[T]) -> AsyncGenerator[T, None]:
    """Hold something open in a task of its own: a fixture begins in one task and ends in another."""
    opened: asyncio.Queue[T] = asyncio.Queue()
    over = asyncio.Event()

    async def hold() -> None:
        async with opening as what:
            opened.put_nowait(what)
            await over.wait()

    holding = asyncio.create_task(hold())  # noqa: TID251 - awaited right here
    waiting = asyncio.create_task(opened.get())  # noqa: TID251
    await asyncio.wait({holding, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not waiting.done():
            waiting.cancel()
            await holding  # raises what was wrong
        yield await waiting
    finally:
        over.set()
        await holding


@contextlib.asynccontextmanager
async def at_work(services: Services, folder: Path, **settings: Any) -> AsyncGenerator[Stage, None]:
    """Set a stage on which one worker works all the time."""
    async with stage(services, folder, **settings) as world, world.working():
        yield world


def _settings(services: Services, changes: Mapping[str, Any]) -> Settings:
    settings = Settings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        mongodb_url=SecretStr(services.mongodb_url),
        mongodb_database=services.database,
        mongodb_driver=services.driver,
        cronofy_api_url="http://to.be.known",
        cronofy_client_id="sandbox-client",
        cronofy_client_secrets=(SecretStr(SECRET),),
        cronofy_callback_url="http://to.be.known",
        psa_api_url="http://to.be.known",
        psa_client_id="calsync",
        psa_client_secret=SecretStr(SECRET),
        encryption_keys=(SecretStr(new_key()),),
        sweep_seconds=0.2,
    )
    return settings.model_copy(update=dict(changes))


def environment(settings: Settings) -> dict[str, str]:
    """Return settings as a process of its own is given them."""
    return {f"{PREFIX}{name.upper()}": _plain(getattr(settings, name)) for name in type(settings).model_fields}


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(_plain(one) for one in cast("tuple[object, ...]", value))
    return str(value)
