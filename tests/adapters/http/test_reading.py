"""Looking into what other systems said, which may be anything."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
import orjson
import pytest
from hypothesis import strategies as st

from adapters.http.dates import http_date
from adapters.http.json import array, integer, mapping, number, objects, text
from adapters.http.pool import words


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("\x1b[31mred\x1b[0m \u202eevil", "[31mred[0m evil"),
        (None, "None"),
        ({"a": 1}, "{'a': 1}"),
        ("x" * 501, "x" * 500),
    ],
)
def test_words_are_one_short_line(said: object, line: str) -> None:
    assert words(said) == line


@pytest.mark.parametrize(
    ("header", "iso"),
    [
        ("Mon, 09 Mar 2026 12:00:00 GMT", "2026-03-09T12:00:00+00:00"),
        ("Mon, 09 Mar 2026 12:00:00 -0000", "2026-03-09T12:00:00+00:00"),
        ("Mon, 09 Mar 2026 12:00:00 +0200", "2026-03-09T10:00:00+00:00"),
        ("Monday, 09-Mar-26 12:00:00 GMT", "2026-03-09T12:00:00+00:00"),
        ("Fri, 31 Dec 9999 23:00:00 -2300", None),
        ("Mon, 09 Mar 99999999999999999999 12:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_in_utc_or_none(header: str | None, iso: str | None) -> None:
    moment = http_date(header)
    assert (moment and moment.isoformat()) == iso


_NUMBER = st.integers() | st.integers(0, 60)


@hypothesis.settings(deadline=None)
@hypothesis.given(
    st.text()
    | st.builds("Mon, {} Mar {} {}:{}:{} {:+05}".format, _NUMBER, _NUMBER, _NUMBER, _NUMBER, _NUMBER, st.integers())
)
def test_no_date_is_too_strange(header: str) -> None:
    moment = http_date(header)
    assert moment is None or moment.utcoffset() is not None


JSON = ["null", "1", "1.5", "true", '"text"', "[1]", '{"a":1}', "18446744073709551616"]


@pytest.mark.parametrize(
    ("read", "kind", "empty"),
    [(mapping, '{"a":1}', "{}"), (array, "[1]", "[]"), (text, '"text"', '""'), (integer, "1", "null")],
)
def test_what_is_of_another_kind_is_taken_for_empty(read: Callable[[object], object], kind: str, empty: str) -> None:
    for given in JSON:
        assert read(orjson.loads(given)) == orjson.loads(given if given == kind else empty), given


@pytest.mark.parametrize("given", JSON)
def test_only_numbers_are_numbers(given: str) -> None:
    assert number(orjson.loads(given), 7) == (orjson.loads(given) if given[0] == "1" else 7)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("[]", "[]"),
        ('[{"a":1},null,1,[],{}]', '[{"a":1},{}]'),
        ("null", "null"),
        ('{"a":1}', "null"),
        ('"[]"', "null"),
    ],
)
def test_what_is_no_list_of_objects_is_not_taken_for_an_empty_one(given: str, found: str) -> None:
    assert objects(orjson.loads(given)) == orjson.loads(found)
