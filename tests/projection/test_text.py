"""Text in comparable form: nothing that a person wrote gets lost, and nothing changes on the way back."""

from __future__ import annotations

import html
import time
import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from tests.projection.texts import anything, like_markup, texts
from worker.projection.text import (
    DESCRIPTION_LIMIT,
    PSA_DESCRIPTION_LIMIT,
    SUBJECT_LIMIT,
    cut,
    fitted,
    line,
    literal,
    plain,
    unescaped,
)

FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
ACCENTED = "x\N{COMBINING DOT BELOW}\N{COMBINING ACUTE ACCENT}"


# Lines and characters


@pytest.mark.parametrize(
    ("given_text", "comparable"),
    [
        (None, ""),
        ("", ""),
        ("  \n\t ", ""),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("one\x0btwo\x0cthree\x85four\u2028five\u2029six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("one  \n  two  ", "one\n  two"),
        ("one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("one \n \n \n \ntwo", "one\n\ntwo"),
        ("a\N{NO-BREAK SPACE}b\tc\N{NARROW NO-BREAK SPACE}d", "a b c d"),
        ("soft\N{SOFT HYPHEN}ly\N{ZERO WIDTH SPACE} \ufeffgone", "softly gone"),
        ("nul\x00 bell\x07 escape\x1b", "nul bell escape"),
        ("half\ud83d of a pair", "half of a pair"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("e\N{ZERO WIDTH SPACE}\N{COMBINING ACUTE ACCENT}", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        (f"kept: {FAMILY} \N{ZERO WIDTH NON-JOINER} \N{RIGHT-TO-LEFT MARK}.", None),
        ("\N{LATIN SMALL LIGATURE FI} is not two letters", None),
        ("two  blanks,   three", None),
        ("def f():\n    return 1", None),
        ("# Title\n\n* one\n  * two\n\n| a | b |\n|---|---|", None),
    ],
)
def test_text_has_one_form_and_keeps_everything_that_can_be_seen(
    given_text: str | None, comparable: str | None
) -> None:
    assert plain(given_text) == (comparable if comparable is not None else given_text)


@pytest.mark.parametrize(
    ("given_text", "comparable"),
    [
        (None, ""),
        ("  Two\n words\t here ", "Two words here"),
        ("Fix the <b> in <b>bold</b>", "Fix the <b> in <b>bold</b>"),
        ("R&amp;D", "R&amp;D"),
        ("first\u2028second", "first second"),
        ("\N{LEFT-TO-RIGHT ISOLATE} \N{POP DIRECTIONAL ISOLATE}", ""),
        (FAMILY, FAMILY),
        ("\N{IDEOGRAPHIC SPACE}wide\N{IDEOGRAPHIC SPACE}\N{IDEOGRAPHIC SPACE}", "wide"),
    ],
)
def test_a_line_has_no_breaks_and_no_markup(given_text: str | None, comparable: str) -> None:
    assert line(given_text) == comparable


# What only looks like markup


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "if (a<b && b>c) return a<c;",
        "x<b or y>c",
        "I <3 you",
        "<john@example.com>",
        "John Doe <john@example.com>, Jane <jane@example.com>",
        "<https://psa.example/tickets/7>",
        "<mailto:john@example.com>",
        "List<String> names = new ArrayList<>();",
        "vector<i> v; Map<String, List<A>> m;",
        "press <p> to print, <b> to go back",
        "Type <A> or <B2B>",
        "<config><name>psa</name><value/></config>",
        '<section name="appSettings"><add key="a" value="b"/></section>',
        "<script>alert(1)</script>",
        "the </b> is missing",
        "<!-- a comment -->",
        "5 <p and q>",
        "<a b>",
        "<font",
        "AT&T, R&D, Q&A",
        "?a=1&copy=2&reg=3&lt=4",
        "&copy without its semicolon",
        "&unknown; &also-unknown;",
        "replace &amp; by &",
        "a < b is written a &lt; b",
        "$a <= $b -and $c >= $d",
        "C:\\Users\\<name>\\AppData",
        "ping <ip> -t",
    ],
)
def test_what_only_looks_like_markup_is_left_alone(text: str) -> None:
    assert plain(text) == text


# Markup


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("R&amp;D", "R&D"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;john@example.com&gt;", "<john@example.com>"),
        ("caf&eacute;&nbsp;&#8364;&#x20AC;", "caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{EURO SIGN}\N{EURO SIGN}"),
        ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
        ("a  b<br>    indented", "a  b\n    indented"),
        ("one\n<b>two</b>\nthree", "one\ntwo\nthree"),
        ("John <john@example.com> wrote:<br>1 < 2 & 3", "John <john@example.com> wrote:\n1 < 2 & 3"),
        ("?a=1&copy=2<br>", "?a=1&copy=2"),
        ("mail <john@example.com><br>", "mail <john@example.com>"),
        ("<p>One\nline</p>\n<p>and another</p>", "One line\n\nand another"),
        ("<div>a<br></div><div><br></div><div>b</div>", "a\n\nb"),
    ],
)
def test_markup_becomes_the_text_that_it_stands_for(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("&lt;b&gt;not bold&lt;/b&gt;", "&lt;b&gt;not bold&lt;/b&gt;"),
        ("<p>&lt;b&gt;not bold&lt;/b&gt;</p>", "&lt;b&gt;not bold&lt;/b&gt;"),
        ("<p>a line break is &lt;br&gt;</p>", "a line break is &lt;br&gt;"),
        ("an ampersand is &amp;amp;", "an ampersand is &amp;amp;"),
        ("<p>an ampersand is &amp;amp;</p>", "an ampersand is &amp;amp;"),
    ],
)
def test_markup_that_somebody_wrote_about_stays_escaped(markup: str, text: str) -> None:
    """Unescaped it would lose its tags on the way back from the first provider."""
    assert plain(markup) == text


