"""What a provider makes of a text, and what a person makes of it: the one is no edit, the other must not get lost."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events.content import ALL_FIELDS, AllDay, Content, Field, Timed, Value
from tests.core import near
from tests.core.examples import AGREED, HOUR, NOW
from worker.core.compare import differing, overlay, same, shows, take, unchanged

DESCRIPTION = Field.DESCRIPTION
TEXT = "Bring the figures, please.\nSee https://psa.example/7 or ask ann@psa.example"
LONG = "word " * 300
TEAMS = (
    "________________________________________________________________________________\n"
    "Microsoft Teams meeting\n"
    "Join: https://teams.microsoft.com/l/meetup-join/19%3ameeting\n"
    "________________________________________________________________________________"
)
NEW_TEAMS = (
    "________________________________________________________________________________\n"
    "Microsoft Teams Need help?<https://aka.ms/JoinTeamsMeeting?omkt=en-US>\n"
    "Join the meeting now<https://teams.microsoft.com/l/meetup-join/19%3ameeting>\n"
    "Meeting ID: 123 456\n"
    "________________________________\n"
    "For organizers: Meeting options<https://teams.microsoft.com/meetingOptions/>\n"
    "________________________________________________________________________________"
)
MEET = (
    "-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-\n"
    "Join with Google Meet: https://meet.google.com/abc-defg-hij\n"
    "-::~:~::~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~:~::~:~::-"
)


# What providers do, when they are given a text and later


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEXT, TEXT.replace("the", "the ")),
        (TEXT, f" {TEXT}\n\n "),
        (TEXT, TEXT.replace("\n", "\n\n")),
        (TEXT, TEXT.replace("https://psa.example/7", "https://psa.example/7<https://psa.example/7>")),
        (TEXT, TEXT.replace("https://psa.example/7", "https://psa.example/7 <https://psa.example/7/>")),
        (TEXT, TEXT.replace("ann@psa.example", "ann@psa.example<mailto:ann@psa.example>")),
        ("see www.psa.example", "see www.psa.example<http://www.psa.example>"),
        ("(https://psa.example)", "(https://psa.example<https://psa.example>)"),
        (TEXT, f"{TEXT}\n{TEAMS}"),
        (TEXT, f"{TEAMS}\n{TEXT}"),
        (TEXT, f"{TEXT}\n{NEW_TEAMS}"),
        (TEXT, f"{TEXT}\n\n{MEET}"),
        (TEXT, f"{TEXT}\n{TEAMS}\n{TEAMS}"),
        ("", TEAMS),
        (f"{TEXT}\n{TEAMS}", TEXT),
        (f"{TEXT}\n{TEAMS}", f"{TEXT}\n{TEAMS.replace('19%3a', '20%3a')}"),
    ],
)
def test_what_a_provider_makes_of_a_text_is_no_edit(before: str, after: str) -> None:
    assert same(DESCRIPTION, before, after)
    assert unchanged(DESCRIPTION, before, after)


@pytest.mark.parametrize("after", [TEXT.replace("\n", " "), TEXT.replace(", ", ",\n"), TEXT.replace("\n", "")])
def test_lines_may_be_joined_or_split_by_who_is_given_a_text_but_not_by_who_has_it(after: str) -> None:
    assert same(DESCRIPTION, TEXT, after)
    assert not unchanged(DESCRIPTION, TEXT, after)


@pytest.mark.parametrize(
    ("limit", "char"),
    [(255, "x"), (256, "x"), (1024, "x"), (4096, "x"), (8000, "x"), (256, "\N{GRINNING FACE}"), (255, "\N{EURO SIGN}")],
)
@pytest.mark.parametrize("mark", ["", "…"])
def test_a_text_may_be_cut_at_a_limit_by_who_is_given_it_but_not_by_who_has_it(
    limit: int, char: str, mark: str
) -> None:
    whole = char * 9000
    for count in (limit, limit // len(char.encode()), limit // (len(char.encode("utf-16-le")) // 2)):
        cut = whole[: count - len(mark) * len("…".encode())] + mark
        assert same(DESCRIPTION, whole, cut)
        assert not unchanged(DESCRIPTION, whole, cut)


# What people do

EDITS = [
    ("another word", "Call Bob", "Call Rob"),
    ("a word more", "Call Bob", "Call Bob now"),
    ("a word less", "Call Bob now", "Call Bob"),
    ("only the case", "call bob", "Call Bob"),
    ("only punctuation", "Call Bob?", "Call Bob!"),
    ("a sign less", "C++", "C"),
    ("a number's point", "1.5 h", "15 h"),
    ("a number's sign", "5", "-5"),
    ("a clock's colon", "at 10:30", "at 1030"),
    ("an emoji more", "Party", "Party \N{PARTY POPPER}"),
    ("another emoji", "\N{PARTY POPPER}", "\N{WRAPPED PRESENT}"),
    ("an accent", "resume", "r\N{LATIN SMALL LETTER E WITH ACUTE}sum\N{LATIN SMALL LETTER E WITH ACUTE}"),
    ("underscores", "my_var", "myvar"),
    ("emptied", "Call Bob", ""),
    ("emptied of signs", "!!!", ""),
    ("filled", "", "Call Bob"),
    ("the tail of a long text", LONG, LONG[: len(LONG) // 2]),
    ("the last word of a long text", LONG, LONG.strip().removesuffix("word").strip()),
    ("the head of a long text", LONG, LONG[40:]),
    ("one word in a long text", f"{LONG}x{LONG}", f"{LONG}y{LONG}"),
    ("an address", "https://psa.example/7", "https://psa.example/8"),
    ("an address in brackets", "<https://psa.example/7>", "<https://psa.example/8>"),
    ("a bracketed address less", "see <https://psa.example/7>", "see"),
    ("a named address", "the ticket<https://psa.example/7>", "the ticket<https://psa.example/8>"),
    ("brackets that repeat no address", "List<t>", "List"),
    ("a line about a meeting", TEXT, f"{TEXT}\nJoin the meeting in room 2"),
    ("the name of a product", TEXT, f"{TEXT}\nWe use Microsoft Teams"),
    ("a line of dashes", TEXT, f"{TEXT}\n{'_' * 30}\nMinutes: all agreed"),
    ("text between rules", TEXT, f"{TEXT}\n{'_' * 30}\nMinutes\n{'_' * 30}"),
    ("text above a conference", f"{TEXT}\n{TEAMS}", f"{TEXT}\nand more\n{TEAMS}"),
    ("text below a conference", f"{TEXT}\n{TEAMS}", f"{TEXT}\n{TEAMS}\nand more"),
]


@pytest.mark.parametrize(
    ("before", "after"), [(one, other) for _, one, other in EDITS], ids=[name for name, _, _ in EDITS]
)
def test_what_a_person_changes_is_an_edit(before: str, after: str) -> None:
    assert not unchanged(DESCRIPTION, before, after)
    assert not unchanged(DESCRIPTION, after, before)
    assert not same(DESCRIPTION, before, after)
    assert not same(DESCRIPTION, after, before)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1), st.text(max_size=20), st.integers(0, 40))
def test_any_sign_that_can_be_seen_is_an_edit(sign: str, text: str, at: int) -> None:
    edited = text[:at] + sign + text[at:]
    assume("<" not in edited)
    assume("_" * 20 not in edited)
    assert not same(DESCRIPTION, text, edited)
    assert not unchanged(DESCRIPTION, text, edited)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_unchanged_is_the_same(before: str, after: str) -> None:
    assert same(DESCRIPTION, before, before)
    assert unchanged(DESCRIPTION, before, before)
    assert same(DESCRIPTION, before, after) or not unchanged(DESCRIPTION, before, after)


# Times and flags


@pytest.mark.parametrize(
    ("wanted", "shown", "is_same"),
    [
        (Timed(NOW, NOW + HOUR), Timed(NOW, NOW + HOUR), True),
        (Timed(NOW + timedelta(seconds=30), NOW + HOUR), Timed(NOW, NOW + HOUR), True),
        (Timed(NOW + timedelta(seconds=59), NOW + timedelta(seconds=59)), Timed(NOW, NOW), True),
        (Timed(NOW, NOW + HOUR), Timed(NOW + timedelta(seconds=30), NOW + HOUR), False),
        (Timed(NOW + timedelta(seconds=30), NOW + HOUR), Timed(NOW + timedelta(seconds=20), NOW + HOUR), False),
        (Timed(NOW + timedelta(seconds=30), NOW + HOUR), Timed(NOW + timedelta(minutes=1), NOW + HOUR), False),
        (Timed(NOW, NOW + HOUR), Timed(NOW, NOW + 2 * HOUR), False),
        (Timed(NOW, NOW + HOUR), AllDay(NOW.date(), NOW.date() + timedelta(days=1)), False),
        (AllDay(NOW.date(), NOW.date() + timedelta(days=1)), Timed(NOW, NOW + HOUR), False),
    ],
)
def test_a_time_may_lose_its_seconds_and_nothing_else(wanted: Timed, shown: Timed, *, is_same: bool) -> None:
    assert same(Field.WHEN, wanted, shown) is is_same
    assert unchanged(Field.WHEN, wanted, shown) is is_same


def test_a_flag_is_what_it_is() -> None:
    assert not same(Field.PRIVATE, True, False)  # noqa: FBT003
    assert not unchanged(Field.BUSY, False, True)  # noqa: FBT003


# Whole contents


def test_all_fields_have_to_be_the_same() -> None:
    assert shows(AGREED, AGREED)
    assert shows(AGREED, replace(AGREED, description="Fig ures"))
    others: dict[Field, Value] = {Field.SUMMARY: "x", Field.LOCATION: "", Field.PRIVATE: True, Field.BUSY: False}
    for field, value in others.items():
        assert not shows(AGREED, overlay(AGREED, {field: value}))


@given(near.contents, near.contents, near.fields)
def test_what_is_taken_no_longer_differs(one: Content, other: Content, fields: frozenset[Field]) -> None:
    taken = take(one, other, fields)
    assert differing(taken, other) == differing(one, other) - fields
    assert differing(taken, one) == differing(one, other) & fields
    assert take(one, other, ALL_FIELDS) == other
    assert overlay(one, {}) == one


# In time


@pytest.mark.parametrize(
    "piece", ["<", "x<", "x<x>", "https://x<https://x>", "x <https://x>", "_" * 20 + "\n", "_", " ", "\n", "x\n", "a:<"]
)
def test_no_comparison_takes_long(piece: str) -> None:
    text = piece * (40_000 // len(piece))
    began = time.perf_counter()
    assert not same(DESCRIPTION, f"a{text}", f"{text}b")
    assert time.perf_counter() - began < 2
