"""What an endpoint of the control API is, and how it is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.psa.model.refusal import Code, Refusal, problems
from sandbox.psa.world import World

_DOCUMENT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class Ask:
    """What an endpoint is asked."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, JsonValue]:
        """Read the body as a JSON object; no body is an empty one."""
        return _DOCUMENT.validate_json(self.body) if self.body else {}

    def number_in_path(self, name: str) -> int:
        """Read a whole number of the path."""
        return _whole_number(name, self.path[name])

    def number(self, name: str) -> int | None:
        """Read a whole number of the query, if it is given."""
        return _whole_number(name, self.query[name]) if name in self.query else None

    def seconds(self, name: str) -> float:
        """Read seconds of the query; 0 if not given."""
        try:
            return float(self.query.get(name, "0"))
        except ValueError:
            raise Refusal(Code.MALFORMED, f"{name}: a number of seconds") from None


def _whole_number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refusal(Code.MALFORMED, f"{name}: a whole number") from None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the table. `run` returns what is answered as JSON; it is a coroutine function only if it waits."""

    method: str
    path: str
    meaning: str
    run: Callable[[World, Ask], object]


def control_route(world: World, endpoint: Endpoint) -> Route:
    """Serve an endpoint."""

    async def answer(request: Request) -> Response:
        ask = Ask(request.path_params, request.query_params, await request.body())
        try:
            content = endpoint.run(world, ask)
            if isinstance(content, Awaitable):
                content = await cast("Awaitable[object]", content)
            return _json(200, content)
        except Refusal as refusal:
            return _json(refusal.code // 100, {"code": refusal.code, "message": refusal.message})
        except ValidationError as error:
            return _json(400, {"code": Code.MALFORMED, "message": problems(error)})

    return Route(endpoint.path, answer, methods=[endpoint.method])


def _json(status: int, content: object) -> Response:
    return Response(to_json(content, by_alias=True), status, media_type="application/json")


def tenant_of(world: World, ask: Ask) -> int:
    """Return the tenant of the path, who is known from now on."""
    tenant_id = ask.number_in_path("tenant")
    world.ledger.mention(tenant_id)
    return tenant_id
