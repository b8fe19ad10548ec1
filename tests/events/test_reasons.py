"""Reason codes: what appears in logs, outcomes, dead letters and metrics, and is looked up by people."""

from __future__ import annotations

import re

import pytest

from events.reasons import Reason

MEMBERS = Reason.__members__


def test_no_two_reasons_share_a_code() -> None:
    assert len({member.value for member in MEMBERS.values()}) == len(MEMBERS)


def test_no_two_reasons_say_the_same() -> None:
    assert len({member.explanation for member in MEMBERS.values()}) == len(MEMBERS)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_reason_is_a_word_in_snake_case_and_a_sentence(name: str) -> None:
    reason = MEMBERS[name]
    assert reason.name == name, "another name for a reason that exists"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", reason.value)
    assert len(reason.value) <= 64, "the longest that a dead letter takes"
    assert re.fullmatch(r"[A-Z].{10,}\.", reason.explanation)


def test_a_code_gives_its_reason_and_a_reason_is_its_code() -> None:
    assert all(Reason.of(str(reason)) is reason and reason == reason.value for reason in Reason)


@pytest.mark.parametrize("code", ["", "IN_SYNC", "in sync", "nonsense"])
def test_a_code_that_is_none_has_no_reason(code: str) -> None:
    with pytest.raises(ValueError, match="not a valid Reason"):
        Reason.of(code)
