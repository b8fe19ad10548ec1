"""Whatever is stored, there is one next step, always the same one, and it can be taken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from events.content import ALL_FIELDS
from events.link import ExternalEvent, Link
from tests.core import near
from tests.core.examples import NOW, TIMING
from tests.strategies import contents as any_contents
from tests.strategies import links as any_links
from worker.core.decide import Asked, decide
from worker.core.ownership import Ownership
from worker.core.permit import Policy, permit
from worker.core.plan import (
    Agree,
    Await,
    ChangeItem,
    CreateItem,
    Decision,
    DeleteItem,
    PutEvent,
    ReadItem,
    Rehome,
    RemoveEvent,
    VerifyEvent,
)
from worker.core.record import concluded, intend, next_look
from worker.core.sides import PsaHolds, PsaView, settle_calendar, settle_psa
from worker.judging import Circumstances, judge

TABLE = Ownership()
LOOKS_AND_WRITES = (ReadItem, VerifyEvent, CreateItem, ChangeItem, DeleteItem, PutEvent, RemoveEvent, Rehome, Await)
any_views = near.views | st.builds(PsaHolds, any_contents, near.traits)


def step(link: Link, psa: PsaView, policy: Policy, asked: Asked) -> Decision:
    plan = decide(link, psa, TABLE, asked)
    assert 1 <= len(plan) <= 2
    assert plan == decide(link, psa, TABLE, asked)
    decision = permit(plan, link, policy)
    assert decision == permit(plan, link, policy)
    return decision


@given(any_links(), any_views, near.policies, near.asked)
def test_every_link_has_a_next_step_that_can_be_written_down(
    link: Link, psa: PsaView, policy: Policy, asked: Asked
) -> None:
    decision = step(link, psa, policy, asked)
    intend(link, decision, psa, NOW, TIMING)
    concluded(link, decision, psa)
    next_look(link, NOW, TIMING)


@given(near.links(), near.views, near.policies, near.asked)
def test_agreeing_comes_to_an_end(link: Link, psa: PsaView, policy: Policy, asked: Asked) -> None:
    """What was agreed once is not found again: at most once for the whole, and once for each field."""
    for _ in range(len(ALL_FIELDS) + 2):
        decision = step(link, psa, policy, asked)
        if not isinstance(decision.action, Agree):
            return
        link = concluded(link, decision, psa)
    raise AssertionError(f"they never come to agree: {link}")


@given(near.links(), near.circumstances, st.booleans())
def test_judging_ends_and_is_repeatable(link: Link, circumstances: Circumstances, answered: bool) -> None:
    one = judge(link, link, circumstances, answered=answered)
    assert one == judge(link, link, circumstances, answered=answered)
    assert not isinstance(one.decision.action, Agree)
    assert one.stored == link
    assert one.link.id == link.id


@given(near.links(), near.circumstances)
def test_what_needs_no_write_comes_to_rest(link: Link, circumstances: Circumstances) -> None:
    """Decided and recorded again and again, it stays as it is, or something is to be written after all."""
    for _ in range(4):
        one = judge(link, link, circumstances)
        if isinstance(one.decision.action, LOOKS_AND_WRITES):
            return
        resting = concluded(one.link, one.decision, one.psa)
        if resting == link:
            return
        link = resting
    raise AssertionError(f"it goes round in circles: {link}")


@given(near.links(), near.views, near.policies, near.asked)
def test_nothing_is_written_without_its_tick(link: Link, psa: PsaView, policy: Policy, asked: Asked) -> None:
    action = step(link, psa, policy, asked).action
    match action:
        case ChangeItem():
            assert policy.inbound_update
        case DeleteItem():
            assert policy.inbound_delete
        case CreateItem():
            assert policy.inbound_create or policy.inbound_update or link.psa_asks
        case PutEvent() | RemoveEvent():
            assert policy.outbound
            assert policy.unrestricted or not isinstance(link.event, ExternalEvent)
        case _:
            pass


@given(near.links(), near.views, near.policies, near.asked)
def test_nothing_is_deleted_without_an_explicit_deletion(
    link: Link, psa: PsaView, policy: Policy, asked: Asked
) -> None:
    action = step(link, psa, policy, asked).action
    seen = link.calendar_seen
    if isinstance(action, DeleteItem):
        assert seen is not None
        assert seen.deleted
    if isinstance(action, RemoveEvent):
        assert not isinstance(psa, PsaHolds)


@given(near.links(), near.views, near.asked)
def test_a_value_that_is_written_over_is_on_record(link: Link, psa: PsaView, asked: Asked) -> None:
    """Whichever side is written, the values that somebody set there and that go are named."""
    for decision in decide(link, psa, TABLE, asked):
        named = {(one.field, one.winner) for one in decision.overruled}
        match decision.action:
            case PutEvent(fields=fields):
                assert {field for field, winner in named if winner == "psa"} <= fields
            case ChangeItem(fields=fields):
                assert {field for field, winner in named if winner == "calendar"} <= fields
            case RemoveEvent() | CreateItem() | DeleteItem():
                pass
            case _:
                assert not named


@given(near.links(), near.views, st.booleans())
def test_what_is_settled_is_settled(link: Link, psa: PsaView, waited: bool) -> None:
    settled = settle_calendar(link, waited=waited)
    assert settle_calendar(settled, waited=waited) == settled
    known = settle_psa(link, psa, answered=waited)
    assert settle_psa(known, psa, answered=waited) == known
