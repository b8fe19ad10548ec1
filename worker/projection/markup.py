"""HTML: what is markup, what only looks like it, and the text that markup stands for. Every function is linear.

People write `a < b`, `<john@example.com>`, `List<String>` and "press <p>", and none of that may get lost. So whether a
text is HTML at all is decided on the whole of it: by a line break, a tag with attributes, or a tag that is opened and
closed again; without any tag, by having every `&` and `<` escaped. In a text that is HTML, only well-formed tags that
HTML knows are tags.

Not an HTML library: those read anything as HTML, undo escapes twice, or drop what is nested deeply.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from html.entities import html5
from typing import Final

_ATTRIBUTE: Final = (
    r"\s++(?:[a-z_:][a-z0-9_:.-]*+\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>`]++)"
    r"|(?:nowrap|noshade|hidden|disabled|checked|compact)(?=[\s/>]))"
)
_TAG: Final = re.compile(
    rf"<(?P<end>/)?(?P<name>[a-z][a-z0-9:-]{{0,15}})(?P<attributes>(?:{_ATTRIBUTE})*+)\s*+/?>", re.IGNORECASE
)
_HREF: Final = re.compile(r"\shref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>`]+))", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"(?:https?://|www\.)\S+|[^\s@]+@[^\s@]+", re.IGNORECASE)
_DECLARATION: Final = re.compile(r"<(?:!doctype|\?xml|!\[(?:if|endif))[^<>]*>", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|(?P<name>[a-z][a-z0-9]{1,31}));", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\n\r\f]+")


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


_PARAGRAPHS: Final = _named("p h1 h2 h3 h4 h5 h6 pre blockquote")
_LISTS: Final = _named("ul ol")
_CELLS: Final = _named("td th")
_BLOCKS: Final = _named(
    "p h1 h2 h3 h4 h5 h6 pre blockquote ul ol li dl dt dd div center table thead tbody tfoot tr td th caption html body"
    " form fieldset article section aside nav header footer main address figure"
)
_INLINE: Final = _named(
    "a abbr acronym b big br cite code del dfn em font hr html-blob i img ins kbd label mark o:p q s samp small span"
    " strike strong sub sup tt u var wbr"
)
_HIDDEN: Final = _named("head title style script template")
_SINGLE: Final = _named("br hr")
_AMBIGUOUS: Final = _named(
    "head title template body form header footer main label address caption section article figure code script var"
    " cite q s link col colgroup input button xml"
)
"""Names that other markup languages use as well: they do not make a text HTML."""
_NAMES: Final = _BLOCKS | _INLINE | _HIDDEN | _named("meta link col colgroup input button iframe xml")
_DEEPEST: Final = 8
"""How far a list in a list is moved in, at most."""


def is_markup(text: str) -> bool:
    """Whether a text is HTML, or escaped as a whole."""
    return ("<" in text and bool(_tags(text))) or _is_escaped(text)


def text_of(markup: str) -> str:
    """Return the text that HTML stands for."""
    markup = _without_comments(markup) if "<!--" in markup else markup
    tags = _tags(markup) if "<" in markup else []
    return _Page(markup, tags).text if tags else _decoded(markup)


def escaped(text: str) -> str:
    """Return markup that stands for just this text."""
    return html.escape(text, quote=False)


def _tags(text: str) -> list[re.Match[str]]:
    """Return the tags of a text; none if it only looks as if there were any."""
    found = [tag for tag in _TAG.finditer(text) if tag["name"].lower() in _NAMES]
    opened: set[str] = set()
    for tag in found:
        name = tag["name"].lower()
        if name in _AMBIGUOUS:
            continue
        if name in _SINGLE or (tag["end"] and name in opened) or "=" in tag["attributes"]:
            return found
        opened.add(name)
    return []


def _is_escaped(text: str) -> bool:
    if "&" not in text or "<" in text:
        return False
    return text.count("&") == sum(1 for entity in _ENTITY.finditer(text) if _is_known(entity))


def _is_known(entity: re.Match[str]) -> bool:
    return entity["name"] is None or f"{entity['name']};" in html5


def _decoded(text: str) -> str:
    """Undo escapes once. Only such as end in a semicolon: `?a=1&copy=2` is an address."""
    if "&" not in text:
        return text
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]) if _is_known(entity) else entity[0], text)


def _without_comments(text: str) -> str:
    pieces: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        pieces.append(text[at:start])
        at = end + len("-->")
    return "".join(pieces) + text[at:]


class _Page:
    """Text with its lines, made tag by tag."""

    def __init__(self, markup: str, tags: Sequence[re.Match[str]]) -> None:
        # Among blocks, line feeds are mere white space; in text with a few tags in it, they are lines.
        self._flowing = any(tag["name"].lower() in _BLOCKS for tag in tags)
        self._last_ends = {tag["name"].lower(): tag.start() for tag in tags if tag["end"]}
        self._pieces: list[str] = []
        self._gap = 0
        """How many line feeds come before the next text."""
        self._broken = False
        self._kept = 0
        """In how many blocks whose white space counts."""
        self._bullet = ""
        self._lists: list[int | None] = []
        self._link: tuple[str, int] | None = None
        self._hidden = ""
        at = 0
        for tag in tags:
            self._add(markup[at : tag.start()])
            self._take(tag)
            at = tag.end()
        self._add(markup[at:])

    @property
    def text(self) -> str:
        """What came of it."""
        return "".join(self._pieces)

    def _add(self, markup: str) -> None:
        if self._hidden or not markup:
            return
        text = _decoded(_DECLARATION.sub("", markup) if "<" in markup else markup)
        if self._flowing and not self._kept:
            text = _SPACES.sub(" ", text)
            fresh = self._gap or not self._pieces or self._pieces[-1].endswith((" ", "\n"))
            text = text.removeprefix(" ") if fresh else text
        elif self._broken:
            text = text.removeprefix("\n")
        self._write(text)

    def _write(self, text: str) -> None:
        if not text:
            return
        if self._pieces:
            self._pieces.append("\n" * self._gap)
        self._pieces += [self._bullet, text]
        self._gap, self._bullet, self._broken = 0, "", False

    def _ends_line(self, gap: int) -> None:
        if not self._bullet:
            self._gap = max(self._gap, gap)

    def _take(self, tag: re.Match[str]) -> None:
        name, end = tag["name"].lower(), bool(tag["end"])
        if name in _HIDDEN:
            self._hide(name, tag.start(), end=end)
        elif self._hidden:
            return
        elif name == "br":
            self._gap += 1
            self._broken = True
        elif name == "a":
            self._take_link(tag["attributes"], end=end)
        elif name in _LISTS or name == "li":
            self._take_list(name, end=end)
        elif name in _CELLS:
            self._take_cell(end=end)
        elif name in _BLOCKS or name == "hr":
            self._ends_line(2 if name in _PARAGRAPHS else 1)
            if name == "pre":
                self._kept = max(0, self._kept + (-1 if end else 1))
                self._broken = not end

    def _hide(self, name: str, at: int, *, end: bool) -> None:
        if end:
            self._hidden = "" if self._hidden == name else self._hidden
        elif not self._hidden and self._last_ends.get(name, -1) > at:  # what never ends hides nothing
            self._hidden = name

    def _take_link(self, attributes: str, *, end: bool) -> None:
        if not end:
            self._link = (_address(attributes), len(self._pieces))
        elif self._link is not None:
            (address, begin), self._link = self._link, None
            shown = "".join(self._pieces[begin:]).strip()
            if shown and address and address not in shown and not _ADDRESS.fullmatch(shown):
                self._write(f" ({address})")

    def _take_list(self, name: str, *, end: bool) -> None:
        self._bullet = ""
        self._ends_line(1)
        if name != "li":
            if not end:
                self._lists.append(0 if name == "ol" else None)
            elif self._lists:
                self._lists.pop()
        elif not end:
            number = self._lists[-1] if self._lists else None
            if number is not None:
                self._lists[-1] = number + 1
            sign = "* " if number is None else f"{number + 1}. "
            self._bullet = "  " * min(len(self._lists) - 1, _DEEPEST) + sign

    def _take_cell(self, *, end: bool) -> None:
        if not end and self._pieces and not self._gap:
            self._pieces.append("  ")


def _address(attributes: str) -> str:
    """Return where a link leads, if that is of use to people."""
    found = _HREF.search(attributes)
    if found is None:
        return ""
    address = _decoded(next(part for part in found.groups() if part is not None)).strip()
    if address.lower().startswith("mailto:"):
        return address[len("mailto:") :].partition("?")[0]
    return address if address.lower().startswith(("http://", "https://")) else ""
