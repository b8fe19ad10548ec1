"""One item ↔ one calendar event: what was seen on each side, what was agreed, what was asked.

Both sides have a *base*: what that side showed when the two last agreed, in that side's own form. A provider that
rewrites what it is given is then "unchanged" by definition. What has been sent but not yet shown is an *ask*; the side
may hold it from the moment it is written down here, which is before it is sent.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from typing_extensions import override

from events.content import Content, Field, Value
from events.items import ItemType
from events.reasons import Reason


@dataclass(frozen=True, slots=True)
class ItemKey:
    """Names one item of one tenant, or one part of it."""

    tenant_id: int
    item_type: ItemType
    item_id: str
    part_id: str | None = None

    @override
    def __str__(self) -> str:
        part = f"/{self.part_id}" if self.part_id is not None else ""
        return f"{self.item_type}/{self.item_id}{part}"


@dataclass(frozen=True, slots=True)
class ManagedEvent:
    """An event that this application made. `event_id` is ours and names it within the calendar."""

    calendar_id: str
    event_id: str


@dataclass(frozen=True, slots=True)
class ExternalEvent:
    """An event that its user made. `event_uid` is Cronofy's; sent as an `event_id` it would make a duplicate."""

    calendar_id: str
    event_uid: str


EventKey = ManagedEvent | ExternalEvent


class Origin(StrEnum):
    """On which side it began. Decides a conflict that ownership leaves open."""

    PSA = "psa"
    CALENDAR = "calendar"


class LinkState(StrEnum):
    """Where a link stands. `reason` says why."""

    PENDING = "pending"
    """Something is to be done, or was sent and is not confirmed."""
    SETTLED = "settled"
    """Nothing to do until something changes."""
    BLOCKED = "blocked"
    """A person must look; tried again when the item changes."""
    DETACHED = "detached"
    """The two no longer follow each other."""
    IGNORED = "ignored"
    """An event that is not brought into the PSA."""
    QUARANTINED = "quarantined"
    """A deletion on one side that was not carried over, because of a brake. It waits for an order."""
    BURIED = "buried"
    """Gone on both sides. Kept, so that late messages cannot bring it back."""


ALIVE: Final = frozenset({LinkState.PENDING, LinkState.SETTLED, LinkState.BLOCKED, LinkState.QUARANTINED})
"""States of links whose two sides follow each other, or are to."""


REFUSALS: Final = frozenset({Reason.CALENDAR_REFUSED, Reason.PLAN_LACKS_FEATURE})
"""Why a link is blocked that was turned down. It waits for its item to change, or for a person: settings that come into
force would only have everything turned down once more, all at once."""


@dataclass(frozen=True)
class PsaSeen:
    """The newest observation of the item. `item`: its snapshot as JSON; None while it still has to be read."""

    revision: int
    deleted: bool
    assigned: bool
    item: str | None
    at: datetime
    absent: bool = False
    """The PSA was asked and does not know the item. That is no evidence that it was deleted."""
    changed_at: datetime | None = None
    """When the PSA says that it changed. For measuring only."""
    traceparent: str = ""
    """Of the trace that the event which said so belongs to, until it is dealt with."""


@dataclass(frozen=True)
class CalendarSeen:
    """The newest observation of the event. `updated`, `created`: the calendar's own stamps, absent if nonsensical."""

    content: Content | None
    """None if deleted, or missing where it should have been."""
    deleted: bool = False
    missing: bool = False
    updated: datetime | None = None
    created: datetime | None = None
    may_update: bool = True
    may_delete: bool = True
    recurring: bool = False
    series: str = ""
    """Names the series that it is an occurrence of."""
    kept_out: Reason | None = None
    """Why no appointment is to be made of it, whatever is ticked."""
    event_uid: str = ""
    digest: str = ""
    """Of the read that showed this; empty if nobody computed one."""


@dataclass(frozen=True)
class CalendarAsk:
    """A write to the calendar, from the moment of intention until a read-back settles it."""

    content: Content | None
    """What the event is expected to show then; None: to be gone."""
    fields: frozenset[Field]
    """Which fields it brings over from the PSA."""
    source: Content | None
    """What the PSA held, in the PSA's form, when this was decided."""
    over: Content | None
    """What the event showed then. In `fields`, seeing it again is no news: it was overruled knowingly."""
    at: datetime
    """When it was sent (our clock; only ever compared with our clock)."""
    sent: bool = False
    """Whether the calendar is known to have accepted it; if not, it is sent again."""
    believed: bool = False
    """Not a write: what the event showed when the PSA took it over, while writes were under way."""


CREATION: Final = -1
"""The revision that stands for "there is no item yet"."""


@dataclass(frozen=True, slots=True)
class PsaAsk:
    """A write to the PSA, from the moment of intention until a newer revision is seen.

    It is valid for one revision of the item only, so once a newer one is seen it has either been applied or never will
    be. Several may be outstanding for the same revision, when the outcome of earlier ones is unknown.
    """

    content: Content | None
    """What the item is expected to show then; None: to be gone."""
    fields: frozenset[Field]
    source: Content | None
    """What the event held, in the calendar's form, when this was decided."""
    revision: int
    """`CREATION` for one."""


