"""The Cronofy sandbox as one ASGI app.

How to run one:

    app = create_app(Clock(), Chance(seed=1), Application("client", ("secret",)))
    async with app.running(), serve(app) as base_url:
        ...
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from starlette.types import Receive, Scope, Send

from sandbox.clock import Chance, Clock
from sandbox.cronofy.api.faults import Faults
from sandbox.cronofy.api.front import serve_call
from sandbox.cronofy.api.http import Exchange
from sandbox.cronofy.api.received import ReceivedRequests
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.background import Background
from sandbox.cronofy.control.command import Desk
from sandbox.cronofy.control.page import control_router
from sandbox.cronofy.model.settings import Settings
from sandbox.cronofy.model.state import Application, World


class App:
    """One sandbox. It serves requests while `running` is open."""

    def __init__(self, clock: Clock, site: Site) -> None:
        self._clock = clock
        self._site = site
        self._background = Background(site.world, clock)
        self._control = control_router(Desk(site, clock, self._background))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Let writes be applied and notifications be delivered while the block runs."""
        return self._background.running()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["path"].startswith("/_control"):
            await self._control(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self._clock)
        call = await exchange.read()
        self._background.turn()  # the past is settled before anything new happens
        served = serve_call(self._site, call)
        self._background.turn()  # what takes no time is done before the answer leaves
        await exchange.answer(call, served, compress=self._site.world.settings.gzip)


def create_app(clock: Clock, chance: Chance, application: Application, settings: Settings | None = None) -> App:
    """Make a sandbox with nobody in it yet. The same chance and the same requests give the same run."""
    chance = chance.stream("cronofy")
    world = World(application, settings or Settings(), chance)
    return App(clock, Site(world, Faults(chance.stream("faults")), ReceivedRequests()))
