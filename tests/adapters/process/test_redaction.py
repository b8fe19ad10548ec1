"""No secret and no private text gets into a log: by name, by look, and if it is a secret of this process."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mongodb.vault import Vault, new_key
from adapters.process.redaction import HIDDEN, Redactor
from events.reasons import Reason

SECRET = st.text(st.sampled_from("abcdefghijkmnopqrstuvwxyzABCDEFG0123456789-_."), min_size=12, max_size=60).map(
    lambda text: f"Zq{text}9x"
)
"""Nothing that a line would hold by chance."""
WORDS = st.text(st.sampled_from("abc xyz\n\"'{}[],.:/äß→"), max_size=30)
NAMES = [
    "token",
    "access_token",
    "refreshToken",
    "client_secret",
    "CLIENT_SECRETS",
    "password",
    "db_passwd",
    "authorization",
    "Authorization",
    "cookie",
    "set-cookie",
    "Cronofy-HMAC-SHA256",
    "signature",
    "sealed",
    "code",
    "auth_code",
    "authorization_code",
    "api_key",
    "apiKey",
    "encryption_keys",
    "summary",
    "description",
    "title",
    "subject",
    "item.description",
    "event_title",
    "location",
    "attendees",
    "organizer",
    "notes",
    "note",
    "text",
    "body",
    "raw_body",
    "snapshot",
    "payload",
    "content",
    "email",
    "mails",
]
PLAIN = [
    "integration_id",
    "correlation_id",
    "item",
    "link_id",
    "run_id",
    "message_id",
    "queue",
    "reason",
    "detail",
    "seconds",
    "outcome",
    "parts",
    "system",
    "attempts",
    "subjects",
    "remedy",
    "exit_code",
    "status_code",
    "reason_code",
    "tenant_id",
    "event",
    "act",
    "result",
    "direction",
    "fields",
    "error",
    "stack",
]


def shown(redactor: Redactor, line: dict[str, Any]) -> str:
    return orjson.dumps(redactor(None, "", line)).decode()


@pytest.mark.parametrize("name", NAMES)
def test_what_has_a_secret_name_is_hidden_however_deep_it_is(name: str) -> None:
    redactor = Redactor()
    for line in (
        {name: "Zq-private"},
        {"detail": {name: "Zq-private"}},
        {"detail": [{"a": {name: ["Zq-private"]}}]},
        {name: {"inner": "Zq-private"}},
        {name.upper(): "Zq-private"},
    ):
        said = shown(redactor, line)
        assert "Zq-private" not in said
        assert HIDDEN in said


@pytest.mark.parametrize("name", PLAIN)
def test_what_has_a_plain_name_is_shown(name: str) -> None:
    assert Redactor()(None, "", {name: "a plain value"}) == {name: "a plain value"}


LOOKS = [
    "Bearer {}",
    "authorization: bearer {}",
    "Basic {}",
    "amqps://user:{}@rabbitmq:5671/vhost",
    "amqp://:{}@rabbitmq/",
    "mongodb://{}@a:27017,b:27017/?replicaSet=x",
    "https://psa.example/connected?code={}&state=1",
    "https://api.example/x?a=1&access_token={}",
    "https://api.example/x?refresh_token={}#there",
    "grant failed: client_secret={}; try again",
    '{{"access_token": "{}", "expires_in": 3600}}',
    "{{'refresh_token': '{}'}}",
    "Cronofy-HMAC-SHA256: {}",
    "code%3D{}",
    "signature={}",
]


@pytest.mark.parametrize("look", LOOKS)
@given(secret=SECRET.filter(lambda secret: not secret.endswith(".")), before=WORDS, after=WORDS)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(look: str, secret: str, before: str, after: str) -> None:
    said = shown(Redactor(), {"detail": f"{before} {look.format(secret)} {after}"})
    assert secret not in said


@given(SECRET, WORDS)
def test_sealed_tokens_and_web_tokens_are_hidden(secret: str, around: str) -> None:
    sealed = Vault([new_key()]).seal("owner", {"access": secret}).decode()
    parts = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in ('{"alg":"none"}', secret, "s")]
    said = shown(Redactor(), {"detail": [f"{around} {sealed} {around}", f"{around} {'.'.join(parts)} {around}"]})
    assert sealed not in said
    assert parts[1] not in said


@pytest.mark.parametrize("address", ["dana@example.com", "dana.o'neil+cal@mail.example.co.uk", "dänä@bücher.example"])
def test_addresses_of_people_are_hidden(address: str) -> None:
    said = shown(Redactor(), {"detail": f"invited <{address}>, twice"})
    assert "example" not in said


@given(st.lists(SECRET, min_size=1, max_size=3), WORDS, st.sampled_from(PLAIN))
def test_the_processs_own_secrets_are_hidden_under_any_name_and_in_any_text(
    secrets: list[str], around: str, name: str
) -> None:
    line = {name: f"{around}{secrets[0]}{around}", "deep": [{"er": (secrets[-1],)}], secrets[0]: 1}
    said = shown(Redactor(secrets), line)
    assert not [secret for secret in secrets if secret in said]


def test_a_secret_is_also_hidden_as_an_address_would_write_it() -> None:
    assert "p%40ss%2Fword" not in shown(Redactor(["p@ss/word"]), {"detail": "tried p%40ss%2Fword"})


@dataclass
class Private:
    """Shows everything that it holds."""

    words: str = "Dentist"


@pytest.mark.parametrize(
    "value",
    [Private(), b"Dentist", ValueError("Dentist"), {"a": Private()}, [Private()], {Private: 1}.keys(), Private],
    ids=repr,
)
def test_what_is_no_plain_data_is_named_by_its_class_only(value: object) -> None:
    assert "Dentist" not in shown(Redactor(), {"detail": value})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | WORDS | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner) | st.tuples(inner),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES))
def test_whatever_is_logged_can_be_written_as_json(line: dict[str, Any]) -> None:
    orjson.loads(shown(Redactor(), line))


def test_a_value_that_holds_itself_comes_to_an_end() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "<list>" in shown(Redactor(), {"detail": endless})


def test_codes_moments_and_numbers_stay_as_they_are() -> None:
    at = datetime(2026, 3, 9, tzinfo=UTC)
    line = {"event": Reason.IN_SYNC, "reason": Reason.GONE, "at": at, "n": 7, "ok": True, "none": None}
    assert Redactor()(None, "", line) == {**line, "reason": "gone"}
    assert cast("Reason", Redactor()(None, "", line)["event"]).value == "in_sync"


def test_long_texts_are_cut_and_take_no_time() -> None:
    said = Redactor()(None, "", {"detail": "a.-b" * 1_000_000, "other": "x" * 5_000_000})
    assert all(len(cast("str", value)) < 2_100 for value in said.values())
