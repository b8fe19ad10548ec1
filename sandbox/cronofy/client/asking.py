"""How the parts of the client ask."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from sandbox.cronofy.control.event_messages import EventView
from sandbox.trust import trusted

T = TypeVar("T")
_PATIENCE: Final = 70
"""Longer than the longest wait for quiet."""


class ControlError(Exception):
    """The sandbox refused: no such thing, or something wrong with what was asked."""


class Asking:
    """A connection to the control endpoints of one sandbox."""

    def __init__(self, base_url: str) -> None:
        url = f"{base_url}/_control"
        self._http = httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False, verify=trusted())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def _do(self, method: str, path: str, body: object = None) -> None:
        await self._send(method, path, body)

    async def _ask(self, answer: type[T], method: str, path: str, body: object = None) -> T:
        return TypeAdapter(answer).validate_json(await self._send(method, path, body))

    async def _send(self, method: str, path: str, body: object) -> bytes:
        response = await self._http.request(method, path, content=_encode(body))
        if not response.is_success:
            raise ControlError(f"{method} {path}: {response.status_code} {response.text}")
        return response.content


def _encode(body: object) -> bytes:
    if body is None:
        return b""
    return body.model_dump_json().encode() if isinstance(body, BaseModel) else TypeAdapter(object).dump_json(body)


def calendar_path(calendar_id: str) -> str:
    """Give a calendar's path; its id contains characters that need care."""
    return f"/calendars/{quote(calendar_id, safe='')}"


def event_path(event: EventView) -> str:
    """Give an event's path."""
    return f"{calendar_path(event.calendar_id)}/events/{quote(event.event_uid, safe='')}"
