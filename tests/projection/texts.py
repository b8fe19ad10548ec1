"""Texts for property tests: whatever can be sent, and whatever looks like markup."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

anything: Final = st.text(max_size=60)
"""Also with control characters, halves of surrogate pairs and combining marks."""

_PIECES: Final = st.sampled_from([
    *("<b>", "</b>", "<br>", "<br/>", "<p>", "</p>", "<div class='x'>", "</div>", "<ul>", "<ol>", "<li>", "</ul>"),
    *('<a href="https://psa.example/?a=1&amp;b=2">', "</a>", "<pre>", "</pre>", "<td>", "<head>", "</head>", "<style>"),
    *("<!--", "-->", "<!doctype html>", "<x>", "< ", "<3", "<john@example.com>", "a<b && b>c", "List<String>"),
    *("&amp;", "&amp;amp;", "&lt;", "&gt;", "&lt;b&gt;", "&lt;/b&gt;", "&lt;br&gt;", "&nbsp;", "&#65;", "&", "&#38;"),
    *("&copy=", "https://psa.example/?a=1&copy=2", "\n", "\n\n\n", "\r\n", " ", "  ", "\t", "\N{NO-BREAK SPACE}"),
    *("e\N{COMBINING ACUTE ACCENT}", "\N{COMBINING LONG SOLIDUS OVERLAY}", "\N{GREEK QUESTION MARK}", "word", "1. ."),
    *("\N{ZERO WIDTH SPACE}", "\N{FAMILY}", "\N{REGIONAL INDICATOR SYMBOL LETTER D}", "\x85", "\N{LINE SEPARATOR}"),
    *("Synced from PSA - Task #7", "Synced from PSA", "https://psa.example/7", "_" * 20, "* a", "…"),
])  # fmt: skip
like_markup: Final = st.lists(_PIECES, max_size=14).map("".join)
texts: Final = anything | like_markup | st.tuples(like_markup, anything, like_markup).map("".join)
