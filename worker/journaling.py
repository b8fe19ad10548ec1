"""The sync log, told to the process's log as well: a line for each thing that was done, or not, with ids that join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.journal import Entry, Mark, Result, Which
from worker.said import Said

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.process.logs import Logger
    from worker.ports import Journal


@dataclass(frozen=True, slots=True)
class ToldJournal:
    """Writes entries, and says them: without titles, values and words of others. What was skipped, only for DEBUG."""

    journal: Journal
    log: Logger

    async def write(self, entries: Sequence[Entry]) -> int:
        """See `worker.ports.Journal`."""
        new = await self.journal.write(entries)
        for entry in entries:
            say = self.log.debug if entry.result is Result.SKIPPED else self.log.info
            say(
                Said.ACTED,
                act=entry.act,
                result=entry.result,
                reason=entry.reason,
                direction=entry.direction,
                trigger=entry.trigger,
                tenant_id=entry.tenant_id,
                integration_id=entry.integration_id,
                item=str(entry.item) if entry.item else None,
                link_id=entry.link_id,
                fields=entry.fields,
                attempt=entry.attempt,
                correlation_id=entry.correlation_id,
                run_id=entry.run_id,
            )
        return new

    async def redact(self, integration_id: str, link_ids: Sequence[str]) -> None:
        """See `worker.ports.Journal`."""
        await self.journal.redact(integration_id, link_ids)

    async def keep_anew(self, integration_id: str, tenant_id: int, now: datetime) -> None:
        """See `worker.ports.Journal`."""
        await self.journal.keep_anew(integration_id, tenant_id, now)

    async def find(self, entry_id: str) -> Entry | None:
        """See `worker.ports.Journal`."""
        return await self.journal.find(entry_id)

    async def mark(self, entry_id: str) -> Mark | None:
        """See `worker.ports.Journal`."""
        return await self.journal.mark(entry_id)

    async def page(self, which: Which, before: Mark | None, limit: int) -> list[Entry]:
        """See `worker.ports.Journal`."""
        return await self.journal.page(which, before, limit)