class Verdict(StrEnum):
    """What was said about carrying a deletion over to the other side."""

    PASSED = "passed"
    """There were not many."""
    HELD = "held"
    RELEASED = "released"
    """Somebody asked for it, or looked at what was held and agreed to it."""
    DISCARDED = "discarded"
    """Somebody looked at what was held and wants back what was deleted."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A deletion on one side that is to be carried over to the other. Written down before, and counted from then."""

    at: datetime
    """When it was weighed."""
    verdict: Verdict
    reason: Reason
    """Why it was held; else why the link ends."""


@dataclass(frozen=True, slots=True)
class Tally:
    """An integration's deletions of late, and what is left."""

    gone: int
    """Deletions weighed within the window that were carried over."""
    held: int
    """Deletions weighed within the window that were held back."""
    alive: int
    """Links that stand for something on both sides, those whose deletion is being weighed among them."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A text that a write of ours replaced by another. The texts are given by fingerprints."""

    field: Field
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Freeze:
    """A field that is not written any more, to either side, because it went to and fro."""

    until: datetime
    values: frozenset[str]
    """Fingerprints of the texts between which it went to and fro; any other text is a person's."""


@dataclass(frozen=True)
class Churn:
    """How much was written lately, and what went to and fro."""

    writes: tuple[datetime, ...] = ()
    pauses: int = 0
    """How often in a row the allowance was used up."""
    flips: tuple[Flip, ...] = ()


class RunResult(StrEnum):
    """What came of a link in a run."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    """Both sides held the same already."""
    SKIPPED = "skipped"
    """Left as it is on purpose; the link's reason says why."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunMark:
    """That a run made us look at this link, and what came of it until the link rested."""

    run_id: str
    retrieve: bool = False
    """Whether the run brings events in that are older than the link to the calendar."""
    wrote: RunResult | None = None
    """What was written first in the course of it, on either side."""
    result: RunResult | None = None
    """None until the link rests. What happens to it afterwards is no part of the run."""


@dataclass(frozen=True, slots=True)
class PreImage:
    """What a run found on one side before it wrote there for the first time, so that it can be taken back."""

    run_id: str
    inbound: bool
    """Whether it wrote the item; otherwise it wrote the event."""
    wrote: RunResult
    before: Content | None = None
    """None where nothing was there, and of what is private: that is not kept."""
    left: str = ""
    """Names what both sides held when the link came to rest in the run; empty until then."""
    begun: bool = False
    """Whether taking it back is under way."""
    agreed: Content | None = None
    """What the item held when the removal of its event began."""


class Undoing(StrEnum):
    """How far taking back is what a run did to a link."""

    WANTED = "wanted"
    """Nothing has been written for it."""
    BEGUN = "begun"


@dataclass(frozen=True)
class Link:
    """See the module. Owned by the holder of the integration's lease, except `psa_seen`, which intake writes."""

    id: str
    integration_id: str
    tenant_id: int
    user_id: int
    event: EventKey
    origin: Origin
    item: ItemKey | None = None
    generation: int = 0
    """How often the item was created again from the calendar; part of the external reference."""

    psa_seen: PsaSeen | None = None
    psa_base: Content | None = None
    psa_asks: tuple[PsaAsk, ...] = ()
    psa_refused: dict[Field, Value] = field(default_factory=dict)
    """Values of the event that the PSA refused; they are not offered again but put back."""
    restoring: dict[Field, Value] = field(default_factory=dict)
    """Values that a person wants back, until the item shows them."""
    deletion_refused: bool = False
    """The PSA refused to delete the item; its event is put back."""

    calendar_seen: CalendarSeen | None = None
    calendar_base: Content | None = None
    calendar_asks: tuple[CalendarAsk, ...] = ()
    calendar_gone: datetime | None = None
    """`updated` of the last deletion that was dealt with; a tombstone that is not newer is old news."""
    rewritten: dict[Field, Value] = field(default_factory=dict)
    """Fields that the calendar shows differently from what it was sent, with what it was sent."""

    ending: Ending | None = None
    churn: Churn = Churn()
    frozen: dict[Field, Freeze] = field(default_factory=dict)

    state: LinkState = LinkState.PENDING
    reason: Reason = Reason.PSA_CREATED
    message: str = ""
    """Words of the side that refused, for the user."""
    due_at: datetime | None = None
    attempts: int = 0
    failing_since: datetime | None = None
    traceparent: str = ""
    """Of the trace in which something was begun that is not at rest yet."""
    replayed: bool = False
    """Whether it was a replay that had it looked at again, until it rests."""
    run: RunMark | None = None
    """The last run that looked at it."""
    images: tuple[PreImage, ...] = ()
    """What the last run that wrote here found, one for each side that it wrote."""
    undoing: Undoing | None = None
    """Set while what the images tell of is taken back."""
    version: int = 0
    """Grows with every save by a lease holder; a save on an older version is refused."""

    @property
    def held_back(self) -> bool:
        """Whether its deletion waits for somebody to look at it."""
        return self.state is LinkState.QUARANTINED

    @property
    def trace(self) -> str:
        """The trace that whatever is done next belongs to; empty if it is not known."""
        return (self.psa_seen.traceparent if self.psa_seen else "") or self.traceparent

    @property
    def reference(self) -> str:
        """The unique reference under which an appointment is created in the PSA for this event."""
        return external_reference(self.user_id, self.event, self.generation)


