"""The footer comes off again, whatever a provider made of it; and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from events.items import ItemType
from events.link import ItemKey
from tests.projection.texts import texts
from worker.projection.footer import footer, room_for_text, with_footer, without_footer
from worker.projection.text import DESCRIPTION_LIMIT, plain

TASK = ItemKey(1, ItemType.TASK, "7", "70")
URL = "https://psa.example/tasks/7?a=1&b=2"
MARK = "Synced from PSA - Task #7"

items = st.builds(
    ItemKey,
    st.just(1),
    st.sampled_from(ItemType),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:]{0,8}", fullmatch=True),
    st.none() | st.just("70"),
)
urls = st.sampled_from([None, "", URL, "https://x", "psa://item/7", "no address", "https://a b\nc/<br>", "x" * 40])


@pytest.mark.parametrize(
    ("item_type", "name"),
    [
        (ItemType.APPOINTMENT, "Appointment"),
        (ItemType.CRM_ACTIVITY, "CRM activity"),
        (ItemType.SERVICE_CALL, "Service call"),
        (ItemType.TASK, "Task"),
        (ItemType.TODO, "To-do"),
    ],
)
def test_the_footer_names_the_item_and_links_to_it(item_type: ItemType, name: str) -> None:
    assert footer(ItemKey(1, item_type, "7"), URL) == f"Synced from PSA - {name} #7:\n{URL}"
    assert footer(ItemKey(1, item_type, "7"), None) == f"Synced from PSA - {name} #7"


def test_an_address_is_one_word_without_markup() -> None:
    assert footer(TASK, " https://x/a b\n<br> ") == f"{MARK}:\nhttps://x/a%20b%20%3Cbr%3E"


@given(texts.map(plain), items, urls)
def test_what_was_written_comes_back_without_the_footer(text: str, item: ItemKey, url: str | None) -> None:
    assume(len(text) < 3000)
    assert without_footer(with_footer(text, item, url), item) == text
    assert plain(without_footer(plain(with_footer(text, item, url)), item)) == text


@pytest.mark.parametrize(
    "shown",
    [
        f"text\n\n{MARK}:\n{URL}",
        f"text\n\n{MARK}:\n\n{URL}",
        f"text\n\n{MARK}: {URL}",
        f"text\n{MARK}:\n<{URL}>",
        f"text\n\n\n  {MARK}:\n{URL}<{URL}>",
        f"text\n\n{MARK}:\n{URL} <https://safe.example/?u={URL}>",
        f"text\n\n{MARK}:",
        f"text\n\n{MARK}",
        f"text\n\n{MARK}\n",
        "text",
    ],
)
def test_the_footer_comes_off_whatever_a_provider_put_around_it(shown: str) -> None:
    assert without_footer(plain(shown), TASK) == "text"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (f"before\n\n{MARK}:\n{URL}\n\nafter", "before\n\nafter"),
        (f"{MARK}:\n{URL}\nafter", "after"),
        (f"{MARK}:\n{URL} call first", "call first"),
        (f"before\n\n{MARK} call first", "before\n\ncall first"),
        (f"before\n\n{MARK}\nhttps://my.example/own", "before\n\nhttps://my.example/own"),
        (f"before\n\n{MARK}:\nCall first", "before\n\nCall first"),
    ],
)
def test_what_somebody_wrote_around_the_footer_is_kept(shown: str, text: str) -> None:
    assert without_footer(shown, TASK) == text


@pytest.mark.parametrize(
    "text",
    [
        "Synced from PSA",
        "Synced from PSA - Task #71",
        "Synced from PSA - Task #7:1",
        "Synced from PSA - Task #70:\nhttps://psa.example/tasks/70",
        "Synced from PSA - Appointment #7:\nhttps://psa.example/7",
        f"see {MARK}",
        f"> {MARK}",
        "Synced from PSA - Task number 7",
        "synced from psa - task #7",
    ],
)
def test_what_looks_like_the_footer_is_left_alone(text: str) -> None:
    assert without_footer(text, TASK) == text
    assert without_footer(with_footer(text, TASK, URL), TASK) == text


def test_a_text_that_quotes_its_own_footer_keeps_it() -> None:
    text = f"Copied from the calendar:\n\n{MARK}:\n{URL}\n\nPlease check."
    assert without_footer(with_footer(text, TASK, URL), TASK) == text


@given(st.text(max_size=50), urls, st.integers(0, 6000))
def test_the_text_gives_way_if_both_do_not_fit(text: str, url: str | None, length: int) -> None:
    written = with_footer(text + "x" * length, TASK, url)
    assert len(written) <= DESCRIPTION_LIMIT
    assert written.endswith(footer(TASK, url))


def test_the_longest_address_leaves_room_for_a_text() -> None:
    assert room_for_text(footer(ItemKey(1, ItemType.CRM_ACTIVITY, "7" * 64), "https://" + "x" * 2040)) > 1800
