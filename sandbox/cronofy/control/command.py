"""How a control endpoint is made: a typed function, a body to parse, and a line for the list of all of them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.clock import Clock
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.background import Background
from sandbox.cronofy.model.state import World

B = TypeVar("B")
Ids = Mapping[str, str]
"""What the path names."""


class Unknown(Exception):
    """Something that the path or the body names does not exist."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a control endpoint can lay hands on."""

    site: Site
    clock: Clock
    background: Background

    @property
    def world(self) -> World:
        """The state of everything."""
        return self.site.world

    def now(self) -> datetime:
        """What time it is."""
        return self.clock.now()


@dataclass(frozen=True, slots=True)
class Command:
    """An endpoint under `/_control`."""

    method: str
    path: str
    meaning: str
    schema: Mapping[str, object]
    run: Callable[[Desk, Ids, Request], Awaitable[object]]

    def route(self, desk: Desk) -> Route:
        """Make a route of it."""

        async def answer(request: Request) -> Response:
            desk.background.turn()  # the past is settled before anything new happens
            try:
                result = await self.run(desk, request.path_params, request)
            except ValueError as error:  # of pydantic, or of what only the model can judge
                return _json(422, {"error": str(error)})
            except Unknown as error:
                return _json(404, {"error": str(error)})
            desk.background.turn()
            return _json(200, result)

        return Route(f"/_control{self.path}", answer, methods=[self.method])


def command(
    method: str, path: str, body: type[B], act: Callable[[Desk, Ids, B], object | Awaitable[object]]
) -> Command:
    """Make an endpoint of a function. With GET the body comes from the query."""
    adapter: TypeAdapter[B] = TypeAdapter(body)

    async def run(desk: Desk, ids: Ids, request: Request) -> object:
        if method == "GET":
            given = adapter.validate_strings(dict(request.query_params))
        else:
            given = adapter.validate_json(await request.body() or b"{}")
        result = act(desk, ids, given)
        return await result if inspect.isawaitable(result) else result

    return Command(method, path, _first_line(act), adapter.json_schema(), run)


def _first_line(act: Callable[..., object]) -> str:
    return (inspect.getdoc(act) or "").partition("\n")[0]


def _json(status: int, value: object) -> Response:
    content = value.model_dump_json().encode() if isinstance(value, BaseModel) else to_json(value)
    return Response(content, status, media_type="application/json")
