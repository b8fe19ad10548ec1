"""What calendar sync told the platform."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from events.contract import Contract, parse
from events.outcomes import OUTCOME, ItemData, Outcome


class Told(Contract):
    """One outcome. One that is sent again has the same id and is counted, not listed again."""

    number: int
    received_at: AwareDatetime
    times: int = 1
    event: Outcome


class WhichOutcomes(Contract):
    """Which outcomes are asked for."""

    type: str | None = None
    integration_id: str | None = None
    item_id: str | None = None

    def includes(self, told: Told) -> bool:
        """Whether it is one of them."""
        data = told.event.data
        item_id = data.item_id if isinstance(data, ItemData) else None
        return (
            self.type in {None, told.event.type}
            and self.integration_id in {None, data.integration_id}
            and self.item_id in {None, item_id}
        )


class Outcomes:
    """See the module. Numbered from 1, in the order in which they first came."""

    def __init__(self) -> None:
        self._told: list[Told] = []
        self._places: dict[tuple[str, str], int] = {}

    def receive(self, body: bytes, now: datetime) -> None:
        """Keep an outcome. Raises `Malformed` if it breaks its contract."""
        event = parse(OUTCOME, body)
        place = self._places.setdefault((event.source, event.id), len(self._told))
        if place == len(self._told):
            self._told.append(Told(number=place + 1, received_at=now, event=event))
        else:
            known = self._told[place]
            self._told[place] = known.model_copy(update={"times": known.times + 1})

    @property
    def newest(self) -> int:
        """The number of the newest one."""
        return len(self._told)

    def listed(self, which: WhichOutcomes, after: int) -> list[Told]:
        """Return these outcomes, in order, from the one after a number."""
        return [told for told in self._told[after:] if which.includes(told)]