@pytest.mark.parametrize("text", ["<b>x</b>", "&amp;", "&lt;br&gt;", "a &lt; b", "a &amp;lt; b"])
def test_escaping_once_more_changes_nothing_in_the_long_run(text: str) -> None:
    """Every side may escape what it is given. A text that grew with each of them would never come to rest."""
    forms = set[str]()
    for _ in range(6):
        text = "<p>" + text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + "</p>"
        text = plain(text)
        forms.add(text)
    assert len(forms) == 1


def test_what_was_escaped_more_often_than_anybody_does_is_left_alone() -> None:
    text = "&" + "amp;" * 50
    assert plain(text) == text


# The same again


@given(texts)
@example("&amp;" * 3 + "lt;")
@example("<\N{COMBINING LONG SOLIDUS OVERLAY}b>x</b>")
@example("&lt\N{GREEK QUESTION MARK}br>")
@example("<!-- <br> -->")
@example("<br>&lt;br&gt;&amp;amp;")
def test_plain_text_does_not_change_again(text: str) -> None:
    once = plain(text)
    assert plain(once) == once


@given(texts)
def test_a_line_does_not_change_again(text: str) -> None:
    once = line(text)
    assert line(once) == once
    assert "\n" not in once


@given(texts)
def test_comparable_text_is_nfc_without_control_characters(text: str) -> None:
    for form in (plain(text), line(text)):
        assert unicodedata.is_normalized("NFC", form)
        assert not [char for char in form if unicodedata.category(char) in {"Cc", "Cs"} and char != "\n"]
        assert form == form.strip()
        form.encode()


@given(texts, st.sampled_from(["Ticket: <br>", "Ticket: R&D", "Ticket: R&amp;D", "Ticket: 7"]))
@example("a &amp;lt; b", "Ticket: 7")
@example("<p>&lt;br&gt;</p>", "Ticket: R&D")
def test_literal_text_comes_back_as_it_is(text: str, fact: str) -> None:
    for body in (plain(text), unescaped(plain(text))):
        once = literal(f"{body}\n{fact}".strip())
        assert plain(once) == once
        assert literal(unescaped(once)) == once


@given(texts)
def test_what_a_text_says_stands_for_the_text(text: str) -> None:
    assert literal(unescaped(plain(text))) == plain(text)


@given(like_markup)
def test_words_are_never_lost(text: str) -> None:
    """Neither the words between tags nor what is only named like a tag."""
    shown = unicodedata.normalize("NFC", text.replace("<style>", "").replace("<head>", "").replace("<!--", ""))
    kept = html.unescape(plain(shown))
    for word in ("word", "john@example.com", "List<String>", "a<b && b>c"):
        assert kept.count(word) == shown.count(word)


