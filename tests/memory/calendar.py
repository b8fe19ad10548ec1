"""A calendar in memory, as Cronofy shows one: writes are accepted and applied later, and reads lag behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from events.calendar import Accepted, CalendarEvent, CalendarWrite, Page, PutEventWrite, Sought, WriteResult
from events.content import When
from events.failures import System, TryLater
from events.link import EventKey, ManagedEvent
from events.reasons import Reason
from tests.memory.steps import MemoryClock, Stepper
from worker.projection.events import key_of

CALENDAR_ID = "cal_1"
CALL = timedelta(seconds=15)


@dataclass
class Pace:
    """How slow the calendar is, in seconds: from nothing up to these."""

    apply: float = 2.0
    lag: float = 1.0


@dataclass
class Applied:
    """A write of ours as it was applied: what it found and what it made."""

    key: EventKey
    before: CalendarEvent | None
    after: CalendarEvent
    unseen: frozenset[str]
    """Values that somebody set and no read had shown when this wrote over them."""
    late: frozenset[str]
    """Values that somebody set and the last read before this was sent had not shown; it wrote over them later."""


@dataclass(frozen=True)
class _Queued:
    """A write that was accepted and is not applied yet. `shown`: what the last read before it had shown."""

    at: datetime
    write: CalendarWrite
    shown: frozenset[str]


def _as_is(event: CalendarEvent) -> CalendarEvent:
    return event


@dataclass
class MemoryCalendar:
    """See `worker.ports.Calendar`. The people who use it act through `create`, `edit` and `delete`."""

    step: Stepper
    clock: MemoryClock
    random: Random
    pace: Pace = field(default_factory=Pace)
    rewrite: Callable[[CalendarEvent], CalendarEvent] = _as_is
    events: dict[str, CalendarEvent] = field(default_factory=dict)
    visible: dict[str, CalendarEvent] = field(default_factory=dict)
    queue: list[_Queued] = field(default_factory=list)
    pending: list[tuple[datetime, CalendarEvent]] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    on_change: Callable[[datetime], None] = lambda _: None
    mishap: Callable[[], bool] = lambda: False
    """Whether a call fails now: asked when it arrives, and again when its answer leaves."""
    hidden: set[str] = field(default_factory=set)
    """Events that complete reads leave out for now, though they look complete."""
    fails_on_everything: bool = False
    """Whether a read of everything, and nothing else, fails."""
    on_write: Callable[[Sequence[CalendarWrite]], None] = lambda _: None
    """Called at the very moment at which a write begins: it is on the wire from then on."""
    home: str = CALENDAR_ID
    """Where people make events."""
    pages: int = 0
    """So many pages are read to find one event. It is on the last one."""
    page_takes: float = 0.0
    large: bool = False
    """Whether so many pages are read of the whole as well. All is on the last one."""
    walked: list[int] = field(default_factory=list)
    """The pages that were read to find an event."""
    reads: int = 0
    _numbers: int = 0
    _read_values: set[str] = field(default_factory=set)
    _last_shown: frozenset[str] = frozenset()
    _human_values: set[str] = field(default_factory=set)
    _by_people: set[tuple[str, datetime | None]] = field(default_factory=set)

    # The port

    async def first_page(self, calendar_id: str, since: datetime | None) -> Page:
        del calendar_id
        began = self.clock.now()
        await self.step("read calendar")
        self._get_through(began)
        self.tick()
        self.reads += 1
        shown = [e for e in self.visible.values() if since is None or (e.updated and e.updated >= _second(since))]
        if since is None and self.fails_on_everything:
            raise TryLater(System.CRONOFY, Reason.SERVER_ERROR, "too much")
        if since is None:
            shown = [event for event in shown if event.event_uid not in self.hidden]
        for event in shown:
            self._read_values |= _values(event)
        self._last_shown = frozenset().union(*(_values(event) for event in self.visible.values()))
        page = Page(tuple(replace(event, digest=_digest(event)) for event in shown), None, _second(self.clock.now()))
        await self.step("calendar was read")
        return Page((), "1", page.as_of) if self.large and since is None else page

    async def ours(self, calendar_id: str) -> Page:
        page = await self.first_page(calendar_id, None)
        return replace(page, events=tuple(e for e in page.events if e.event_id and e.calendar_id == calendar_id))

    async def span_page(self, calendar_id: str, start: datetime, end: datetime, *, only_managed: bool) -> Page:
        page = await self.first_page(calendar_id, None)
        mine = [event for event in page.events if event.calendar_id == calendar_id]
        shown = [event for event in mine if not only_managed or event.event_id]
        return replace(page, events=tuple(event for event in shown if _within(event, start, end)))

    async def next_page(self, url: str) -> Page:
        assert self.large, url
        await self.step("read next page")
        self.clock.advance(self.page_takes)
        number = int(url) + 1
        shown = tuple(replace(event, digest=_digest(event)) for event in self.visible.values())
        return Page((), str(number), None) if number < self.pages else Page(shown, None, None)

    async def look_for(self, event: EventKey, when: When | None, page_url: str, over: Callable[[], bool]) -> Sought:
        del when
        began, first = self.clock.now(), int(page_url or 0)
        await self.step("look for an event")
        self._get_through(began)
        self.tick()
        for number in range(first, self.pages):
            if number > first and over():
                return Sought(None, goes_on=str(number))
            self.clock.advance(self.page_takes)
            self.walked.append(number)
        return Sought(next((e for e in self.visible.values() if key_of(e) == event), None))

    async def write(self, writes: Sequence[CalendarWrite]) -> list[WriteResult]:
        self.on_write(writes)
        began = self.clock.now()
        await self.step("write calendar")
        self._get_through(began)
        for write in writes:
            last = max((queued.at for queued in self.queue), default=self.clock.now())
            soonest = self.clock.now() + timedelta(seconds=self.random.uniform(0, self.pace.apply))
            self.queue.append(_Queued(max(last, soonest), write, self._last_shown))
        await self.step("calendar accepted")
        self._get_through(self.clock.now())
        return [Accepted() for _ in writes]

    def _get_through(self, began: datetime) -> None:
        if self.clock.now() - began > CALL or self.mishap():
            raise TryLater(System.CRONOFY, Reason.UNREACHABLE, "no answer")

    # Its own life

    def tick(self) -> None:
        """Apply what is due and show what has become visible."""
        if self.quiet:
            return
        while (at := self.next_at()) is not None and at <= self.clock.now():
            if self.queue and self.queue[0].at == at:
                self._apply(self.queue.pop(0))
            else:
                self._show(at)

    def _show(self, at: datetime) -> None:
        due = [event for when, event in self.pending if when == at]
        self.pending = [(when, event) for when, event in self.pending if when != at]
        for event in due:
            self.visible[event.event_uid] = event
            if (event.event_uid, event.updated) in self._by_people and event.updated:
                # The service tells of a change when it has heard of it itself.
                self.on_change(event.updated)

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way."""
        return not self.queue and not self.pending

    def next_at(self) -> datetime | None:
        """When something happens next by itself."""
        return min([queued.at for queued in self.queue] + [at for at, _ in self.pending], default=None)

    def _apply(self, queued: _Queued) -> None:
        at, write = queued.at, queued.write
        found = next((e for e in self.events.values() if key_of(e) == write.event), None)
        if isinstance(write, PutEventWrite):
            after = self._put(at, found, write)
        elif found is None or found.deleted:
            return
        else:
            after = replace(found, deleted=True)
        kept = set[str]() if after.deleted else _values(after)
        overwritten = _values(found) - kept if found and not found.deleted else set[str]()
        lost = frozenset(overwritten & self._human_values)
        self.applied.append(Applied(write.event, found, after, lost - self._read_values, lost - queued.shown))
        self._store(at, after)

    def _put(self, at: datetime, found: CalendarEvent | None, write: PutEventWrite) -> CalendarEvent:
        if found is None:
            assert isinstance(write.event, ManagedEvent), "only events of ours can be made"
            self._numbers += 1
            found = CalendarEvent(
                write.event.calendar_id, f"evt_{self._numbers}", write.event.event_id, created=_second(at)
            )
        return self.rewrite(
            replace(
                found,
                deleted=False,
                start=write.start,
                end=write.end,
                summary=write.summary,
                description=write.description,
                location=write.location,
                transparent=not write.busy,
                private=write.private,
            )
        )

    def _store(self, at: datetime, event: CalendarEvent) -> CalendarEvent:
        event = replace(event, updated=_second(at))
        self.events[event.event_uid] = event
        visible = at + timedelta(seconds=self.random.uniform(0, self.pace.lag))
        # A later state of one event never becomes visible before an earlier one.
        visible = max([visible] + [at for at, other in self.pending if other.event_uid == event.event_uid])
        self.pending.append((visible, event))
        return event

    # People

    def create(self, summary: str, start: datetime, end: datetime) -> str:
        """Make an event as its user. Returns its uid."""
        self._numbers += 1
        uid = f"evt_external_{self._numbers}"
        event = CalendarEvent(
            self.home, uid, None, start=start, end=end, summary=summary, created=_second(self.clock.now())
        )
        self._by_hand(event)
        return uid

    def edit(self, uid: str, **changes: object) -> bool:
        """Change an event as its user. False if it is gone."""
        event = self.events.get(uid)
        if event is None or event.deleted:
            return False
        self._by_hand(replace(event, **changes))  # type: ignore[arg-type]
        return True

    def delete(self, uid: str) -> bool:
        """Delete an event as its user. False if it is gone."""
        event = self.events.get(uid)
        if event is None or event.deleted:
            return False
        self._by_hand(replace(event, deleted=True))
        return True

    def _by_hand(self, event: CalendarEvent) -> None:
        self.tick()
        self._human_values |= _values(event)
        stored = self._store(self.clock.now(), event)
        self._by_people.add((stored.event_uid, stored.updated))

    def live(self) -> list[CalendarEvent]:
        """Return the events that are there."""
        return [event for event in self.events.values() if not event.deleted]


def _within(event: CalendarEvent, start: datetime, end: datetime) -> bool:
    """Whether an event touches a span; one that is deleted or all day does, for the sake of argument."""
    if not isinstance(event.start, datetime) or not isinstance(event.end, datetime):
        return True
    return event.end >= start and event.start < end


def _values(event: CalendarEvent) -> set[str]:
    return {f"{event.event_uid}:{event.summary}", f"{event.event_uid}:{event.start}"}


def _digest(event: CalendarEvent) -> str:
    return str(hash(event))


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
