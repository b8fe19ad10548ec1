"""What the PSA platform is told about an integration as a whole. Pure; the ids are functions of what happened."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from events.commands import Cause
from events.link import RunResult
from events.orders import OPERATOR
from events.outcomes import (
    About,
    AccountChanged,
    AccountChangedData,
    Authorization,
    AuthorizationData,
    CalendarFound,
    CalendarsFound,
    CalendarsFoundData,
    Configured,
    ConfiguredData,
    Connected,
    ConnectedData,
    CopiesCounted,
    CopiesCountedData,
    Deleted,
    DeletedData,
    DeletionsHeld,
    DeletionsHeldData,
    Direction,
    Disconnected,
    DisconnectedData,
    Exported,
    ExportedData,
    ItemRef,
    LogLine,
    LogPage,
    LogPageData,
    OrderClosed,
    OrderClosedData,
    Previewed,
    PreviewedData,
    PreviewExample,
    PreviewLine,
    PreviewSpan,
    PreviewTotals,
    RunProgress,
    RunProgressData,
    SuspiciousRead,
    SuspiciousReadData,
    Switched,
    SwitchedData,
    Synced,
    SyncedData,
)
from events.runs import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pydantic import JsonValue

    from events.failures import Refused
    from events.integration import DeletionWish, Held, Integration
    from events.journal import Entry
    from events.link import Link
    from events.orders import Order
    from events.psa import DeleteData
    from events.reasons import Reason
    from events.runs import Run, Span
    from worker.core.foreseeing import Forecast, Foreseen
    from worker.holding import Holding


_SAMPLE: Final = 5


def _about(integration: Integration) -> dict[str, Any]:
    return {
        "tenant_id": integration.tenant_id,
        "user_id": integration.user_id,
        "integration_id": integration.id,
    }


def _envelope(integration_id: str, what: str, data: About, at: datetime) -> dict[str, Any]:
    """`what` names the occurrence. What is told once more after a crash may have changed, and then is no copy."""
    content = hashlib.sha256(data.model_dump_json().encode()).hexdigest()[:12]
    return {
        "specversion": "1.0",
        "id": f"{integration_id}:{what}:{content}",
        "source": "calsync",
        "time": at,
        "subject": integration_id,
        "data": data,
    }


def authorization(holding: Holding, revision: int, url: str, at: datetime) -> Authorization:
    """Where the user grants access."""
    data = AuthorizationData(**_about(holding.integration), revision=revision, url=url)
    return Authorization(**_envelope(holding.id, f"authorization:{revision}", data, at))


def order_closed(holding: Holding, order: Order, refusal: Refused | None, at: datetime) -> OrderClosed:
    """An order was carried out or refused."""
    data = OrderClosedData(
        **_about(holding.integration),
        revision=order.revision,
        order=order.kind.value,
        result="done" if refusal is None else "refused",
        reason=None if refusal is None else refusal.reason.value,
        explanation="" if refusal is None else refusal.reason.explanation,
        message="" if refusal is None else refusal.detail,
    )
    return OrderClosed(**_envelope(holding.id, f"order_closed:{order.id}", data, at))


def connected(holding: Holding, at: datetime) -> Connected:
    """The link to the calendar service works."""
    account = holding.held.account
    data = ConnectedData(
        **_about(holding.integration),
        provider=(account.provider_service or account.provider_name) if account else "",
        profile_name=account.profile_name if account else "",
    )
    return Connected(**_envelope(holding.id, f"connected:{holding.held.turns}", data, at))


def disconnected(holding: Holding, now: Held, at: datetime) -> Disconnected:
    """The link does not work."""
    data = DisconnectedData(
        **_about(holding.integration),
        reason=now.reason.value,
        explanation=now.reason.explanation,
        relink_url=now.relink_url,
    )
    return Disconnected(**_envelope(holding.id, f"disconnected:{holding.held.turns}", data, at))


def account_changed(holding: Holding, now: Held, at: datetime) -> AccountChanged:
    """Another account was connected."""
    assert now.offered is not None, "nothing was offered"
    offered = now.offered.account
    data = AccountChangedData(
        **_about(holding.integration),
        former=now.account.profile_name if now.account else "",
        connected=offered.profile_name,
        provider=offered.provider_service or offered.provider_name,
    )
    return AccountChanged(**_envelope(holding.id, f"account_changed:{now.connected_revision}", data, at))


def switched(holding: Holding, revision: int, at: datetime, *, active: bool) -> Switched:
    """The position of the Active toggle is in force."""
    data = SwitchedData(**_about(holding.integration), revision=revision, active=active)
    return Switched(**_envelope(holding.id, f"switched:{revision}", data, at))


def copies_counted(holding: Holding, revision: int, by_type: Mapping[str, int], at: datetime) -> CopiesCounted:
    """How many events of ours there are."""
    data = CopiesCountedData(
        **_about(holding.integration), revision=revision, total=sum(by_type.values()), by_type=dict(by_type)
    )
    return CopiesCounted(**_envelope(holding.id, f"copies_counted:{revision}", data, at))


def log_line(entry: Entry) -> LogLine:
    """A line of the log as the PSA is told it."""
    item = entry.item
    named = None if item is None else ItemRef(item_type=item.item_type, item_id=item.item_id, part_id=item.part_id)
    return LogLine(
        id=entry.id,
        at=entry.at,
        trigger=entry.trigger.value,
        manual=entry.trigger is Cause.RUN,
        direction=entry.direction,
        action=entry.act.value,
        result=entry.result.value,
        reason=entry.reason.value,
        explanation=entry.reason.explanation,
        message=entry.message,
        item=named,
        title=entry.title,
        fields=entry.fields,
        attempt=entry.attempt,
        run_id=entry.run_id or None,
    )


def log_page(holding: Holding, revision: int, lines: Sequence[LogLine], more: str | None, at: datetime) -> LogPage:
    """A page of the log. `more`: where the next one begins."""
    data = LogPageData(**_about(holding.integration), revision=revision, lines=tuple(lines), next=more)
    return LogPage(**_envelope(holding.id, f"log_page:{revision}", data, at))


def exported(
    holding: Holding,
    request_id: str,
    part: int,
    records: Sequence[Mapping[str, JsonValue]],
    at: datetime,
    *,
    last: bool,
) -> Exported:
    """What is kept about the user."""
    data = ExportedData(
        **_about(holding.integration),
        request_id=request_id,
        part=part,
        last=last,
        records=tuple(dict(record) for record in records),
    )
    return Exported(**_envelope(holding.id, f"exported:{request_id}:{part}", data, at))


def deleted(holding: Holding, wish: DeletionWish, at: datetime, *, complete: bool) -> Deleted:
    """The integration is gone."""
    removed = holding.held.removed
    data = DeletedData(**_about(holding.integration), removed=removed, complete=complete, erased=wish.erase)
    return Deleted(**_envelope(holding.id, f"deleted:{wish.revision}", data, at))


def erased_before(asked: DeleteData, at: datetime) -> Deleted:
    """The integration was erased before somebody asked for its deletion, and nothing can be done about it any more."""
    whose = {name: getattr(asked, name) for name in ("tenant_id", "user_id", "integration_id")}
    data = DeletedData(**whose, removed=0, complete=not asked.remove_events, erased=True)
    return Deleted(**_envelope(asked.integration_id, f"deleted:{asked.revision}", data, at))


def calendars_found(holding: Holding, now: Held, at: datetime) -> CalendarsFound:
    """Which calendars there are."""
    found = tuple(
        CalendarFound(
            calendar_id=calendar.calendar_id,
            name=calendar.name,
            writable=calendar.writable,
            primary=calendar.primary,
            provider=calendar.provider_service or calendar.provider_name,
            profile_id=calendar.profile_id,
            profile_name=calendar.profile_name,
        )
        for calendar in now.calendars
        if not calendar.deleted
    )
    data = CalendarsFoundData(**_about(holding.integration), calendars=found)
    occurrence = f"calendars_found:{holding.held.turns}:{now.listed_revision}"
    return CalendarsFound(**_envelope(holding.id, occurrence, data, at))


def configured(holding: Holding, revision: int, calendar_id: str, at: datetime) -> Configured:
    """Settings are in force."""
    data = ConfiguredData(**_about(holding.integration), revision=revision, calendar_id=calendar_id)
    return Configured(**_envelope(holding.id, f"configured:{revision}", data, at))


_RESULTS: Final = {
    RunResult.CREATED: "create",
    RunResult.UPDATED: "update",
    RunResult.DELETED: "delete",
    RunResult.SKIPPED: "skip",
}


def previewed(holding: Holding, order: Order, forecast: Forecast, at: datetime) -> Previewed:
    """What saving settings would do."""
    prospect = forecast.prospect
    told = {one: count for one, count in prospect.counts.items() if one.result in _RESULTS}
    largest_first = sorted(told, key=lambda one: -told[one])
    data = PreviewedData(
        **_about(holding.integration),
        revision=order.revision,
        retrieve=_preview_span(forecast.retrieve),
        send=_preview_span(forecast.send),
        totals=PreviewTotals(
            created=prospect.total(RunResult.CREATED),
            updated=prospect.total(RunResult.UPDATED),
            deleted=prospect.total(RunResult.DELETED),
            unchanged=prospect.total(RunResult.UNCHANGED),
            skipped=prospect.total(RunResult.SKIPPED),
        ),
        lines=tuple(_preview_line(one, told[one]) for one in largest_first),
        examples=tuple(_preview_example(one, link) for one in largest_first for link in prospect.examples[one]),
        held=forecast.held,
        copies_removed=forecast.copies_removed,
        complete=forecast.complete,
    )
    return Previewed(**_envelope(holding.id, f"previewed:{order.id}", data, at))


def _preview_span(span: Span | None) -> PreviewSpan | None:
    return None if span is None else PreviewSpan(start=span.start, end=span.end)


def _preview_line(foreseen: Foreseen, count: int) -> PreviewLine:
    explanation = foreseen.reason.explanation
    return PreviewLine.model_validate({**_alike(foreseen), "explanation": explanation, "count": count})


def _alike(foreseen: Foreseen) -> dict[str, object]:
    writes = foreseen.result is not RunResult.SKIPPED
    direction = (Direction.FROM_CALENDAR if foreseen.inbound else Direction.TO_CALENDAR) if writes else Direction.NONE
    return {"direction": direction, "action": _RESULTS[foreseen.result], "reason": foreseen.reason.value}


def _preview_example(foreseen: Foreseen, link: Link) -> PreviewExample:
    """Tell of one link. The PSA hears the title of what it gets, and of nothing else that its user keeps elsewhere."""
    content = (link.calendar_seen.content if link.calendar_seen else None) or link.calendar_base
    item, named = link.item, foreseen.inbound and content is not None and not content.private
    ref = ItemRef(item_type=item.item_type, item_id=item.item_id, part_id=item.part_id) if item else None
    return PreviewExample.model_validate({
        **_alike(foreseen),
        "item": ref,
        "title": content.summary if content and named else None,
        "when": str(content.when) if content else "",
    })


def synced(holding: Holding, at: datetime) -> Synced:
    """Something was synced, or verified."""
    held = holding.held
    data = SyncedData(**_about(holding.integration), last_sync=held.last_sync, verified_complete=held.verified_at)
    return Synced(**_envelope(holding.id, "synced", data, at))


def deletions_held(
    holding: Holding, reason: Reason, direction: Direction, held: Sequence[Link], at: datetime
) -> DeletionsHeld:
    """Deletions wait for somebody to look at them."""
    items = [link.item for link in held if link.item is not None][:_SAMPLE]
    data = DeletionsHeldData(
        **_about(holding.integration),
        direction=direction,
        count=len(held),
        sample=tuple(ItemRef(item_type=one.item_type, item_id=one.item_id, part_id=one.part_id) for one in items),
        reason=reason.value,
        explanation=reason.explanation,
    )
    return DeletionsHeld(**_envelope(holding.id, f"deletions_held:{direction}:{at.isoformat()}", data, at))


def suspicious_read(holding: Holding, known: int, shown: int, at: datetime) -> SuspiciousRead:
    """A complete look was not believed."""
    data = SuspiciousReadData(**_about(holding.integration), known=known, shown=shown)
    return SuspiciousRead(**_envelope(holding.id, f"suspicious_read:{at.isoformat()}", data, at))


def run_progress(holding: Holding, run: Run, at: datetime, asked_by: int | None = None) -> RunProgress:
    """A run began, moved on or ended. `asked_by`: revision of the event that joins it, if not the run's own."""
    totals, reason = run.totals, run.reason
    data = RunProgressData(
        **_about(holding.integration),
        run_id=run.id,
        revision=_revision(run.revision if asked_by is None else asked_by),
        kind=run.kind.value,
        state=run.state.value,
        reason=reason.value if reason else None,
        explanation=reason.explanation if reason else None,
        done=totals.done + totals.failing,
        total=totals.total if run.phase is Phase.SETTLE else None,
        created=totals.created,
        updated=totals.updated,
        deleted=totals.deleted,
        unchanged=totals.unchanged,
        skipped=totals.skipped,
        failed=totals.failed + totals.failing,
    )
    return RunProgress(**_envelope(holding.id, f"run:{run.id}:{run.state}", data, at))


def run_refused(holding: Holding, run: Run, reason: Reason, at: datetime) -> RunProgress:
    """A run that was asked for does not take place."""
    data = RunProgressData(
        **_about(holding.integration),
        run_id=run.id,
        revision=_revision(run.revision),
        kind=run.kind.value,
        state="refused",
        reason=reason.value,
        explanation=reason.explanation,
        done=0,
    )
    return RunProgress(**_envelope(holding.id, f"run:{run.id}:refused", data, at))


def _revision(revision: int) -> int | None:
    return None if revision == OPERATOR else revision
