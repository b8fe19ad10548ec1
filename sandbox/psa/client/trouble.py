"""Making trouble: faults of calls, mishaps of events, other habits."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter

from sandbox.psa.api.faults import Fault
from sandbox.psa.client.calls import NOTHING, Calls
from sandbox.psa.control.views import ArmedFault, ArmedMishap, EndpointView, Number
from sandbox.psa.model.settings import Settings
from sandbox.psa.publishing.mishaps import Mishap

_FAULTS: Final = TypeAdapter(list[ArmedFault])
_MISHAPS: Final = TypeAdapter(list[ArmedMishap])
_NUMBER: Final = TypeAdapter(Number)
_SETTINGS: Final = TypeAdapter(Settings)
_ENDPOINTS: Final = TypeAdapter(list[EndpointView])


class TroubleCalls(Calls):
    """See the module."""

    async def add_fault(self, fault: Fault) -> int:
        """Let calls of the calendar API fail, and return the fault's number."""
        return (await self._call(_NUMBER, "POST", "/_control/faults", fault)).number

    async def faults(self) -> list[ArmedFault]:
        """Return the faults that can still strike."""
        return await self._call(_FAULTS, "GET", "/_control/faults")

    async def remove_faults(self, number: int | None = None) -> None:
        """Remove one fault, or all."""
        await self._call(NOTHING, "DELETE", "/_control/faults" + (f"/{number}" if number else ""))

    async def add_mishap(self, mishap: Mishap) -> int:
        """Let something happen to events, and return the mishap's number."""
        return (await self._call(_NUMBER, "POST", "/_control/mishaps", mishap)).number

    async def mishaps(self) -> list[ArmedMishap]:
        """Return the mishaps that can still strike."""
        return await self._call(_MISHAPS, "GET", "/_control/mishaps")

    async def remove_mishaps(self, number: int | None = None) -> None:
        """Remove one mishap, or all."""
        await self._call(NOTHING, "DELETE", "/_control/mishaps" + (f"/{number}" if number else ""))

    async def settings(self) -> Settings:
        """Return the platform's habits."""
        return await self._call(_SETTINGS, "GET", "/_control/settings")

    async def change_settings(self, **changes: object) -> Settings:
        """Change some of them. Chance begins anew from the seed."""
        return await self._call(_SETTINGS, "PATCH", "/_control/settings", changes)

    async def endpoints(self) -> list[EndpointView]:
        """Return the table of the control API."""
        return await self._call(_ENDPOINTS, "GET", "/_control/")
