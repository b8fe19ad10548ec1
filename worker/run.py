"""The composition root: opens everything, starts the consumers, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.cronofy.client import Application, Cronofy
from adapters.cronofy.portal import CronofyPortal
from adapters.http.pool import open_pool
from adapters.http.serve import serve
from adapters.mongodb.budget import Budget
from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import Database, open_database, ping
from adapters.mongodb.figures import Figures
from adapters.mongodb.history import History
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.journal import Journal
from adapters.mongodb.leavers import Leavers
from adapters.mongodb.links import Links
from adapters.mongodb.orders import Orders
from adapters.mongodb.overview import Overview
from adapters.mongodb.runs import Runs
from adapters.mongodb.tenants import Tenants
from adapters.mongodb.vault import Vault
from adapters.process.environment import plain
from adapters.process.logs import logger
from adapters.process.system import SystemClock, chance, new_id
from adapters.process.together import together
from adapters.psa.client import Credentials, Psa
from adapters.rabbitmq.connection import Connections, connect
from adapters.rabbitmq.consumer import consume
from adapters.rabbitmq.publisher import Publisher, open_publisher
from adapters.telemetry.counting import counted
from adapters.telemetry.pulse import Pulse
from events.addresses import (
    COMMANDS_QUEUE,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    PSA_ITEMS_QUEUE,
)
from events.failures import System, TryLater
from events.lanes import Lane
from worker.access import CronofyAccess, Service
from worker.console.app import console
from worker.console.guarding import Guard
from worker.console.offices import Means, Office, Offices
from worker.console.sessions import Role, Sessions
from worker.consumers.commands import CommandsConsumer
from worker.consumers.dead_letters import BATCH as KEPT_AT_ONCE
from worker.consumers.dead_letters import Keeper
from worker.consumers.integrations import WishesConsumer
from worker.consumers.items import PREFETCH, ItemsConsumer
from worker.consumers.notifications import BATCH, NotificationsConsumer
from worker.consumers.shop import Shop
from worker.core.record import Timing
from worker.core.retry import backoff
from worker.executor import Executor
from worker.explaining.live import LiveSides
from worker.journaling import ToldJournal
from worker.ops.readiness import Readiness, Systems
from worker.ops.recording import Recorder
from worker.ops.sampling import Sampler
from worker.ops.server import Ops, ops_app
from worker.outages import Outages, watch_broker
from worker.parts import Part
from worker.publishing import EXCHANGES, DeadLetterBox, OutcomeEvents, WakeUps
from worker.purse import Purse
from worker.said import Said
from worker.slice import Tools
from worker.starting import refuse_to_lose, say_what_is_slow
from worker.sweeper import Sweeper
from worker.tenants import TenantCache

if TYPE_CHECKING:
    from worker.holding import Holding
    from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class _Opened:
    """What all parts share."""

    settings: Settings
    connections: Connections
    publisher: Publisher
    database: Database
    vault: Vault
    shop: Shop
    integrations: Integrations
    links: Links
    orders: Orders
    tenants: Tenants
    letters: DeadLetters
    outcomes: OutcomeEvents
    budget: Budget

    @property
    def seen(self) -> Systems:
        """What readiness is about."""
        return Systems(self.publisher, self.database, self.settings.broker_url)


async def run_worker(settings: Settings, parts: Sequence[Part], stopping: asyncio.Event) -> None:
    """Run a worker until `stopping` is set, then finish what is under way.

    At the start, absent systems are waited for: one line says which, and one that it is back. Raises `Misconfigured` if
    a setting is wrong, or the broker lacks what the worker needs, `OSError` if the port of its own server is taken.
    """
    clock = SystemClock()
    ops = Ops(Pulse(), Readiness(clock, stopping.is_set))
    outages, offices = Outages(logger()), Offices()
    tokens = _console_tokens(settings)
    others = [console(Guard(Sessions(tokens), offices, clock), logger())] if tokens else []
    async with serve(ops_app(ops, others), settings.ops_host, settings.ops_port) as url, asyncio.TaskGroup() as tasks:
        logger().info(Said.SERVING, url=url)
        beating = tasks.create_task(ops.pulse.beat())
        try:
            await _run_when_possible(settings, parts, stopping, ops, outages, offices)
        finally:
            beating.cancel()


def _console_tokens(settings: Settings) -> dict[Role, str]:
    given = {Role.READER: settings.console_reader_token, Role.OPERATOR: settings.console_operator_token}
    return {role: token.get_secret_value() for role, token in given.items() if token is not None}


async def _run_when_possible(
    settings: Settings,
    parts: Sequence[Part],
    stopping: asyncio.Event,
    ops: Ops,
    outages: Outages,
    offices: Offices,
) -> None:
    attempts = 0
    while not stopping.is_set():
        try:
            await _run(settings, parts, stopping, ops, outages, offices)
        except* TryLater as group:
            error = _first(group)
            ops.readiness.ends(error)
            outages.away(error)
            delay = min(backoff(attempts, chance()), timedelta(seconds=15))
            attempts += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay.total_seconds()):
                    await stopping.wait()
        else:
            return


def _first(group: BaseExceptionGroup[TryLater]) -> TryLater:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _run(
    settings: Settings,
    parts: Sequence[Part],
    stopping: asyncio.Event,
    ops: Ops,
    outages: Outages,
    offices: Offices,
) -> None:
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        opened = await _open(stack, settings, stopping, clock, ops.pulse, outages)
        runs = [await _start(stack, part, opened, clock) for part in parts]
        ops.begins(opened.seen, Sampler(Figures(opened.database), opened.budget, clock, settings.ops_sample_seconds))
        stack.callback(ops.ends)
        outages.back(System.BROKER, System.STORE)
        opened.shop.log.info(Said.STARTED, parts=[part.value for part in parts])
        async with asyncio.TaskGroup() as tasks:
            for one in runs:
                tasks.create_task(one.run())
            tasks.create_task(watch_broker(lambda: opened.connections.there, outages, stopping))
            figures = Figures(opened.database) if _console_tokens(settings) else None
            tasks.create_task(Recorder(History(opened.database), clock, counted, figures).run(stopping))
            if figures:
                office = await _open_office(stack, opened, offices)
                tasks.create_task(office.run_jobs(stopping))
        opened.shop.log.info(Said.STOPPED)


async def _open(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    stopping: asyncio.Event,
    clock: SystemClock,
    pulse: Pulse,
    outages: Outages,
) -> _Opened:
    vault = Vault(plain(settings.encryption_keys))
    database = await stack.enter_async_context(
        open_database(settings.mongodb_driver, settings.store_url, settings.mongodb_database)
    )
    await ping(database)
    await say_what_is_slow(database, logger())
    await refuse_to_lose(settings, logger())
    connections = await stack.enter_async_context(connect(settings.broker_url, "calsync worker"))
    publisher = await stack.enter_async_context(open_publisher(connections.publishing, EXCHANGES))
    letters = DeadLetters(database, timedelta(days=settings.dead_letters_keep_days))
    shop = Shop(
        clock=clock,
        chance=chance,
        commands=WakeUps(publisher, new_id),
        dead_letters=DeadLetterBox(publisher, new_id, clock),
        letters=letters,
        log=logger(),
        stopping=stopping,
        outages=outages,
        pulse=pulse,
    )
    return _Opened(
        settings=settings,
        connections=connections,
        publisher=publisher,
        database=database,
        shop=shop,
        vault=vault,
        integrations=Integrations(database, vault, clock.monotonic),
        links=Links(database),
        orders=Orders(database),
        tenants=Tenants(database),
        letters=letters,
        outcomes=OutcomeEvents(publisher, new_id),
        budget=Budget(database, settings.cronofy_client_id, settings.allowance),
    )


async def _start(
    stack: contextlib.AsyncExitStack, part: Part, opened: _Opened, clock: SystemClock
) -> ItemsConsumer | WishesConsumer | NotificationsConsumer | CommandsConsumer | Sweeper | Keeper:
    shop, settings, consuming = opened.shop, opened.settings, opened.connections.consuming
    match part:
        case Part.PSA_ITEMS:
            inbox = await stack.enter_async_context(consume(consuming, PSA_ITEMS_QUEUE, PREFETCH))
            return ItemsConsumer(shop, inbox, opened.integrations, opened.links)
        case Part.INTEGRATIONS:
            inbox = await stack.enter_async_context(consume(consuming, INTEGRATIONS_QUEUE, BATCH))
            return WishesConsumer(shop, inbox, opened.integrations, opened.orders, opened.tenants, opened.outcomes)
        case Part.NOTIFICATIONS:
            inbox = await stack.enter_async_context(consume(consuming, NOTIFICATIONS_QUEUE, BATCH))
            return NotificationsConsumer(shop, inbox, opened.integrations, plain(settings.cronofy_client_secrets))
        case Part.COMMANDS:
            executor = await _executor(stack, opened, clock)
            inbox = await stack.enter_async_context(consume(consuming, COMMANDS_QUEUE, settings.integrations_at_once))
            return CommandsConsumer(
                shop, inbox, executor, opened.links, opened.integrations, settings.integrations_at_once
            )
        case Part.SWEEPER:
            return Sweeper(shop, opened.integrations, settings.sweep_seconds)
        case Part.DEAD_LETTERS:
            inbox = await stack.enter_async_context(consume(consuming, DEAD_LETTERS_QUEUE, KEPT_AT_ONCE))
            return Keeper(shop, inbox, opened.letters, opened.links, Overview(opened.database))


async def _executor(stack: contextlib.AsyncExitStack, opened: _Opened, clock: SystemClock) -> Executor:
    settings = opened.settings
    cronofy, psa = await _clients(stack, settings)
    purse = Purse(opened.budget, clock, opened.budget.largest)
    service = Service(cronofy, purse, clock, settings.cronofy_callback_url)
    tenants = TenantCache(opened.tenants, clock, timedelta(days=settings.log_keep_days))
    tools = Tools(
        links=opened.links,
        journal=ToldJournal(Journal(opened.database, tenants.keeps_until), opened.shop.log),
        outcomes=opened.outcomes,
        failed_items=opened.shop.dead_letters,
        platform=psa,
        clock=clock,
        chance=opened.shop.chance,
        orders=opened.orders,
        portal=CronofyPortal(settings.portal_url, settings.cronofy_client_id),
        leavers=Leavers(opened.database, opened.vault),
        runs=Runs(opened.database),
        timing=Timing(),
        outages=opened.shop.outages,
        together=together,
        turn=opened.shop.turn.wait,
        stopping=opened.shop.stopping.is_set,
    )

    def access(holding: Holding, lane: Lane = Lane.REAL_TIME) -> CronofyAccess:
        return CronofyAccess(service, holding, lane)

    return Executor(opened.integrations, opened.shop.commands, tenants, tools, access, access, purse.fill)


async def _open_office(stack: contextlib.AsyncExitStack, opened: _Opened, offices: Offices) -> Office:
    """Open what the console's pages work with, for as long as the worker works."""
    settings, shop = opened.settings, opened.shop
    means = Means(
        database=opened.database,
        rabbitmq_url=settings.broker_url,
        live=await stack.enter_async_context(opened_sides(settings, opened.database)),
        clock=shop.clock,
        new_id=new_id,
        keep=timedelta(days=settings.dead_letters_keep_days),
        log=shop.log,
    )
    return stack.enter_context(offices.opened(means))


