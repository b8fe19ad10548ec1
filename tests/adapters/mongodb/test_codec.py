"""What is stored comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import bson
from bson.codec_options import CodecOptions
from hypothesis import HealthCheck, given, settings

from adapters.mongodb.codec import item_to_document, link_from_document, link_to_document
from adapters.mongodb.integration_codec import (
    connect_to_document,
    held_to_document,
    integration_from_document,
    settings_to_document,
)
from adapters.mongodb.journal import entry_from_document, entry_to_document
from events.integration import ConnectWish, Held, Integration, SettingsWish
from events.journal import Entry
from events.link import ItemKey, Link
from tests.adapters.mongodb.subjects import KEEP, VAULT
from tests.strategies import connect_wishes, entries, held, item_keys, links, settings_wishes

Document = dict[str, Any]
OPTIONS = CodecOptions(document_class=Document, tz_aware=True, tzinfo=UTC)
unhurried = settings(suppress_health_check=[HealthCheck.too_slow])
"""Large values take their time to draw."""


def as_stored(document: Document) -> Document:
    return bson.decode(bson.encode(document), OPTIONS)  # pyright: ignore[reportUnknownMemberType] - an array of unknowns


def integration(**parts: Any) -> Integration:
    """Return what is read of an integration's document."""
    document = {"_id": "int_ann", "tenant_id": 1, "user_id": 7, "epoch": 1, **parts}
    return integration_from_document(as_stored(document), VAULT)


@unhurried
@given(links())
def test_a_link_comes_back_as_it_was(link: Link) -> None:
    assert link_from_document(as_stored(link_to_document(link))) == link


@given(item_keys, item_keys)
def test_an_item_is_found_by_its_key_and_no_other(one: ItemKey, other: ItemKey) -> None:
    stored, asked = bson.encode({"item": item_to_document(one)}), bson.encode({"item": item_to_document(other)})
    assert (stored == asked) == (replace(one, tenant_id=0) == replace(other, tenant_id=0)), (
        "the tenant stands beside it"
    )


@unhurried
@given(held)
def test_what_is_the_case_comes_back_as_it_was(what: Held) -> None:
    assert integration(held=held_to_document("int_ann", what, VAULT)).held == what


@unhurried
@given(held, held)
def test_what_changed_is_all_that_has_to_be_written(before: Held, after: Held) -> None:
    known = held_to_document("int_ann", before, VAULT)
    changes = held_to_document("int_ann", after, VAULT, known=before)
    assert integration(held=known | changes).held == after


@given(held)
def test_where_nothing_changed_nothing_is_written(what: Held) -> None:
    assert held_to_document("int_ann", what, VAULT, known=what) == {}


@given(held)
def test_only_tokens_that_changed_are_sealed_anew(what: Held) -> None:
    changes = held_to_document("int_ann", replace(what, empty_looks=what.empty_looks + 1), VAULT, known=what)
    assert changes == {"empty_looks": what.empty_looks + 1}


@given(connect_wishes, settings_wishes)
def test_wishes_come_back_as_they_were(connect: ConnectWish, chosen: SettingsWish) -> None:
    stored = {"connect": connect_to_document("int_ann", connect, VAULT), "settings": settings_to_document(chosen)}
    wanted = integration(wanted=stored).wanted
    assert wanted.connect == connect
    assert wanted.settings == chosen


@unhurried
@given(entries())
def test_a_line_of_the_log_comes_back_as_it_was(entry: Entry) -> None:
    assert entry_from_document(as_stored(entry_to_document(entry, entry.at + KEEP))) == entry
