"""Single steps of a link's life, as tables: which observation counts, and what is left of a failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.content import ALL_FIELDS, Field
from events.link import CREATION, CalendarSeen, Link, LinkState, PsaAsk, PsaSeen
from events.reasons import Reason
from tests.core import near
from tests.core.examples import (
    AGREED,
    EDITED,
    EXTERNAL,
    HOUR,
    MISSING,
    NOW,
    RETITLED,
    SECOND,
    STAMP,
    TIMING,
    ask,
    holds,
    item,
    link,
    seen,
)
from worker.core import record
from worker.core.compare import overlay
from worker.core.plan import Await, ChangeItem, CreateItem, Decision, DeleteItem, Detach, Ignore, PutEvent, Rest
from worker.core.sides import PsaGone, PsaUnread, believe, see, settle_psa

# Which observation of the event counts

OLDER, NEWER = STAMP - SECOND, STAMP + SECOND
KNOWN: Final = seen(AGREED)


@pytest.mark.parametrize(
    ("known", "gone", "shown", "counts"),
    [
        (None, None, KNOWN, True),
        (KNOWN, None, seen(EDITED, updated=NEWER), True),
        (KNOWN, None, seen(EDITED, updated=STAMP), True),
        (KNOWN, None, seen(EDITED, updated=OLDER), False),
        (KNOWN, None, seen(EDITED, updated=None), True),
        (replace(KNOWN, updated=None), None, seen(EDITED, updated=OLDER), True),
        (KNOWN, None, replace(MISSING, updated=OLDER), True),
        (KNOWN, None, seen(None, updated=NEWER), True),
        (KNOWN, NEWER, seen(None, updated=NEWER), False),
        (KNOWN, OLDER, seen(None, updated=NEWER), True),
        (None, STAMP, seen(None, updated=OLDER), False),
        (None, STAMP, seen(None, updated=None), True),
        (None, STAMP, seen(AGREED, updated=OLDER), True),
    ],
)
def test_an_observation_counts_unless_it_is_older_than_what_is_known(
    known: CalendarSeen | None, gone: Any, shown: CalendarSeen, *, counts: bool
) -> None:
    """A page of a slow read, and a tombstone that stays in every read, are old news. Both stamps are the calendar's."""
    before = link(calendar_seen=known, calendar_gone=gone)
    assert see(before, shown).calendar_seen is (shown if counts else known)


def test_seeing_the_same_again_changes_nothing() -> None:
    before = link()
    assert see(before, seen(AGREED)) is before


# Which observation of the item counts


@pytest.mark.parametrize(
    ("known", "shown", "counts"),
    [
        ((3, None), (4, None), True),
        ((3, "{}"), (4, None), True),
        ((3, "{}"), (2, "{}"), False),
        ((3, "{}"), (3, "{}"), False),
        ((3, None), (3, "{}"), True),
        ((3, "{}"), (3, None), False),
    ],
)
def test_the_newest_revision_counts_and_of_the_same_the_one_with_content(
    known: tuple[int, str | None], shown: tuple[int, str | None], *, counts: bool
) -> None:
    one, other = (
        PsaSeen(revision, deleted=False, assigned=True, item=text, at=NOW) for revision, text in (known, shown)
    )
    assert record.newest(one, other) is (other if counts else one)
    assert record.newest(None, other) is other
    answered = record.answered(link(psa_seen=one), item(), other)
    assert answered.psa_seen is (other if counts else one)


def test_a_deletion_is_not_undone_by_content_of_the_same_revision() -> None:
    deleted = PsaSeen(3, deleted=True, assigned=True, item=None, at=NOW)
    assert record.newest(deleted, PsaSeen(3, deleted=False, assigned=True, item="{}", at=NOW)) is deleted


# Intentions

