"""What the operator does: move the clock, turn switches, let things go wrong."""

from __future__ import annotations

from datetime import datetime

from sandbox.cronofy.api.faults import Effect, Fault, Match
from sandbox.cronofy.client.asking import Asking
from sandbox.cronofy.control.operation_messages import ClockView, FaultView, Secrets, SetClock
from sandbox.cronofy.model.settings import PROMPT, Settings


class Operation(Asking):
    """Acts as the operator."""

    async def now(self) -> datetime:
        """Tell the sandbox's time."""
        return (await self._ask(ClockView, "GET", "/clock")).now

    async def advance(self, seconds: float) -> datetime:
        """Move the clock on; what becomes due has happened when this returns."""
        return (await self._ask(ClockView, "POST", "/clock/advance", {"seconds": seconds})).now

    async def set_clock(self, instant: datetime) -> datetime:
        """Move the clock to a point in time."""
        return (await self._ask(ClockView, "POST", "/clock/set", SetClock(to=instant))).now

    async def freeze(self) -> None:
        """Let time stand still unless it is moved."""
        await self._do("POST", "/clock/freeze")

    async def unfreeze(self) -> None:
        """Let time run on from where it stands."""
        await self._do("POST", "/clock/unfreeze")

    async def settings(self) -> Settings:
        """Tell how all switches stand."""
        return await self._ask(Settings, "GET", "/settings")

    async def change_settings(self, **changes: object) -> Settings:
        """Change switches by name; see `Settings`."""
        return await self._ask(Settings, "PATCH", "/settings", changes)

    async def reset_settings(self) -> Settings:
        """Put all switches back."""
        return await self._ask(Settings, "DELETE", "/settings")

    async def make_prompt(self) -> None:
        """Let everything happen at once: for whoever is not interested in delays."""
        await self.change_settings(**PROMPT)

    async def rotate_secrets(self, *secrets: str) -> None:
        """Set the application's active client secrets, one or two."""
        await self._do("POST", "/application/secrets", Secrets(secrets=secrets))

    async def expire_pages(self) -> None:
        """Let every page of every read expire."""
        await self._do("POST", "/pages/expire")

    async def set_fault(
        self,
        effect: Effect | None = None,
        match: Match | None = None,
        *,
        delay: float = 0,
        count: int | None = 1,
        probability: float = 1,
    ) -> int:
        """Let something go wrong with the next requests that match, and return the rule's number."""
        fault = Fault(match=match or Match(), effect=effect, delay=delay, count=count, probability=probability)
        return (await self._ask(FaultView, "POST", "/faults", fault)).number

    async def faults(self) -> list[FaultView]:
        """List the rules in force."""
        return await self._ask(list[FaultView], "GET", "/faults")

    async def clear_faults(self) -> None:
        """Take all rules back."""
        await self._do("DELETE", "/faults")

    async def clear_fault(self, number: int) -> None:
        """Take one rule back."""
        await self._do("DELETE", f"/faults/{number}")
