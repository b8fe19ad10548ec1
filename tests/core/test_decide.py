"""The decision table: what both sides show x what they showed before x what is under way → what is done next, and why.

Both sides last agreed on the same. What "edited" and "retitled" change is the title, on either side; "dragged" and
"moved" change the time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from events.content import ALL_FIELDS, AllDay, Content, Field
from events.items import ItemType
from events.link import CREATION, EventKey, Link, LinkState, Origin, PsaAsk
from events.reasons import Reason
from tests.core.examples import (
    AGREED,
    DRAGGED,
    EDITED,
    EXTERNAL,
    HOPELESS,
    LAPSED,
    MISSING,
    NO_ASKS,
    NOTHING,
    NOW,
    OVERDUE,
    RESCHEDULED,
    RETITLED,
    UNDER_WAY,
    ask,
    holds,
    item,
    link,
    managed,
    say,
    seen,
)
from tests.core.tables import combinations, is_used, look_up, rows
from worker.core.decide import Asked, decide
from worker.core.ownership import Ownership
from worker.core.permit import permit
from worker.core.record import concluded
from worker.core.sides import PsaGone, PsaNever, PsaUnread, PsaView

TABLE: Final = Ownership()
CALENDAR: Final = {
    "unchanged": seen(AGREED),
    "edited": seen(EDITED),
    "dragged": seen(DRAGGED),
    "deleted": seen(None),
    "missing": MISSING,
    "unseen": None,
}
PSA: Final = {"unchanged": AGREED, "retitled": RETITLED, "moved": RESCHEDULED}
NO_PSA: Final[dict[str, PsaView]] = {
    "deleted": PsaGone(Reason.PSA_DELETED),
    "unassigned": PsaGone(Reason.UNASSIGNED),
    "undated": PsaGone(Reason.NO_DATE),
    "unknown": PsaGone(Reason.ITEM_NOT_FOUND),
    "unread": PsaUnread(),
}
KINDS: Final = {"appointment": ItemType.APPOINTMENT, "work record": ItemType.SERVICE_CALL}
COLUMNS: Final = {
    "calendar": tuple(CALENDAR),
    "psa": (*PSA, *NO_PSA),
    "kind": tuple(KINDS),
    "event": ("ours", "theirs"),
}


def situation(calendar: str, psa: str, kind: str, event: str) -> tuple[Link, PsaView]:
    """Build what a row of a table names."""
    item_type = KINDS[kind]
    key: EventKey = managed(item_type) if event == "ours" else EXTERNAL
    found = link(key, item=item(item_type), calendar_seen=CALENDAR[calendar])
    if calendar == "unseen":
        found = replace(found, calendar_base=None, psa_base=None)
    return found, holds(PSA[psa], item_type) if psa in PSA else NO_PSA[psa]


# Nothing is under way

RESTING: Final = """
unchanged | unchanged           | *           | *      | Rest (in_sync)
unchanged | retitled            | *           | *      | PutEvent summary (psa_changed)
unchanged | moved               | *           | *      | PutEvent when (psa_changed)
unchanged | deleted             | *           | *      | RemoveEvent (psa_deleted)
unchanged | unassigned          | *           | *      | RemoveEvent (unassigned)
unchanged | undated             | *           | *      | RemoveEvent (no_date)

edited    | unchanged           | appointment | *      | ChangeItem summary (calendar_changed)
edited    | unchanged           | work record | *      | Rest (psa_owns_field)
edited    | retitled            | appointment | ours   | PutEvent summary (psa_changed) over summary (psa_changed)
edited    | retitled            | appointment | theirs | ChangeItem summary (calendar_changed) over summary (calendar_changed)
edited    | retitled            | work record | *      | PutEvent summary (psa_changed) over summary (psa_owns_field)
edited    | moved               | appointment | *      | ChangeItem summary (calendar_changed); then PutEvent when (psa_changed)
edited    | moved               | work record | *      | PutEvent when+summary (psa_changed) over summary (psa_owns_field)
edited    | deleted             | appointment | *      | CreateItem (edit_beats_delete); then RemoveEvent (psa_deleted) over summary (psa_deleted)
edited    | deleted             | work record | *      | RemoveEvent (psa_deleted) over summary (psa_deleted)
edited    | unassigned          | *           | *      | RemoveEvent (unassigned) over summary (unassigned)
edited    | undated             | *           | *      | RemoveEvent (no_date) over summary (no_date)