@dataclass(frozen=True, slots=True)
class Standing:
    """As much of a link as intake needs to know."""

    id: str
    integration_id: str
    tenant_id: int
    user_id: int
    item: ItemKey | None
    generation: int
    reference: str
    revision: int | None
    """The newest revision of the item that it has heard of; None if of none."""
    lacks_content: bool
    """That revision was announced without its content, and is not a deletion."""
    due: bool
    """Whether the news has not been worked on yet."""


@dataclass(frozen=True, slots=True)
class Observed:
    """An observation of one user's link."""

    link_id: str
    item: ItemKey
    seen: PsaSeen
    fresh: Link | None = None
    """The link to make of it if there is none."""
    made_in: int | None = None
    """Known by its external reference of this generation: the link's own creation may still be under way."""


MANAGED_PREFIX: Final = "psa-"


def managed_event_id(item: ItemKey, user_id: int) -> str:
    """Name the event of an item in a user's calendar: a pure function, so that a repeated create is an update."""
    part = f"-{item.part_id}" if item.part_id is not None else ""
    return f"{MANAGED_PREFIX}{item.tenant_id}-{user_id}-{item.item_type}-{item.item_id}{part}"


_NAMED: Final = re.compile(rf"(?P<type>{'|'.join(ItemType)})-(?P<item>[^-]+)(?:-(?P<part>.+))?", re.DOTALL)


def managed_item(event_id: str, tenant_id: int, user_id: int) -> ItemKey | None:
    """Return the item that an event of ours was made for; None if it is another user's, or was not named by us."""
    whose = f"{MANAGED_PREFIX}{tenant_id}-{user_id}-"
    match = _NAMED.fullmatch(event_id.removeprefix(whose)) if event_id.startswith(whose) else None
    return ItemKey(tenant_id, ItemType(match["type"]), match["item"], match["part"]) if match else None


def link_id(integration_id: str, event: EventKey) -> str:
    """Name a link. A managed event keeps its link when the user picks another calendar; an external one cannot move."""
    match event:
        case ManagedEvent(event_id=event_id):
            return f"{integration_id}/{event_id}"
        case ExternalEvent(calendar_id=calendar_id, event_uid=event_uid):
            return f"{integration_id}/{calendar_id}/{event_uid}"


REFERENCE_PREFIX: Final = "calsync:"
_REFERENCE_LIMIT: Final = 200


def external_reference(user_id: int, event: EventKey, generation: int = 0) -> str:
    """Name the appointment made from an event. Without the integration's id: linking again must find it."""
    own = event.event_id if isinstance(event, ManagedEvent) else event.event_uid
    name = f"{event.calendar_id}:{own}"
    if len(name) > _REFERENCE_LIMIT or ":" in event.calendar_id or "#" in name:
        # Too long, or to be mistaken for another one. The hash has no colon, so it is like no name that is spelled out.
        name = hashlib.sha256(repr((event.calendar_id, own)).encode()).hexdigest()
    return full_reference(f"{REFERENCE_PREFIX}{user_id}:{name}", generation)


def may_name(reference: str, user_id: int, calendar_id: str) -> bool:
    """Whether a reference may name an event of this user in this calendar. Of a hash nobody can tell."""
    whose = f"{REFERENCE_PREFIX}{user_id}:"
    name = reference.removeprefix(whose)
    return reference.startswith(whose) and (name.startswith(f"{calendar_id}:") or ":" not in name)


_GENERATION: Final = re.compile(r"#([0-9]+)\Z")


def standing_of(link: Link) -> Standing:
    """Return as much of a link as intake needs to know."""
    seen = link.psa_seen
    return Standing(
        id=link.id,
        integration_id=link.integration_id,
        tenant_id=link.tenant_id,
        user_id=link.user_id,
        item=link.item,
        generation=link.generation,
        reference=link.reference,
        revision=seen.revision if seen else None,
        lacks_content=seen is not None and seen.item is None and not seen.deleted,
        due=link.due_at is not None,
    )


def bare_reference(reference: str) -> str:
    """Strip the generation: all generations belong to one link."""
    return _GENERATION.sub("", reference)


def full_reference(bare: str, generation: int) -> str:
    """Name a generation of a reference. The first has no mark."""
    return f"{bare}#{generation}" if generation else bare


def generation_of(reference: str) -> int:
    """Return the generation that a reference names."""
    named = _GENERATION.search(reference)
    return int(named[1]) if named else 0