WRITES: Final = [
    Decision(PutEvent(RETITLED, RETITLED, frozenset({Field.SUMMARY})), Reason.PSA_CHANGED),
    Decision(ChangeItem(EDITED, frozenset({Field.SUMMARY})), Reason.CALENDAR_CHANGED),
    Decision(CreateItem(EDITED), Reason.EDIT_BEATS_DELETE),
    Decision(DeleteItem(), Reason.CALENDAR_DELETED),
]


@pytest.mark.parametrize("decision", WRITES, ids=lambda decision: type(decision.action).__name__)
def test_an_intention_is_pending_due_at_once_and_says_why(decision: Decision) -> None:
    blocked = link(state=LinkState.BLOCKED, reason=Reason.PSA_REFUSED, message="no")
    intended = record.intend(blocked, decision, holds(AGREED), NOW, TIMING)
    assert (intended.state, intended.reason, intended.message) == (LinkState.PENDING, decision.reason, "")
    assert intended.due_at == NOW
    assert record.intend(intended, decision, holds(AGREED), NOW, TIMING).psa_asks == intended.psa_asks


def test_writes_for_an_older_revision_are_forgotten() -> None:
    old = PsaAsk(AGREED, frozenset({Field.SUMMARY}), AGREED, 2)
    intended = record.intend(link(psa_asks=(old,)), WRITES[1], holds(AGREED), NOW, TIMING)
    assert [one.revision for one in intended.psa_asks] == [3]
    unsure = record.intend(link(psa_asks=(replace(old, revision=3),)), WRITES[1], holds(AGREED), NOW, TIMING)
    assert [one.revision for one in unsure.psa_asks] == [3, 3], "both may have been carried out"


def test_asks_that_must_have_been_overwritten_are_forgotten() -> None:
    old, older = ask(EDITED, at=NOW - TIMING.patience), ask(AGREED, at=NOW - 2 * TIMING.patience)
    intended = record.intend(link(calendar_asks=(older, old)), WRITES[0], holds(RETITLED), NOW, TIMING)
    assert [one.content for one in intended.calendar_asks] == [EDITED, RETITLED]
    fresh = record.intend(link(calendar_asks=(replace(old, at=NOW),)), WRITES[0], holds(RETITLED), NOW, TIMING)
    assert [one.content for one in fresh.calendar_asks] == [EDITED, RETITLED]


def test_a_decision_without_a_write_asks_for_nothing() -> None:
    intended = record.intend(link(), Decision(Await(), Reason.AWAITING_CONFIRMATION), holds(AGREED), NOW, TIMING)
    assert (intended.calendar_asks, intended.psa_asks) == ((), ())


# Looks


def test_an_accepted_write_is_looked_for_soon_then_later_then_when_it_is_overdue() -> None:
    waiting = link(calendar_asks=(ask(RETITLED),))
    looks = [(record.next_look(waiting, NOW + after, TIMING) - NOW) for after in (0 * SECOND, 2 * SECOND, 6 * SECOND)]
    assert looks == [2 * SECOND, 5 * SECOND, 10 * SECOND]
    assert record.next_look(waiting, NOW + 11 * SECOND, TIMING) == NOW + TIMING.patience
    assert record.next_look(waiting, NOW + HOUR, TIMING) == NOW + HOUR
    patient = replace(waiting, attempts=3)
    assert record.next_look(patient, NOW + 11 * SECOND, TIMING) == NOW + 8 * TIMING.patience


def test_without_an_ask_there_is_nothing_to_wait_for() -> None:
    assert record.next_look(link(), NOW, TIMING) == NOW
    assert not record.overdue(link(), NOW, TIMING)
    assert record.lapsed(link(), NOW, TIMING)
    assert not record.waited(link(), NOW, TIMING)


@given(st.integers(0, 100))
def test_patience_has_an_end(attempts: int) -> None:
    waiting = link(calendar_asks=(ask(RETITLED),), attempts=attempts)
    assert record.overdue(waiting, NOW + 256 * TIMING.patience, TIMING)