dragged   | unchanged           | *           | *      | ChangeItem when (calendar_changed)
dragged   | retitled            | *           | *      | ChangeItem when (calendar_changed); then PutEvent summary (psa_changed)
dragged   | moved               | *           | ours   | PutEvent when (psa_changed) over when (psa_changed)
dragged   | moved               | *           | theirs | ChangeItem when (calendar_changed) over when (calendar_changed)
dragged   | deleted             | appointment | *      | CreateItem (edit_beats_delete); then RemoveEvent (psa_deleted) over when (psa_deleted)
dragged   | deleted             | work record | *      | RemoveEvent (psa_deleted) over when (psa_deleted)
dragged   | unassigned          | *           | *      | RemoveEvent (unassigned) over when (unassigned)
dragged   | undated             | *           | *      | RemoveEvent (no_date) over when (no_date)

deleted   | unchanged           | appointment | *      | DeleteItem (calendar_deleted)
deleted   | retitled, moved     | appointment | ours   | PutEvent all (edit_beats_delete)
deleted   | retitled, moved     | appointment | theirs | Rehome (edit_beats_delete)
deleted   | unchanged, retitled | work record | *      | Detach (calendar_deleted)
deleted   | moved               | work record | ours   | PutEvent all (rescheduled)
deleted   | moved               | work record | theirs | Rehome (rescheduled)
deleted   | deleted             | *           | *      | Bury (both_deleted)
deleted   | unassigned          | *           | *      | Bury (unassigned)
deleted   | undated             | *           | *      | Bury (no_date)
deleted   | unknown             | *           | *      | Bury (item_not_found)

unseen    | unchanged, retitled, moved | *    | ours   | PutEvent all (psa_created)
unseen    | unchanged, retitled, moved | *    | theirs | Rehome (psa_changed)
unseen    | deleted             | *           | *      | Bury (psa_deleted)
unseen    | unassigned          | *           | *      | Bury (unassigned)
unseen    | undated             | *           | *      | Bury (no_date)
unseen    | unknown             | *           | *      | Bury (item_not_found)

