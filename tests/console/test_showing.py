"""How values are written on pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from worker.console.showing import instant, page, since, visible

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=25), "1 d"),
        (timedelta(hours=23), "23 h"),
    ],
)
def test_how_long_ago_something_was_is_written_roughly(ago: timedelta, words: str) -> None:
    assert since(NOW - ago, NOW) == words


def test_what_is_not_known_is_a_dash() -> None:
    assert (since(None, NOW), instant(None), instant(datetime.min.replace(tzinfo=UTC))) == ("-", "-", "-")
    assert instant(NOW) == "2026-03-10 12:00:00Z"


def test_what_turns_or_hides_text_is_made_visible() -> None:
    assert visible("a\u202eb\x1b[2Jc\u200bd\n") == "a�b�[2Jc�d\n"
    assert not visible(None)


def test_text_is_never_markup() -> None:
    shown = page("refusal", 400, root="/console", title="No", words='<script>"&')
    assert "&lt;script&gt;&#34;&amp;" in bytes(shown.body).decode()
    assert shown.status_code == 400
