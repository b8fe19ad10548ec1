"""Secrets at rest: readable with a key of the list, by whom they belong to, and by nobody else."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import Any, Final

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from adapters.mongodb.driver import Database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.overview import Overview
from adapters.mongodb.vault import Vault, new_key
from adapters.mongodb.wishes import COLLECTION
from events.failures import Misconfigured
from events.integration import Held, Note, Tokens
from events.reasons import Reason
from tests.adapters.mongodb.examples import ANN, NOW, after, connect, taken
from tests.strategies import texts

OLD, NEW = new_key(), new_key()
CODE, ACCESS, REFRESH = "the-single-use-code", "the-access-token", "the-refresh-token"
SECRETS: Final = (CODE, ACCESS, REFRESH)


# The vault itself


@given(st.text(), st.dictionaries(texts, texts))
def test_what_is_sealed_opens_for_its_owner(owner: str, secrets: dict[str, str]) -> None:
    vault = Vault([NEW])
    assert vault.open(owner, vault.seal(owner, secrets)) == secrets


def test_a_new_key_in_front_opens_what_the_old_one_sealed_and_seals_what_comes() -> None:
    rotated, sealed = Vault([NEW, OLD]), Vault([OLD]).seal("ann", {"a": "b"})
    assert rotated.open("ann", sealed) == {"a": "b"}
    assert Vault([NEW]).open("ann", rotated.seal("ann", {"a": "b"})) == {"a": "b"}


def test_without_its_key_nothing_opens() -> None:
    with pytest.raises(Misconfigured) as refused:
        Vault([NEW]).open("ann", Vault([OLD]).seal("ann", {"a": "b"}))
    assert refused.value.reason is Reason.BAD_SETTINGS


def test_what_was_sealed_for_another_owner_does_not_open() -> None:
    vault = Vault([NEW])
    with pytest.raises(Misconfigured):
        vault.open("bob", vault.seal("ann", {"a": "b"}))


@pytest.mark.parametrize("flawed", [b"", b"plain", Vault([NEW]).seal("ann", {})[:-4]])
def test_what_is_no_sealed_secret_does_not_open(flawed: bytes) -> None:
    with pytest.raises(Misconfigured):
        Vault([NEW]).open("ann", flawed)


@pytest.mark.parametrize("keys", [[], [""], ["short"], [NEW, "no key"], ["ключ"]])
def test_what_is_no_key_is_refused_at_once(keys: list[str]) -> None:
    with pytest.raises(Misconfigured) as refused:
        Vault(keys)
    assert not any(key and key in str(refused.value) for key in keys)


# What is stored


@pytest.fixture
async def integrations(opened: Database) -> Integrations:
    """Ann is connected, and her new code waits."""
    return await with_secrets(opened, Vault([OLD]))


async def with_secrets(opened: Database, vault: Vault) -> Integrations:
    integrations = Integrations(opened, vault, lambda: 0.0)
    await integrations.want_connect(ANN, connect(1, CODE), NOW)
    took = await taken(integrations)
    held = replace(
        took.integration.held, tokens=Tokens(ACCESS, REFRESH, after(60)), relink_url="https://relink.example"
    )
    assert await integrations.save(took.lease, Note(Held(), held))
    return integrations


async def test_no_secret_is_in_the_document(
    integrations: Integrations, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    found = await integrations.get(ANN.integration_id)
    assert found is not None
    assert found.held.tokens == Tokens(ACCESS, REFRESH, after(60))
    assert found.wanted.connect == connect(1, CODE)
    stored = bson.encode(mongodb[database][COLLECTION].find_one({"_id": ANN.integration_id}) or {})
    assert b"https://relink.example" in stored, "what is no secret can be read"
    for secret in SECRETS:
        assert secret.encode() not in stored
        assert b64encode(secret.encode()).rstrip(b"=")[:-2] not in stored


@pytest.mark.usefixtures("integrations")
async def test_secrets_outlive_the_rotation_of_keys(opened: Database) -> None:
    rotated = Integrations(opened, Vault([NEW, OLD]), lambda: 0.0)
    took = await taken(rotated)
    assert took.integration.held.tokens == Tokens(ACCESS, REFRESH, after(60))
    fresh = replace(took.integration.held, tokens=Tokens("a2", "r2", after(90)), connected_revision=1)
    assert await rotated.save(took.lease, Note(took.integration.held, fresh))
    found = await Integrations(opened, Vault([NEW]), lambda: 0.0).get(ANN.integration_id)
    assert found is not None
    assert found.held == fresh


@pytest.mark.usefixtures("integrations")
async def test_with_a_wrong_key_the_operator_is_told(opened: Database) -> None:
    with pytest.raises(Misconfigured):
        await Integrations(opened, Vault([NEW]), lambda: 0.0).get(ANN.integration_id)


async def test_tokens_moved_to_another_integration_are_not_used(
    integrations: Integrations, mongodb: MongoClient[dict[str, Any]], database: str
) -> None:
    collection = mongodb[database][COLLECTION]
    stored = collection.find_one({"_id": ANN.integration_id}) or {}
    collection.insert_one({**stored, "_id": "int_eve"})
    with pytest.raises(Misconfigured):
        await integrations.get("int_eve")


@pytest.mark.usefixtures("integrations")
async def test_what_people_read_needs_no_key_and_shows_no_secret(opened: Database) -> None:
    found = await Overview(opened).get(ANN.integration_id)
    assert found is not None
    assert found.held.relink_url == "https://relink.example"
    assert found.held.tokens is None
    assert found.wanted.connect == connect(1, code="")