unchanged, edited, dragged | unknown | *      | *      | Rest blocked (item_not_found)
missing   | unchanged, retitled, moved, deleted, unassigned, undated, unknown | * | * | VerifyEvent (calendar_deleted)
*         | unread              | *           | *      | ReadItem (psa_changed)
"""  # noqa: E501


@pytest.mark.parametrize(("calendar", "psa", "kind", "event"), combinations(COLUMNS))
def test_what_is_done_where_nothing_is_under_way(calendar: str, psa: str, kind: str, event: str) -> None:
    (plan,) = look_up(RESTING, calendar, psa, kind, event)
    found, view = situation(calendar, psa, kind, event)
    assert say(*decide(found, view, TABLE, NO_ASKS)) == plan


UNTICKED: Final = """
ChangeItem  | *           | *      | Rest (update_not_ticked)
CreateItem  | *           | *      | Rest (update_not_ticked)
DeleteItem  | *           | *      | Detach (delete_not_ticked)
PutEvent    | *           | *      | Rest (type_not_ticked)
RemoveEvent | *           | ours   | Rest (type_not_ticked)
RemoveEvent | psa_deleted | theirs | Detach (not_permitted)
RemoveEvent | unassigned  | theirs | Detach (unassigned)
RemoveEvent | no_date     | theirs | Detach (no_date)
"""
NEEDS_NO_TICK: Final = ("Rest", "Detach", "Bury", "Rehome", "VerifyEvent", "ReadItem")


@pytest.mark.parametrize(("calendar", "psa", "kind", "event"), combinations(COLUMNS))
def test_what_is_done_where_nothing_is_ticked(calendar: str, psa: str, kind: str, event: str) -> None:
    """The same situations; looking and resting go on, and whatever would be written rests with its reason."""
    (plan,) = look_up(RESTING, calendar, psa, kind, event)
    action, reason = plan.split()[0], plan.partition("(")[2].partition(")")[0]
    found, view = situation(calendar, psa, kind, event)
    instead = plan if action in NEEDS_NO_TICK else look_up(UNTICKED, action, reason, event)[0]
    assert say(permit(decide(found, view, TABLE, NO_ASKS), found, NOTHING)) == instead


# A write is under way: the room, from 1 to 2

SENT: Final = replace(AGREED, location="Room 2")
ASKED: Final = {"under way": UNDER_WAY, "lapsed": LAPSED, "overdue": OVERDUE, "hopeless": HOPELESS}
WRITING_COLUMNS: Final = {
    "calendar": ("as before", "edited", "applied and edited", "deleted", "unseen"),
    "psa": ("unchanged", "retitled", "moved", "deleted", "unassigned", "unknown"),
    "asked": tuple(ASKED),
}
WRITING: Final = """
as before | unchanged  | under way, lapsed | Await (awaiting_confirmation)
as before | unchanged  | overdue           | PutEvent location (not_confirmed)
as before | unchanged  | hopeless          | Rest blocked (never_applied)
as before | retitled   | *                 | PutEvent summary+location (psa_changed)
as before | moved      | *                 | PutEvent when+location (psa_changed)
as before | deleted    | *                 | RemoveEvent (psa_deleted)
as before | unassigned | *                 | RemoveEvent (unassigned)

edited, applied and edited | unchanged  | under way, lapsed | ChangeItem summary (calendar_changed); then Await (awaiting_confirmation)
edited, applied and edited | unchanged  | overdue  | ChangeItem summary (calendar_changed); then PutEvent location (not_confirmed)
edited, applied and edited | unchanged  | hopeless | ChangeItem summary (calendar_changed); then Rest blocked (never_applied)
edited, applied and edited | retitled   | *        | PutEvent summary+location (psa_changed) over summary (psa_changed)
edited, applied and edited | moved      | *        | ChangeItem summary (calendar_changed); then PutEvent when+location (psa_changed)
edited, applied and edited | deleted    | *        | CreateItem (edit_beats_delete); then RemoveEvent (psa_deleted) over summary (psa_deleted)
edited, applied and edited | unassigned | *        | RemoveEvent (unassigned) over summary (unassigned)

deleted   | unchanged, retitled, moved | under way | Await (awaiting_confirmation)
deleted   | unchanged  | lapsed, overdue, hopeless | DeleteItem (calendar_deleted)
deleted   | retitled, moved | lapsed, overdue, hopeless | PutEvent all (edit_beats_delete)
deleted   | deleted    | *                 | RemoveEvent (psa_deleted)
deleted   | unassigned | *                 | RemoveEvent (unassigned)

unseen    | unchanged  | under way, lapsed | Await (awaiting_confirmation)
unseen    | unchanged  | overdue           | PutEvent all (not_confirmed)
unseen    | unchanged  | hopeless          | Rest blocked (never_applied)
unseen    | retitled, moved | *            | PutEvent all (psa_changed)
unseen    | deleted    | *                 | RemoveEvent (psa_deleted)
unseen    | unassigned | *                 | RemoveEvent (unassigned)

