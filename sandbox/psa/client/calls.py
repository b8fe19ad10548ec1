"""How the control API is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx
from pydantic import TypeAdapter
from pydantic_core import to_json

T = TypeVar("T")
NOTHING: Final = TypeAdapter(type(None))
_PATIENCE: Final = 10.0


class ControlRefused(Exception):
    """The control API said no, and why."""


@dataclass(frozen=True)
class Calls:
    """A connection to the control API, on behalf of one tenant."""

    http: httpx.AsyncClient
    tenant_id: int

    @property
    def _tenant(self) -> str:
        return f"/_control/tenants/{self.tenant_id}"

    async def _call(
        self,
        answer: TypeAdapter[T],
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str | float | None] | None = None,
        waits: float = 0.0,
    ) -> T:
        """Call an endpoint that answers after `waits` seconds at the latest."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        content = b"" if body is None else to_json(body, by_alias=True)
        response = await self.http.request(method, path, params=given, content=content, timeout=waits + _PATIENCE)
        if response.is_error:
            raise ControlRefused(f"{method} {path}: {response.status_code} {response.text}")
        return answer.validate_json(response.content)
