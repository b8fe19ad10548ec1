"""Naming requests without saying whom they are about."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from typing import Final

from events.failures import SyncError

_WORD: Final = re.compile(r"v[0-9]+|[a-z][a-z_-]*|\.\.\.", re.IGNORECASE)
_LONGEST: Final = 300


def route(url: str) -> str:
    """Return an address without host, query and ids: `/v2/calendar/items/service_call/{id}`."""
    path = url.partition("?")[0].partition("#")[0].partition("://")[2].partition("/")[2]
    return "".join(f"/{part if not part or _WORD.fullmatch(part) else '{id}'}" for part in path.split("/"))


def call(method: str, url: str, status: object = "") -> str:
    """Return how a request is named in a dead letter."""
    return f"{method} {route(url)} {status}".strip()[:_LONGEST]


@contextlib.contextmanager
def naming_call(method: str, url: str) -> Generator[None, None, None]:
    """Have failures say which request they were about."""
    try:
        yield
    except SyncError as error:
        status = error.detail if error.detail.isdecimal() else ""
        error.call = error.call or call(method, url, status)
        raise
