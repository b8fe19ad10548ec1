"""Letting people leave, and asking for what is kept about them."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from sandbox.psa.client.calls import Calls
from sandbox.psa.control.views import Number

_NUMBER: Final = TypeAdapter(Number)


class PeopleCalls(Calls):
    """See the module."""

    async def tenant_left(self) -> None:
        """Let the whole tenant leave."""
        await self._call(_NUMBER, "POST", f"{self._tenant}/left")

    async def user_left(self, user_id: int) -> None:
        """Let a user leave."""
        await self._call(_NUMBER, "POST", f"{self._tenant}/users/{user_id}/left")

    async def export_user(self, user_id: int, request_id: str) -> None:
        """Ask for everything that is kept about a user."""
        await self._call(_NUMBER, "POST", f"{self._tenant}/users/{user_id}/export", {"request_id": request_id})

    async def erase_user(self, user_id: int) -> None:
        """Have everything erased that is kept about a user."""
        await self._call(_NUMBER, "POST", f"{self._tenant}/users/{user_id}/erase")