# Within limits


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("one two", 5, "one…"),
        (f"ab{FAMILY}", 6, "ab…"),
        (f"ab{FAMILY}", 7, f"ab{FAMILY}"),
        (f"{FAMILY}{FAMILY}", 6, f"{FAMILY}…"),
        (f"{ACCENTED}xyz", 4, f"{ACCENTED}…"),
        (f"{ACCENTED}xyz", 3, "…"),
        ("\N{REGIONAL INDICATOR SYMBOL LETTER D}\N{REGIONAL INDICATOR SYMBOL LETTER E}xy", 3, None),
    ],
)  # fmt: skip
def test_a_text_is_cut_between_graphemes(text: str, limit: int, kept: str | None) -> None:
    assert cut(text, limit) == (kept if kept is not None else text[:2] + "…")


@given(st.text(max_size=40) | st.text(f"{FAMILY}e\N{COMBINING ACUTE ACCENT} \r\n", max_size=40), st.integers(1, 40))
def test_a_cut_text_fits_begins_alike_and_is_not_cut_again(text: str, limit: int) -> None:
    once = cut(text, limit)
    assert len(once) <= limit
    assert cut(once, limit) == once
    if once != text:
        whole = once.removesuffix("…")
        graphemes = regex.findall(r"\X", text)
        assert any("".join(graphemes[:n]).rstrip() == whole for n in range(len(graphemes)))


@pytest.mark.parametrize("limit", [-5, 0, 1])
def test_where_there_is_no_room_at_all_only_the_sign_of_a_cut_is_left(limit: int) -> None:
    assert fitted("Figures", limit) == "…"


@given(texts, st.integers(1, 60), st.integers(1, 8))
@example("AT&amp;T and more words R&D", 20, 1)
@example("&lt;b&gt;words and more&lt;/b&gt;", 30, 1)
@example("&lt;b&gt;x&lt;/b&gt;" + ">" * 60 + "R&D", 60, 1)
def test_what_is_left_of_a_text_that_was_cut_comes_back_as_it_is(text: str, limit: int, times: int) -> None:
    whole = plain(text * times)
    once = fitted(whole, limit)
    assert len(once) <= limit
    assert plain(once) == once
    assert fitted(once, limit) == once
    assert (once == whole) is (len(whole) <= limit)


@pytest.mark.parametrize("limit", [SUBJECT_LIMIT, DESCRIPTION_LIMIT, PSA_DESCRIPTION_LIMIT])
@pytest.mark.parametrize("char", ["x", "\N{GRINNING FACE}", FAMILY])
def test_every_limit_is_used_as_far_as_it_goes(limit: int, char: str) -> None:
    length = len(cut(char * limit, limit))
    assert limit - len(char) < length <= limit if len(char) > 1 else length == limit


# In time

LONG = 40_000
HOSTILE = [
    "<", "<p", "<p>", "</p>", "<b ", "<a href=", "<a href='", '<a href="x" ', "<a href='<a href=\"", "<div>", "<br>",
    "<table><tr><td>", "<ul><li>", "<pre>", "<head>", "<style>", "<!--", "<!-- -->", "-->", "<!doctype ", "&", "&amp;",
    "&#38;", "&#", "&am", "&amp;lt;", "amp;", " ", "\n", " \n", "\n ", "\t", "a ", "<b>x</b>", "&lt;b&gt;", "_", "x<x>",
    "<a href='https://x'>x</a>", "https://x<https://x>", "\N{COMBINING ACUTE ACCENT}", "Synced from PSA\n", "<x ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long(piece: str) -> None:
    """Ten times the longest text of a calendar. A function that is not linear takes minutes."""
    began = time.perf_counter()
    for before, after in (("", ""), ("<br>", "</b>"), ("&amp;", "x")):
        text = before + piece * (LONG // len(piece)) + after
        plain(text)
        line(text)
        fitted(literal(text), DESCRIPTION_LIMIT)
    assert time.perf_counter() - began < 3


@given(anything)
def test_any_text_at_all_is_taken(text: str) -> None:
    for wild in (text, f"<p>{text}", f"{text}<br>", f"<a href='{text}'>", f"<?xml {text}?><p>", f"&{text};"):
        plain(wild)
