"""The control API: acting as the platform's users, watching, and making trouble. `GET /_control/` lists it."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from sandbox.psa.control.endpoint import Ask, Endpoint, control_route
from sandbox.psa.control.items import ITEM_ENDPOINTS
from sandbox.psa.control.sync import SYNC_ENDPOINTS
from sandbox.psa.control.trouble import TROUBLE_ENDPOINTS
from sandbox.psa.control.views import EndpointView
from sandbox.psa.world import World


def _index(world: World, ask: Ask) -> list[EndpointView]:
    del world, ask
    return [EndpointView(method=each.method, path=each.path, meaning=each.meaning) for each in ENDPOINTS]


ENDPOINTS: Final = (
    Endpoint("GET", "/_control/", "All of these.", _index),
    *ITEM_ENDPOINTS,
    *SYNC_ENDPOINTS,
    *TROUBLE_ENDPOINTS,
)


def control_routes(world: World) -> list[Route]:
    """Return the routes of the control API."""
    return [control_route(world, endpoint) for endpoint in ENDPOINTS]
