"""The life of one link, step by step, as the worker leads it: both sides shown by hand, nothing awaited."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from events.content import Content
from events.items import ItemType
from events.link import CalendarSeen, ExternalEvent, Link, Origin, PsaSeen
from events.reasons import Reason
from tests.core.examples import EVERYTHING, NOW, STAMP, TIMING, holds, item, link, managed, say, seen
from worker.core import record
from worker.core.decide import Asked, decide
from worker.core.permit import permit
from worker.core.plan import Agree, ChangeItem, CreateItem, Decision, DeleteItem, PutEvent, RemoveEvent
from worker.core.sides import PsaGone, PsaHolds, PsaNever, PsaUnread, PsaView, see, settle_calendar, settle_psa


class Life:
    """One link and the two sides that it has been shown."""

    def __init__(self, start: Link, psa: PsaView, **traits: bool) -> None:
        self.link = start
        self.psa: PsaView = psa
        self.now = NOW
        self.read_at: datetime | None = None
        self.ticks = EVERYTHING
        self._stamp = STAMP
        self._traits = traits
        self._decision: Decision | None = None

    # The world

    def psa_shows(self, content: Content, *, answered: bool = False) -> Life:
        """Let a newer revision of the item be observed."""
        kind = self.link.item.item_type if self.link.item else ItemType.APPOINTMENT
        self.psa = holds(content, kind, **self._traits)
        self._revise(deleted=False)
        self.link = settle_psa(self.link, self.psa, answered=answered)
        return self

    def psa_says(self, reason: Reason) -> Life:
        """Let the item be gone."""
        self.psa = PsaGone(reason)
        self._revise(deleted=reason is Reason.PSA_DELETED)
        self.link = settle_psa(self.link, self.psa)
        return self

    def _revise(self, *, deleted: bool) -> None:
        revision = (self.link.psa_seen.revision if self.link.psa_seen else 0) + 1
        self.link = replace(self.link, psa_seen=PsaSeen(revision, deleted, assigned=True, item="{}", at=self.now))

    def calendar_shows(self, content: Content | None, **parts: object) -> Life:
        """Let a read show the event, or its tombstone."""
        self._stamp += timedelta(seconds=1)
        known = {"updated": self._stamp, **parts}
        return self.calendar_read(replace(seen(content), **known))  # type: ignore[arg-type]

    def calendar_read(self, observation: CalendarSeen | None = None) -> Life:
        """Let a complete read begin now, and show what it shows."""
        self.read_at = self.now
        if observation is not None:
            self.link = see(self.link, observation)
        return self

    def waits(self, seconds: float) -> Life:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self

    # The worker

    @property
    def plan(self) -> str:
        """What is done next, in words."""
        return say(self._decide())

    def _decide(self) -> Decision:
        waited = record.waited(self.link, self.read_at, TIMING)
        self.link = settle_calendar(self.link, waited=waited)
        while True:
            asked = Asked(
                overdue=record.overdue(self.link, self.read_at, TIMING),
                lapsed=record.lapsed(self.link, self.read_at, TIMING),
                hopeless=record.given_up(self.link, self.now, TIMING),
            )
            decision = permit(decide(self.link, self.psa, self.ticks.ownership, asked), self.link, self.ticks)
            if not isinstance(decision.action, Agree):
                self._decision = decision
                return decision
            self.link = record.concluded(self.link, decision, self.psa)

    def intends(self) -> Life:
        """Write down what is done next."""
        decision = self._decide()
        self.link = record.intend(self.link, decision, self.psa, self.now, TIMING)
        return self

    def sends(self) -> Life:
        """Do it, if it is the calendar's: it is accepted."""
        decision = self._decide()
        assert isinstance(decision.action, PutEvent | RemoveEvent), say(decision)
        self.intends()
        self.link = record.sent(self.link, self.now, TIMING)
        return self

    def rests(self) -> Life:
        """Record a decision that needs no write."""
        decision = self._decide()
        self.link = record.concluded(self.link, decision, self.psa)
        return self

    def asks_psa(self) -> Life:
        """Ask the PSA, which does as it is asked and answers so."""
        decision = self._decide()
        self.intends()
        match decision.action:
            case ChangeItem(content=content):
                return self.psa_shows(content, answered=True)
            case CreateItem():
                asked = self.link.psa_asks[0].content  # what was asked first, should this be the second time
                assert asked is not None
                self.link = replace(self.link, item=item())
                return self.psa_shows(asked, answered=True)
            case DeleteItem():
                return self.psa_says(Reason.PSA_DELETED)
            case _:
                raise AssertionError(say(decision))

    def is_refused(self, words: str = "no") -> Life:
        """Ask the PSA, which refuses."""
        decision = self._decide()
        self.intends()
        self.link = record.refused_by_psa(self.link, decision, words, self.now)
        return self

    @property
    def bases(self) -> tuple[Content | None, Content | None]:
        """What the calendar, and what the PSA, showed when they last agreed."""
        return self.link.calendar_base, self.link.psa_base

    @property
    def wire(self) -> Content:
        """What is sent to the calendar next."""
        action = self._decide().action
        assert isinstance(action, PutEvent), self.plan
        return action.wire


def of_new_item(content: Content, kind: ItemType = ItemType.APPOINTMENT, **traits: bool) -> Life:
    """Begin with an item that was just made in the PSA."""
    fresh = link(managed(kind), item=item(kind), psa_base=None, calendar_seen=None, calendar_base=None)
    return Life(fresh, PsaUnread(), **traits).psa_shows(content)


def of_new_event(content: Content) -> Life:
    """Begin with an event that its user just made."""
    key = ExternalEvent("cal_1", "evt_1")
    fresh = link(
        key, origin=Origin.CALENDAR, item=None, psa_seen=None, psa_base=None, calendar_seen=None, calendar_base=None
    )
    return Life(fresh, PsaNever()).calendar_shows(content)


def at_rest(content: Content, kind: ItemType = ItemType.APPOINTMENT, **traits: bool) -> Life:
    """Begin with an item whose event is in sync."""
    life = of_new_item(content, kind, **traits).sends().waits(1).calendar_shows(content).rests()
    assert isinstance(life.psa, PsaHolds)
    assert life.link.calendar_asks == ()
    return life
