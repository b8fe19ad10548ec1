"""Cronofy's notifications: whose signature is accepted, and what is read of the body."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.contract import parse
from events.failures import Malformed
from events.notification import NOTIFICATION, check_signature, signature
from events.reasons import Reason
from tests.events.messages import notification, refused

WELL_KNOWN = b'{"example":"well-known"}'
# By `printf '%s' "$body" | openssl dgst -sha256 -hmac "$secret" -binary | base64`; the first is published by Cronofy.
VECTORS = [
    ("pDY0Oi7TJSP2hfNmZNkm5", WELL_KNOWN, "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c="),
    ("k", b"{}", "rdhTsQP7zJNqGU+esV4pxP8Ir25H1dG8pPICGOMeT/8="),
    ("empty", b"", "Z4D7bktHe9eKL+nHhVfv42lkZqnBFJxOspEkEPgx2o0="),
    ("raw", b"\xff\x00\r\n", "0CgsfJw7PKTCfgj8kKgh4iJjwjj4EVAcON/kshP5RFo="),
    ("x" * 100, WELL_KNOWN, "DkQWyy8mZC/5NLKt+xmwwtuqxY3XgLQ6yxaURRbuOKA="),  # longer than a block of SHA-256
    (
        "cl\u00e9 secr\u00e8te",
        '{"summary":"R\u00e9union \u2013 \u00e9t\u00e9"}'.encode(),
        "NEowqgpCs8Ws3PIFgBNkNKpnF1oOayF6V8fnr4n9mp0=",
    ),
]
SECRET, _, EXPECTED = VECTORS[0]


def accepted(header: str | None, body: bytes, *keys: str) -> bool:
    try:
        check_signature(header, body, keys)
    except Malformed as error:
        return error.reason is not Reason.BAD_SIGNATURE
    return True


# Signatures


@pytest.mark.parametrize(("secret", "body", "expected"), VECTORS)
def test_a_signature_is_what_openssl_computes(secret: str, body: bytes, expected: str) -> None:
    assert signature(secret, body) == expected
    assert accepted(expected, body, secret)


@pytest.mark.parametrize(
    "header",
    [
        EXPECTED,
        f"  {EXPECTED}\t",
        f"{EXPECTED},",
        f",,{EXPECTED}",
        f"bm9uc2Vuc2U=,{EXPECTED}",
        f"{EXPECTED}, bm9uc2Vuc2U=",
        f"é ,\x00, {EXPECTED}",
    ],
)
def test_one_fitting_value_in_the_header_is_enough(header: str) -> None:
    assert accepted(header, WELL_KNOWN, SECRET)


def test_while_a_secret_is_rotated_either_of_two_is_enough_on_either_side() -> None:
    old, new = signature("old", WELL_KNOWN), signature("new", WELL_KNOWN)
    assert accepted(f"{old},{new}", WELL_KNOWN, "new")
    assert accepted(f"{old},{new}", WELL_KNOWN, "old")
    assert accepted(new, WELL_KNOWN, "old", "new")
    assert accepted(old, WELL_KNOWN, "old", "new")
    assert not accepted(old, WELL_KNOWN, "new")


@pytest.mark.parametrize("header", [None, "", " ", ",", " , ,"])
def test_without_a_signature_nothing_is_accepted(header: str | None) -> None:
    with pytest.raises(Malformed) as caught:
        check_signature(header, WELL_KNOWN, [SECRET])
    assert (caught.value.reason, caught.value.detail) == (Reason.BAD_SIGNATURE, "no signature")


def test_without_a_secret_nothing_is_accepted() -> None:
    assert not accepted(signature("", WELL_KNOWN), WELL_KNOWN)


@pytest.mark.parametrize(
    "header",
    [
        EXPECTED.lower(),
        EXPECTED.rstrip("="),
        EXPECTED[:-2] + "g=",
        EXPECTED.replace("/", "_").replace("+", "-"),
        base64.b64decode(EXPECTED).hex(),
        f'"{EXPECTED}"',
        f"sha256={EXPECTED}",
        EXPECTED.replace(",", ";") + ";" + EXPECTED,
    ],
)
def test_a_value_that_is_not_exactly_the_signature_is_not_accepted(header: str) -> None:
    assert not accepted(header, WELL_KNOWN, SECRET)


@given(st.binary(max_size=64), st.integers(0, 2**32))
def test_a_body_that_differs_in_one_byte_is_not_accepted(body: bytes, where: int) -> None:
    place = where % (len(body) + 1)
    changed = body[:place] + b"\x01" + body[place:]
    assert accepted(signature(SECRET, body), body, SECRET)
    assert not accepted(signature(SECRET, body), changed, SECRET)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=100))
def test_whatever_the_header_holds_it_is_not_accepted_unless_it_fits(header: str) -> None:
    assert not accepted(header, WELL_KNOWN, SECRET)


def test_the_words_of_a_refusal_hold_neither_secret_nor_signature() -> None:
    with pytest.raises(Malformed) as caught:
        check_signature("c2lnbmF0dXJl", WELL_KNOWN, [SECRET])
    assert str(caught.value) == "bad_signature: no signature matches"


def test_a_header_of_many_values_takes_no_longer_than_one_of_few() -> None:
    began = time.process_time()
    assert not accepted("a," * 20_000, b"x" * 60_000, "old", "new")
    assert time.process_time() - began < 1, "the body is hashed once for each secret"


# Bodies


def test_a_change_says_since_when_and_through_which_channel() -> None:
    told = parse(NOTIFICATION, orjson.dumps(notification(changes_since="2026-03-09T14:00:00Z")))
    assert told.notification.type == "change"
    assert told.notification.changes_since == datetime(2026, 3, 9, 14, tzinfo=UTC)
    assert told.channel.callback_url.endswith("/int-7")


@pytest.mark.parametrize("kind", ["verification", "profile_disconnected", "gdpr_requested", "something_new", "\u00fc"])
def test_a_notification_of_any_type_is_accepted(kind: str) -> None:
    assert parse(NOTIFICATION, orjson.dumps(notification(type=kind))).notification.type == kind


def test_what_cronofy_may_add_is_ignored() -> None:
    message = notification(event_count=3)
    message["channel"]["filters"] = {"calendar_ids": ["cal_1"], "only_managed": False}
    assert parse(NOTIFICATION, orjson.dumps({**message, "more": [1]})).channel.channel_id == "chn_1"


@pytest.mark.parametrize(
    "moment", ["2026-03-09T14:00:00", "2026-03-09", "yesterday", 1773064800, "0000-01-01T00:00:00Z"]
)
def test_a_moment_without_offset_or_sense_is_refused(moment: object) -> None:
    error = refused(NOTIFICATION, notification(changes_since=moment))
    assert error.reason is Reason.BREAKS_SCHEMA
    assert error.detail.startswith("notification/changes_since: ")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"])
def test_a_change_since_the_beginning_or_the_end_of_all_time_is_a_change_all_the_same(moment: str) -> None:
    """To read from a little before the first of all instants would fail, and the store cannot keep the others."""
    told = parse(NOTIFICATION, orjson.dumps(notification(changes_since=moment)))
    assert (told.notification.type, told.notification.changes_since) == ("change", None)


@pytest.mark.parametrize("missing", ["notification", "channel"])
def test_a_notification_without_one_of_its_parts_is_refused(missing: str) -> None:
    message = notification()
    del message[missing]
    assert refused(NOTIFICATION, message).detail == f"{missing}: Field required"