async def _clients(stack: contextlib.AsyncExitStack, settings: Settings) -> tuple[Cronofy, Psa]:
    cronofy = Cronofy(
        await stack.enter_async_context(open_pool(System.CRONOFY, settings.cronofy_ca_file)),
        Application(
            settings.cronofy_api_url,
            settings.cronofy_client_id,
            plain(settings.cronofy_client_secrets),
        ),
    )
    psa = Psa(
        await stack.enter_async_context(open_pool(System.PSA, settings.psa_ca_file)),
        Credentials(settings.psa_api_url, settings.psa_client_id, settings.psa_client_secret.get_secret_value()),
    )
    return cronofy, psa


@contextlib.asynccontextmanager
async def opened_sides(settings: Settings, database: Database) -> AsyncGenerator[LiveSides]:
    """Open the way to both sides, for whoever wants to know what they say at this moment."""
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        cronofy, psa = await _clients(stack, settings)
        budget = Budget(database, settings.cronofy_client_id, settings.allowance)
        service = Service(cronofy, budget, clock, settings.cronofy_callback_url)
        integrations = Integrations(database, Vault(plain(settings.encryption_keys)), clock.monotonic)
        yield LiveSides(psa, integrations, lambda holding, lane: CronofyAccess(service, holding, lane), clock, new_id)
