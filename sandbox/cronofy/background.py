"""The work that goes on behind the requests: what is due happens, and notifications are delivered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from datetime import datetime
from typing import Final

import httpx

from events.notification import signature
from sandbox.clock import Clock
from sandbox.cronofy.model.notify import delivered
from sandbox.cronofy.model.passage import catch_up
from sandbox.cronofy.model.state import Dispatch, World
from sandbox.trust import trusted

_DELIVERIES_AT_ONCE: Final = 16


class Background:
    """Runs while `running` is open. Whoever changes the world calls `turn` afterwards."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.delivering = 0
        """How many deliveries are under way."""
        self._world = world
        self._clock = clock
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: datetime | None = None
        self._slots = asyncio.Semaphore(_DELIVERIES_AT_ONCE)
        self._turned = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Let the work go on while the block runs. Deliveries under way at its end are given up."""
        timeout = None  # each delivery has one of its own, for all of it
        failure: Exception | None = None
        async with (
            httpx.AsyncClient(verify=trusted(), timeout=timeout, trust_env=False) as self._http,
            asyncio.TaskGroup() as self._group,
        ):
            self.turn()
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below: it is not the task group's to wrap
                failure = error
            finally:
                self._stop()
        if failure is not None:
            raise failure

    def _stop(self) -> None:
        self._group = None
        for task in self._tasks:
            task.cancel()

    def turn(self) -> None:
        """Let what is due happen, start what must be delivered, and set the alarm for what is due next."""
        catch_up(self._world, self._clock.now())
        if self._group is not None:
            for dispatch in self._world.outbox:
                self.delivering += 1
                _ = self._start(self._group, self._deliver(dispatch))
            self._world.outbox.clear()
            self._set_alarm(self._group)
        self._turned.set()
        self._turned = asyncio.Event()

    async def turned(self) -> None:
        """Wait until something has happened."""
        await self._turned.wait()

    def _set_alarm(self, group: asyncio.TaskGroup) -> None:
        due = self._world.agenda.next_due()
        if due == self._alarm_at and self._alarm is not None:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = None if due is None else self._start(group, self._ring(due))

    def _start(self, group: asyncio.TaskGroup, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _ring(self, due: datetime) -> None:
        await self._clock.sleep_until(due)
        self._alarm = None  # it has rung: setting the next one must not cancel this task
        self.turn()

    async def _deliver(self, dispatch: Dispatch) -> None:
        async with self._slots:
            accepted = await self._post(dispatch)
        if not dispatch.copy:
            delivered(self._world, dispatch.number, accepted=accepted)
        self.delivering -= 1
        self.turn()

    async def _post(self, dispatch: Dispatch) -> bool:
        assert self._http is not None
        secrets = self._world.application.client_secrets
        headers = {
            "content-type": "application/json; charset=utf-8",
            "cronofy-hmac-sha256": ",".join(signature(secret, dispatch.body) for secret in secrets),
        }
        try:
            async with asyncio.timeout(self._world.settings.notification_timeout):
                response = await self._http.post(dispatch.url, content=dispatch.body, headers=headers)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL):
            return False
        return response.is_success