*         | unknown    | *                 | Rest blocked (item_not_found)
"""  # noqa: E501
SHOWING: Final = {
    "as before": seen(AGREED),
    "edited": seen(EDITED),
    "applied and edited": seen(replace(EDITED, location="Room 2")),
    "deleted": seen(None),
    "unseen": None,
}


@pytest.mark.parametrize(("calendar", "psa", "asked"), combinations(WRITING_COLUMNS))
def test_what_is_done_while_a_write_is_under_way(calendar: str, psa: str, asked: str) -> None:
    (plan,) = look_up(WRITING, calendar, psa, asked)
    put = ask(SENT, fields=frozenset({Field.LOCATION}), over=AGREED)
    found = link(calendar_seen=SHOWING[calendar], calendar_asks=(put,), state=LinkState.PENDING)
    if calendar == "unseen":
        created = ask(SENT)
        found = replace(found, calendar_base=None, psa_base=None, calendar_asks=(created,))
    view = holds(replace(PSA[psa], location="Room 2")) if psa in PSA else NO_PSA[psa]
    assert say(*decide(found, view, TABLE, ASKED[asked])) == plan


@pytest.mark.parametrize(
    ("calendar", "plan"),
    [
        ("as before", "PutEvent location (psa_changed)"),
        ("edited", "ChangeItem summary (calendar_changed); then PutEvent location (psa_changed)"),
        ("unseen", "PutEvent all (psa_changed)"),
    ],
)
def test_a_write_that_may_not_have_gone_out_is_sent_again_at_once_for_its_old_reason(calendar: str, plan: str) -> None:
    put = ask(SENT, fields=frozenset({Field.LOCATION}), sent=False)
    found = link(calendar_seen=SHOWING[calendar], calendar_asks=(put,), reason=Reason.PSA_CHANGED)
    if calendar == "unseen":
        found = replace(found, calendar_base=None, psa_base=None, calendar_asks=(ask(SENT, sent=False),))
    assert say(*decide(found, holds(SENT), TABLE, OVERDUE)) == plan
    assert say(*decide(found, holds(SENT), TABLE, HOPELESS)) == plan


# A removal is under way

REMOVING_COLUMNS: Final = {
    "calendar": ("as before", "edited", "deleted", "unseen"),
    "psa": ("unchanged", "deleted", "unassigned", "unknown"),
    "asked": tuple(ASKED),
}
REMOVING: Final = """
as before | unchanged           | *                 | PutEvent all (psa_changed)
as before | deleted, unassigned | under way, lapsed | Await (awaiting_confirmation)
as before | deleted, unassigned | overdue           | RemoveEvent (not_confirmed)
as before | deleted, unassigned | hopeless          | Rest blocked (never_applied)

edited    | unchanged           | *                 | PutEvent all (psa_changed) over summary (psa_changed)
edited    | deleted             | under way         | Await (awaiting_confirmation)
edited    | deleted             | lapsed, overdue   | CreateItem (edit_beats_delete); then RemoveEvent (not_confirmed)
edited    | deleted             | hopeless          | CreateItem (edit_beats_delete); then Rest blocked (never_applied)
edited    | unassigned          | under way, lapsed | Await (awaiting_confirmation)
edited    | unassigned          | overdue           | RemoveEvent (not_confirmed)
edited    | unassigned          | hopeless          | Rest blocked (never_applied)

deleted, unseen | unchanged     | *                 | PutEvent all (psa_changed)
deleted, unseen | deleted       | under way, lapsed | Await (psa_deleted)
deleted, unseen | unassigned    | under way, lapsed | Await (unassigned)
deleted   | deleted             | overdue, hopeless | Bury (both_deleted)
unseen    | deleted             | overdue, hopeless | Bury (psa_deleted)
deleted, unseen | unassigned    | overdue, hopeless | Bury (unassigned)