# Conclusions


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (Decision(Rest(), Reason.IN_SYNC), LinkState.SETTLED),
        (Decision(Rest(blocked=True), Reason.PSA_REFUSED), LinkState.BLOCKED),
        (Decision(Ignore(), Reason.CREATE_NOT_TICKED), LinkState.IGNORED),
        (Decision(Detach(), Reason.CALENDAR_DELETED), LinkState.DETACHED),
        (record.BURY, LinkState.BURIED),
    ],
)
def test_a_conclusion_rests_without_a_due_time(decision: Decision, state: LinkState) -> None:
    failing = link(state=LinkState.PENDING, due_at=NOW, attempts=4, failing_since=NOW)
    concluded = record.concluded(failing, decision, holds(AGREED))
    assert (concluded.state, concluded.reason, concluded.due_at) == (state, decision.reason, None)
    assert (concluded.attempts, concluded.failing_since) == (0, None)


def test_a_detached_event_that_is_still_there_is_still_known() -> None:
    decision = Decision(Detach(), Reason.NOT_PERMITTED)
    there = record.concluded(link(EXTERNAL), decision, PsaGone(Reason.PSA_DELETED))
    assert there.calendar_base == AGREED
    gone = record.concluded(link(EXTERNAL, calendar_seen=seen(None)), decision, holds(RETITLED))
    assert (gone.calendar_base, gone.psa_base, gone.calendar_gone) == (None, RETITLED, STAMP)
    unknown = record.concluded(link(EXTERNAL, calendar_seen=seen(None)), decision, PsaGone(Reason.PSA_DELETED))
    assert unknown.psa_base == AGREED


def test_a_detached_link_stays_detached_while_nothing_else_is_said() -> None:
    detached = link(state=LinkState.DETACHED, reason=Reason.CALENDAR_DELETED)
    rest = Decision(Rest(), Reason.CALENDAR_DELETED)
    assert record.concluded(detached, rest, holds(AGREED)).state is LinkState.DETACHED
    assert record.concluded(detached, Decision(Rest(), Reason.IN_SYNC), holds(AGREED)).state is LinkState.SETTLED


def test_a_look_concludes_nothing() -> None:
    before = link()
    assert record.concluded(before, Decision(Await(), Reason.IN_SYNC), holds(AGREED)) is before


# Failures


def test_a_stumble_counts_and_remembers_since_when() -> None:
    once = record.postponed(link(), Reason.SERVER_ERROR, NOW + SECOND, NOW)
    assert (once.state, once.reason, once.due_at) == (LinkState.PENDING, Reason.SERVER_ERROR, NOW + SECOND)
    assert (once.attempts, once.failing_since) == (1, NOW)
    twice = record.postponed(once, Reason.UNREACHABLE, NOW + HOUR, NOW + SECOND)
    assert (twice.attempts, twice.failing_since) == (2, NOW)


@pytest.mark.parametrize(
    ("since", "given_up"),
    [(None, False), (NOW, False), (NOW - TIMING.give_up + SECOND, False), (NOW - TIMING.give_up, True)],
)
def test_what_alone_fails_for_a_day_is_given_up(since: Any, *, given_up: bool) -> None:
    assert record.given_up(link(failing_since=since), NOW, TIMING) is given_up


def test_what_is_blocked_waits_for_a_person_with_the_words_of_who_refused() -> None:
    blocked = record.blocked(link(attempts=3, failing_since=NOW, due_at=NOW), Reason.SERVER_ERROR, "try later")
    assert (blocked.state, blocked.reason, blocked.message) == (LinkState.BLOCKED, Reason.SERVER_ERROR, "try later")
    assert (blocked.due_at, blocked.attempts, blocked.failing_since) == (None, 0, None)


ASKED: Final = link(psa_asks=(PsaAsk(EDITED, ALL_FIELDS, EDITED, 3),), calendar_seen=seen(EDITED))


