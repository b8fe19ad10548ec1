"""The way of a call of the calendar API: noted, struck by a fault or not, let in, counted, carried out, answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.psa.api import envelope
from sandbox.psa.api.faults import Delay, Fault, Hang, Refuse, Reset, Status, Thin
from sandbox.psa.api.no_answer import Cut, Silence
from sandbox.psa.api.operations import OPERATIONS, Call, Operation, SigningIn, Unauthorized
from sandbox.psa.model.refusal import Refusal
from sandbox.psa.world import World


def calendar_routes(world: World) -> list[Route]:
    """Return the routes of the calendar API."""
    return [Route(each.path, _endpoint(world, each), methods=[each.method]) for each in OPERATIONS]


def _endpoint(world: World, operation: SigningIn | Operation) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        fault = _fault(world, request)
        noted = {"method": request.method, "path": request.url.path, "query": dict(request.query_params)}
        number = world.traffic.begin(noted, body, world.clock.now(), kept=world.settings.requests_kept)
        status = None
        try:
            response = await _answer(partial(_carried_out, world, operation, request, body), fault)
            status = None if isinstance(response, Cut | Silence) else response.status_code
            return response
        finally:
            world.traffic.end(number, status, fault.effect.effect if fault else None)
            world.bell.ring()

    return answer


def _fault(world: World, request: Request) -> Fault | None:
    """Return the fault that strikes this call: the oldest one that does."""
    method, path, item_id = request.method, request.url.path, request.path_params.get("itemId")
    return next(world.faults.striking(lambda fault: fault.concerns(method, path, item_id), world.fault_chance), None)


async def _answer(carry_out: Callable[[], Response], fault: Fault | None) -> Response:
    if fault is None:
        return carry_out()
    carried_out = carry_out() if fault.applied else None
    match fault.effect:
        case Status(status=status, retry_after=seconds):
            headers = {} if seconds is None else {"Retry-After": str(seconds)}
            return Response("The gateway says no.", status, headers, "text/plain")
        case Refuse(code=code, message=message):
            return envelope.failed(200, code, message)
        case Delay(seconds=seconds):
            await asyncio.sleep(seconds)
            return carried_out or carry_out()
        case Reset():
            return Cut()
        case Hang():
            return Silence()
        case Thin(keep=keep):
            return envelope.thinned(carried_out or carry_out(), keep)
        case _:
            assert_never(fault.effect)


def _carried_out(world: World, operation: SigningIn | Operation, request: Request, body: bytes) -> Response:
    try:
        match operation:
            case SigningIn():
                return envelope.done(operation.run(world, body))
            case Operation():
                return _let_in(world, operation, request, body)
    except Unauthorized as error:
        return envelope.unauthorized(str(error))
    except Refusal as refusal:
        return envelope.refused(refusal)


def _let_in(world: World, operation: Operation, request: Request, body: bytes) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    tenant_id = world.tokens.tenant_of(token, world.clock.now()) if scheme.lower() == "bearer" else None
    if tenant_id is None:
        raise Unauthorized("The token is expired or unknown.")
    wait = _seconds_to_wait(world, tenant_id, operation)
    if wait is not None:
        return envelope.too_many(wait)
    return envelope.done(operation.run(world, Call(tenant_id, request.path_params, request.query_params, body)))


def _seconds_to_wait(world: World, tenant_id: int, operation: Operation) -> int | None:
    allowed = world.settings.calls_per_hour
    if allowed is None:
        return None
    return world.limits.seconds_to_wait(tenant_id, f"{operation.method} {operation.path}", allowed, world.clock.now())