*         | unknown             | *                 | Rest blocked (item_not_found)
"""


@pytest.mark.parametrize(("calendar", "psa", "asked"), combinations(REMOVING_COLUMNS))
def test_what_is_done_while_a_removal_is_under_way(calendar: str, psa: str, asked: str) -> None:
    (plan,) = look_up(REMOVING, calendar, psa, asked)
    found = link(calendar_seen=SHOWING[calendar], calendar_asks=(ask(None, over=AGREED),), state=LinkState.PENDING)
    if calendar == "unseen":
        found = replace(found, calendar_base=None)
    view = holds(AGREED) if psa == "unchanged" else NO_PSA[psa]
    assert say(*decide(found, view, TABLE, ASKED[asked])) == plan


@pytest.mark.parametrize(
    ("table", "columns"),
    [(RESTING, COLUMNS), (WRITING, WRITING_COLUMNS), (REMOVING, REMOVING_COLUMNS)],
    ids=["resting", "writing", "removing"],
)
def test_every_row_is_of_use(table: str, columns: dict[str, tuple[str, ...]]) -> None:
    assert [row for row in rows(table) if not is_used(row[: len(columns)], columns)] == []


# No item yet


def new(**parts: object) -> Link:
    """Return a link for an event that its user has made."""
    return replace(link(EXTERNAL, item=None, psa_seen=None, psa_base=None, calendar_base=None), **parts)  # type: ignore[arg-type]


CREATION_UNDER_WAY: Final = (PsaAsk(AGREED, ALL_FIELDS, AGREED, CREATION),)


@pytest.mark.parametrize(
    ("found", "plan"),
    [
        (new(), "CreateItem (calendar_created)"),
        (new(psa_asks=CREATION_UNDER_WAY), "CreateItem (calendar_created)"),
        (new(calendar_seen=seen(None)), "Bury (calendar_deleted)"),
        (new(calendar_seen=None), "Bury (calendar_deleted)"),
        (new(calendar_seen=seen(None), psa_asks=CREATION_UNDER_WAY), "ReadItem (calendar_deleted)"),
        (new(calendar_seen=MISSING), "VerifyEvent (calendar_deleted)"),
        (new(psa_refused={f: AGREED.value(f) for f in Field}), "Rest blocked (psa_refused)"),
        (new(psa_refused={f: EDITED.value(f) for f in Field}), "CreateItem (calendar_created)"),
    ],
)
def test_what_becomes_of_an_event_without_an_item(found: Link, plan: str) -> None:
    assert say(*decide(found, PsaNever(), TABLE, NO_ASKS)) == plan


# An item and an event that never met

REWRAPPED: Final = replace(AGREED, description="Fig ures")


@pytest.mark.parametrize(
    ("origin", "shown", "plan"),
    [
        (Origin.PSA, AGREED, "Rest (in_sync)"),
        (Origin.CALENDAR, AGREED, "Rest (in_sync)"),
        (Origin.PSA, REWRAPPED, "Rest (in_sync)"),
        (Origin.PSA, EDITED, "PutEvent summary (psa_changed)"),
        (Origin.CALENDAR, EDITED, "ChangeItem summary (calendar_changed)"),
    ],
)
def test_where_two_that_never_met_differ_the_one_that_made_us_look_has_changed(
    origin: Origin, shown: Content, plan: str
) -> None:
    found = link(origin=origin, psa_base=None, calendar_base=None, calendar_seen=seen(shown))
    (met,) = decide(found, holds(AGREED), TABLE, NO_ASKS)
    found = concluded(found, met, holds(AGREED))
    assert [say(met)[-9:], say(*decide(found, holds(AGREED), TABLE, NO_ASKS))] == ["(adopted)", plan]


def test_an_event_whose_found_item_was_deleted_before_becomes_a_new_one() -> None:
    found = link(EXTERNAL, psa_base=None, calendar_base=None)
    assert say(*decide(found, PsaGone(Reason.PSA_DELETED), TABLE, NO_ASKS)) == "CreateItem (calendar_created)"


# Detached

DETACHED_ROWS: Final = [
    (seen(None), AGREED, ItemType.SERVICE_CALL, "Rest (calendar_deleted)"),
    (seen(None), RETITLED, ItemType.SERVICE_CALL, "Rest (calendar_deleted)"),
    (seen(None), RESCHEDULED, ItemType.SERVICE_CALL, "PutEvent all (rescheduled)"),
    (seen(None), RETITLED, ItemType.APPOINTMENT, "Rest (calendar_deleted)"),
    (seen(None), RESCHEDULED, ItemType.APPOINTMENT, "PutEvent all (rescheduled)"),
    (None, RETITLED, ItemType.APPOINTMENT, "Rest (calendar_deleted)"),
]


@pytest.mark.parametrize(("calendar", "now", "kind", "plan"), DETACHED_ROWS)
def test_only_a_move_brings_a_deleted_event_back(calendar: object, now: Content, kind: ItemType, plan: str) -> None:
    found = link(managed(kind), item=item(kind), state=LinkState.DETACHED, reason=Reason.CALENDAR_DELETED)
    found = replace(found, calendar_seen=calendar, calendar_base=None)  # type: ignore[arg-type]
    assert say(*decide(found, holds(now, kind), TABLE, NO_ASKS)) == plan


def test_an_event_that_was_left_to_its_user_is_left_alone() -> None:
    found = link(EXTERNAL, state=LinkState.DETACHED, reason=Reason.NOT_PERMITTED, calendar_seen=seen(EDITED))
    assert say(*decide(found, PsaGone(Reason.PSA_DELETED), TABLE, NO_ASKS)) == "Rest (not_permitted)"


def test_a_deletion_that_the_psa_refused_brings_the_event_back() -> None:
    found = link(calendar_seen=seen(None), deletion_refused=True)
    assert say(*decide(found, holds(AGREED), TABLE, NO_ASKS)) == "PutEvent all (restored)"
    theirs = link(EXTERNAL, calendar_seen=seen(None), deletion_refused=True)
    assert say(*decide(theirs, holds(AGREED), TABLE, NO_ASKS)) == "Rehome (restored)"


# What the PSA cannot hold

WHOLE_DAY: Final = replace(AGREED, when=AllDay(NOW.date(), NOW.date().replace(day=11)))


@pytest.mark.parametrize(
    ("traits", "shown", "plan"),
    [
        ({"keeps_all_day": False}, WHOLE_DAY, "PutEvent when (restored) over when (only_timed)"),
        ({"movable": False}, DRAGGED, "PutEvent when (restored) over when (no_planned_period)"),
        ({"text_was_cut": True}, replace(AGREED, description="Mine"), "Rest (text_was_cut)"),
    ],
)
def test_a_value_that_the_psa_cannot_hold_is_put_back_or_left(
    traits: dict[str, bool], shown: Content, plan: str
) -> None:
    found = link(calendar_seen=seen(shown))
    assert say(*decide(found, holds(AGREED, **traits), TABLE, NO_ASKS)) == plan


def test_a_value_that_the_psa_refused_is_put_back() -> None:
    found = link(calendar_seen=seen(EDITED), psa_refused={Field.SUMMARY: EDITED.summary})
    plan = "PutEvent summary (restored) over summary (psa_refused)"
    assert say(*decide(found, holds(AGREED), TABLE, NO_ASKS)) == plan
    again = replace(found, calendar_seen=seen(replace(EDITED, summary="Another try")))
    assert say(*decide(again, holds(AGREED), TABLE, NO_ASKS)) == "ChangeItem summary (calendar_changed)"


def test_both_sides_changed_to_the_same_is_no_conflict() -> None:
    found = link(calendar_seen=seen(EDITED))
    assert say(*decide(found, holds(EDITED), TABLE, NO_ASKS)) == "Agree summary (in_sync)"


@pytest.mark.parametrize("asked", [NO_ASKS, UNDER_WAY, OVERDUE])
def test_the_same_again_is_decided_the_same(asked: Asked) -> None:
    found = link(calendar_seen=seen(EDITED), calendar_asks=(ask(SENT),))
    assert decide(found, holds(RESCHEDULED), TABLE, asked) == decide(found, holds(RESCHEDULED), TABLE, asked)