@pytest.mark.parametrize(
    ("decision", "refused", "deletion"),
    [
        (Decision(CreateItem(EDITED), Reason.CALENDAR_CREATED), set(Field), False),
        (Decision(ChangeItem(EDITED, frozenset({Field.SUMMARY})), Reason.CALENDAR_CHANGED), {Field.SUMMARY}, False),
        (Decision(DeleteItem(), Reason.CALENDAR_DELETED), set[Field](), True),
        (Decision(Rest(), Reason.IN_SYNC), set[Field](), False),
    ],
    ids=["create", "change", "delete", "none"],
)
def test_what_the_psa_refused_is_remembered(decision: Decision, refused: set[Field], *, deletion: bool) -> None:
    link_ = record.refused_by_psa(ASKED, decision, "ticket is closed", NOW)
    assert link_.psa_refused == {field: EDITED.value(field) for field in refused}
    assert link_.deletion_refused is deletion
    assert (link_.psa_asks, link_.reason, link_.message) == ((), Reason.PSA_REFUSED, "ticket is closed")
    assert link_.due_at == NOW, "its values are put back at once"


# What the PSA shows, against what it was asked


@pytest.mark.parametrize("psa", [PsaUnread(), PsaGone(Reason.NO_DATE)])
def test_only_content_proves_that_the_psa_was_changed(psa: PsaUnread | PsaGone) -> None:
    newer = PsaSeen(4, deleted=False, assigned=True, item="{}", at=NOW)
    settled = settle_psa(replace(ASKED, psa_seen=newer), psa)
    assert (settled.psa_base, settled.calendar_base) == (AGREED, AGREED)
    assert settled.psa_asks == (ASKED.psa_asks if isinstance(psa, PsaUnread) else ())


def test_an_ask_is_open_until_a_newer_revision_is_seen() -> None:
    assert settle_psa(ASKED, holds(EDITED)) is ASKED


def test_a_deletion_that_was_asked_for_proves_nothing_about_the_content() -> None:
    asked = replace(ASKED, psa_asks=(PsaAsk(None, frozenset(), None, 3),))
    newer = replace(asked, psa_seen=PsaSeen(4, deleted=False, assigned=True, item="{}", at=NOW))
    settled = settle_psa(newer, holds(RETITLED))
    assert (settled.psa_asks, settled.psa_base) == ((), AGREED)


def test_an_appointment_that_is_gone_before_it_was_ever_seen_is_compared_with_what_was_asked() -> None:
    created = link(
        EXTERNAL, psa_base=None, calendar_base=None, psa_asks=(PsaAsk(AGREED, ALL_FIELDS, EDITED, CREATION),)
    )
    settled = settle_psa(created, PsaGone(Reason.PSA_DELETED))
    assert (settled.psa_base, settled.calendar_base, settled.psa_asks) == (AGREED, EDITED, ())


@given(near.links(), st.dictionaries(st.just(Field.SUMMARY), st.just(near.title)), near.contents)
def test_what_is_believed_is_expected_and_never_sent(some: Link, values: Any, psa: Any) -> None:
    believed = believe(some, values, psa)
    if believed is not some:
        *before, last = believed.calendar_asks
        assert tuple(before) == some.calendar_asks
        assert last.believed
        assert last.content is not None
        assert last.content == overlay(last.content, values)
    assert replace(believed, calendar_asks=()) == replace(some, calendar_asks=())


def test_a_day_is_how_long_a_person_is_spared() -> None:
    assert TIMING.give_up == timedelta(days=1)
    assert TIMING.patience > timedelta(seconds=15), "longer than the longest call"


def test_what_is_read_belongs_to_the_event_that_announced_it() -> None:
    announced = PsaSeen(
        3, deleted=False, assigned=True, item=None, at=NOW, changed_at=NOW - timedelta(minutes=1), traceparent="00-1"
    )
    read = PsaSeen(3, deleted=False, assigned=True, item="{}", at=NOW + timedelta(seconds=1))
    taken = record.newest(announced, read)
    assert (taken.item, taken.changed_at, taken.traceparent) == ("{}", announced.changed_at, "00-1")
