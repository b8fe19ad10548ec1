"""What a preview says of each next step, which is what a run then counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from events.content import ALL_FIELDS
from events.items import ItemType
from events.link import Link, RunResult
from events.reasons import Reason
from tests.core.examples import AGREED as MEETING
from tests.core.examples import EVERYTHING, EXTERNAL, item, link, managed
from worker.core.foreseeing import EXAMPLES, Foreseen, Prospect, foresee
from worker.core.plan import (
    Action,
    Await,
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    Ignore,
    PutEvent,
    Rehome,
    RemoveEvent,
    Rest,
    Weigh,
)

NEW = link(EXTERNAL, item=None)
AGREED = replace(link(), calendar_base=MEETING)
CALL = link(managed(ItemType.SERVICE_CALL), item=item(ItemType.SERVICE_CALL))
PUT = PutEvent(MEETING, MEETING, ALL_FIELDS)


@pytest.mark.parametrize(
    ("action", "of", "reason", "result", "inbound"),
    [
        (CreateItem(MEETING), NEW, Reason.CALENDAR_CREATED, RunResult.CREATED, True),
        (ChangeItem(MEETING, ALL_FIELDS), AGREED, Reason.CALENDAR_CHANGED, RunResult.UPDATED, True),
        (DeleteItem(), AGREED, Reason.CALENDAR_DELETED, RunResult.DELETED, True),
        (PUT, replace(AGREED, calendar_base=None), Reason.PSA_CREATED, RunResult.CREATED, False),
        (PUT, AGREED, Reason.PSA_CHANGED, RunResult.UPDATED, False),
        (Rehome(), NEW, Reason.CALENDAR_LEFT, RunResult.CREATED, False),
        (RemoveEvent(), AGREED, Reason.TYPE_NOT_TICKED, RunResult.DELETED, False),
        (Weigh(), AGREED, Reason.PSA_DELETED, RunResult.DELETED, False),
        (Weigh(), AGREED, Reason.CALENDAR_DELETED, RunResult.DELETED, True),
        (Weigh(), AGREED, Reason.DELETE_NOT_TICKED, RunResult.SKIPPED, False),
        (Weigh(), CALL, Reason.CALENDAR_DELETED, RunResult.SKIPPED, False),
        (Rest(), AGREED, Reason.IN_SYNC, RunResult.UNCHANGED, False),
        (Rest(), AGREED, Reason.UPDATE_NOT_TICKED, RunResult.SKIPPED, False),
        (Rest(blocked=True), AGREED, Reason.NOT_PERMITTED, RunResult.SKIPPED, False),
        (Ignore(), NEW, Reason.CREATE_NOT_TICKED, RunResult.SKIPPED, False),
        (Await(), AGREED, Reason.AWAITING_CONFIRMATION, RunResult.SKIPPED, False),
    ],
)
def test_what_comes_of_a_step(action: Action, of: Link, reason: Reason, result: RunResult, inbound: bool) -> None:
    assert foresee(Decision(action, reason), of, EVERYTHING) == Foreseen(result, reason, inbound)


def test_all_are_counted_and_a_few_remembered() -> None:
    prospect = Prospect()
    created, skipped = Foreseen(RunResult.CREATED, Reason.PSA_CREATED), Foreseen(RunResult.SKIPPED, Reason.NO_DATE)
    for _ in range(EXAMPLES + 2):
        prospect.note(created, NEW)
    prospect.note(skipped, AGREED)
    assert prospect.total(RunResult.CREATED) == EXAMPLES + 2
    assert len(prospect.examples[created]) == EXAMPLES
    assert prospect.total(RunResult.SKIPPED) == 1
    assert prospect.total(RunResult.FAILED) == 0
