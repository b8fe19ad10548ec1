"""What HTML of the PSA and of providers looks like as text."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.projection.texts import texts
from worker.projection.markup import escaped, is_markup, text_of
from worker.projection.text import plain


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a<p>b</p>c", "a\n\nb\n\nc"),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("<div><div><div>deep</div></div></div>", "deep"),
        ("<h1>Title</h1><p>Body</p>", "Title\n\nBody"),
        ("a<hr>b", "a\nb"),
        ("<blockquote>quoted</blockquote>answer", "quoted\n\nanswer"),
        ("<p>  many \n blanks <b> and </b> tags  </p>", "many blanks and tags"),
        ("<p>a&nbsp;&nbsp;b</p>", "a  b"),
        ("<p>in<b>side</b> a word</p>", "inside a word"),
    ],
)
def test_blocks_are_lines(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Bring:<ul><li>cable</li><li>router</li></ul>Thanks", "Bring:\n* cable\n* router\nThanks"),
        ("<ol><li>one<li>two</ol>", "1. one\n2. two"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "* a\n  * b\n* c"),
        ("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n  * b\n2. c"),
        ("<ul><li><p>a</p></li><li></li><li><div>b</div></li></ul>", "* a\n\n* b"),
        ("<ul><li></li></ul>after", "after"),
        ("<table><tr><th>Host</th><th>IP</th></tr><tr><td>a</td><td>1.1</td></tr></table>", "Host  IP\na  1.1"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\nMeaning"),
        ("<pre>\ndef f():\n    return 1\n</pre>", "def f():\n    return 1"),
        ("<p>a</p><pre>  b\n   c</pre><p>d\ne</p>", "a\n\n  b\n   c\n\nd e"),
    ],
)
def test_lists_tables_and_code_keep_their_shape(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('<a href="https://psa.example">https://psa.example</a>', "https://psa.example"),
        ('<a href="https://psa.example/">psa.example</a>', "psa.example (https://psa.example/)"),
        ('<a href="https://psa.example/7">the ticket</a>', "the ticket (https://psa.example/7)"),
        ("<a href='https://psa.example/?a=1&amp;b=2'>the <b>ticket</b></a>!", "the ticket (https://psa.example/?a=1&b=2)!"),
        ("<a href=https://psa.example/7 target=_blank>it</a>", "it (https://psa.example/7)"),
        ('<a href="mailto:ann@psa.example?subject=x">Ann</a>', "Ann (ann@psa.example)"),
        ('<a href="mailto:ann@psa.example">ann@psa.example</a>', "ann@psa.example"),
        ('<a href="https://www.google.com/url?q=https://psa.example">https://psa.example</a>', "https://psa.example"),
        ('<a href="#top">up</a>', "up"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ('<a name="x"></a>anchor', "anchor"),
        ('<a href="https://psa.example/logo"><img src="logo.png"></a>text', "text"),
        ('<a href="https://psa.example/7">never closed', "never closed"),
    ],
)  # fmt: skip
def test_a_link_keeps_its_address_unless_it_is_shown_anyway(markup: str, text: str) -> None:
    assert plain(markup) == text


@pytest.mark.parametrize(
    "markup",
    [
        "<html><head><title>t</title><style>p{color:red}</style></head><body><p>text</p></body></html>",
        "<!DOCTYPE html><html><body>text</body></html>",
        "<?xml version='1.0' encoding='utf-8'?><p>text</p>",
        "<p>te<script>alert('<p>')</script>xt</p>",
        "<!-- <p>no</p> --><p>text</p>",
        "<p>text</p><!--[if mso]><xml><o:p>no</o:p></xml><![endif]-->",
        '<p class="MsoNormal" style="margin:0 0 0 0"><span lang=\'EN-US\'>text<o:p></o:p></span></p>',
        "<html-blob><u></u>text<u></u></html-blob>",
        "<FONT COLOR=RED>text</FONT>",
        "<td nowrap>text</td>",
        '<meta http-equiv="Content-Type" content="text/html"><div>text</div>',
    ],
)
def test_what_a_page_does_not_show_is_left_out(markup: str) -> None:
    assert plain(markup) == "text"


@pytest.mark.parametrize("name", ["style", "script", "head", "title", "template"])
def test_what_is_never_closed_hides_nothing(name: str) -> None:
    assert plain(f"<p>a</p><{name}>b<p>c</p>") == "a\n\nb\n\nc"


def test_text_is_not_lost_however_deeply_it_is_nested() -> None:
    assert plain("<div>" * 5000 + "text" + "</div>" * 5000) == "text"
    assert plain("<ul><li>" * 3000 + "text</ul>") == "* text"


def test_entities_are_read_once() -> None:
    assert text_of("<p>&amp;lt;</p>") == "&lt;"
    assert text_of("&amp;amp;lt;") == "&amp;lt;"


@given(texts)
def test_escaped_text_is_markup_that_stands_for_it(text: str) -> None:
    assert text_of(escaped(text)) == text
    assert "<" not in escaped(text)


@given(texts)
def test_text_without_brackets_and_ampersands_is_never_markup(text: str) -> None:
    assert not is_markup(text.replace("<", "").replace("&", ""))
