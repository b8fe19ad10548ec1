"""The list of all control endpoints, for people and programs; and the routes themselves."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, Router

from sandbox.cronofy.api.front import ENDPOINTS
from sandbox.cronofy.control import accounts, events, operation
from sandbox.cronofy.control.command import Command, Desk
from sandbox.cronofy.model.settings import Settings

COMMANDS: Final = (*accounts.COMMANDS, *events.COMMANDS, *operation.COMMANDS)


def control_router(desk: Desk) -> Router:
    """Serve all control endpoints and the list of them."""
    return Router([Route("/_control/", _index, methods=["GET"]), *(command.route(desk) for command in COMMANDS)])


async def _index(request: Request) -> Response:  # noqa: RUF029 - what Starlette runs at once must be a coroutine
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page(COMMANDS))
    listed = {
        "control": [_entry(command) for command in COMMANDS],
        "operations": [_operation(endpoint.act, endpoint.method, endpoint.template) for endpoint in ENDPOINTS],
        "settings": Settings.model_json_schema(),
    }
    return Response(to_json(listed), media_type="application/json")


def _entry(command: Command) -> dict[str, object]:
    return {
        "method": command.method,
        "path": f"/_control{command.path}",
        "meaning": command.meaning,
        "takes": command.schema,
    }


def _operation(act: object, method: str, template: str) -> dict[str, str]:
    """Name one of Cronofy's endpoints as fault rules do."""
    name = getattr(act, "__name__", "")
    meaning = (getattr(act, "__doc__", "") or "").partition("\n")[0]
    return {"operation": name, "method": method, "path": template, "meaning": meaning}


def _page(commands: Iterable[Command]) -> str:
    rows = "".join(
        f"<tr><td>{command.method}<td><code>/_control{html.escape(command.path)}</code><td>{html.escape(command.meaning)}"
        for command in commands
    )
    operations = "".join(
        f"<tr><td>{entry['method']}<td><code>{html.escape(entry['path'])}</code><td>{entry['operation']}"
        f"<td>{html.escape(entry['meaning'])}"
        for entry in (_operation(endpoint.act, endpoint.method, endpoint.template) for endpoint in ENDPOINTS)
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Cronofy sandbox</title>"
        f"<h1>Control</h1><table>{rows}</table><h1>Operations that fault rules can name</h1><table>{operations}</table>"
        "<p>Ask for <code>application/json</code> to see what each takes, and all settings.</p></html>"
    )
