"""What keeps a whole integration from being worked on. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.integration import Status
from events.reasons import Reason
from worker.explaining.answer import Verdict

if TYPE_CHECKING:
    from datetime import datetime

    from events.integration import Integration


def hindrance(integration: Integration, now: datetime) -> Verdict | None:
    """Return what keeps all of it from being worked on; None if nothing does."""
    held, wanted = integration.held, integration.wanted
    if held.deleted or wanted.deletion is not None:
        return Verdict(Reason.DELETED)
    if wanted.connect is None and held.account is None:
        return Verdict(Reason.NOT_CONFIGURED)
    if held.status is not Status.CONNECTED and wanted.settings is not None:
        return Verdict(held.reason, until=held.probe_at)
    if wanted.settings is None:
        return Verdict(Reason.NOT_CONFIGURED)
    if not wanted.active:
        return Verdict(Reason.INACTIVE)
    if held.calendar_hold is not None and held.calendar_hold > now:
        reason = Reason.UNREACHABLE if held.calendar_failures else Reason.RATE_LIMITED
        return Verdict(reason, "Cronofy", held.calendar_hold)
    if held.psa_hold is not None and held.psa_hold > now:
        reason = Reason.UNREACHABLE if held.psa_failures else Reason.RATE_LIMITED
        return Verdict(reason, "PSA", held.psa_hold)
    return None
