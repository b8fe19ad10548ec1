"""Who gets in, as what, and for how long."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from worker.console.sessions import LASTS, Role, Session, Sessions, same_form

READER, OPERATOR = "r" * 24, "o" * 24
BOTH = Sessions({Role.READER: READER, Role.OPERATOR: OPERATOR})
NOON = 1_770_000_000


def entered(token: str, who: str = "Ann") -> Session:
    session = BOTH.enter(who, token, "key")
    assert session is not None
    return session


@pytest.mark.parametrize(("token", "role", "acts"), [(READER, Role.READER, False), (OPERATOR, Role.OPERATOR, True)])
def test_a_token_gives_its_role(token: str, role: Role, acts: bool) -> None:
    session = entered(token)
    assert (session.role, session.may_act) == (role, acts)


def test_where_both_roles_have_one_token_the_stronger_counts() -> None:
    session = Sessions({Role.READER: OPERATOR, Role.OPERATOR: OPERATOR}).enter("Ann", OPERATOR, "key")
    assert session is not None
    assert session.may_act


@pytest.mark.parametrize("who", ["", "   ", "x" * 65, "Ann\u202e", "a\x00b"])
def test_nobody_gets_in_without_a_name_that_can_be_read(who: str) -> None:
    assert BOTH.enter(who, OPERATOR, "key") is None


@pytest.mark.parametrize("token", ["", "guessed", READER + " ", "ö" * 24])
def test_nobody_gets_in_without_a_token(token: str) -> None:
    assert BOTH.enter("Ann", token, "key") is None
    assert Sessions({Role.READER: ""}).enter("Ann", token, "key") is None


def test_a_session_lasts_until_it_is_over_and_any_worker_with_the_tokens_takes_it() -> None:
    session = entered(OPERATOR)
    cookie = BOTH.seal(session, NOON)
    other = Sessions({Role.OPERATOR: OPERATOR})
    assert other.unseal(cookie, NOON + 60) == session
    assert other.unseal(cookie, NOON + int(LASTS.total_seconds()) + 1) is None


def test_a_new_token_ends_the_sessions_of_the_old_one() -> None:
    cookie = BOTH.seal(entered(OPERATOR), NOON)
    assert Sessions({Role.OPERATOR: "n" * 24, Role.READER: READER}).unseal(cookie, NOON) is None


def test_a_session_of_one_role_is_none_of_another() -> None:
    cookie = BOTH.seal(entered(READER), NOON)
    assert Sessions({Role.OPERATOR: READER}).unseal(cookie, NOON) is None


def test_what_we_have_not_sealed_opens_nothing() -> None:
    for cookie in ("", "nonsense", Fernet(Fernet.generate_key()).encrypt(b"[]").decode()):
        assert BOTH.unseal(cookie, NOON) is None


def test_a_form_belongs_to_its_session() -> None:
    session = entered(OPERATOR)
    assert same_form(session, "key")
    assert not same_form(session, "other")
    assert not same_form(Session("Ann", Role.OPERATOR, ""), "")
