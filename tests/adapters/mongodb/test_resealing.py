"""Sealing all secrets under a new key, while workers go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bson import Binary
from typing_extensions import override

from adapters.mongodb.driver import Database
from adapters.mongodb.integrations import Integrations
from adapters.mongodb.resealing import Resealed, Resealing
from adapters.mongodb.vault import Vault, new_key
from adapters.mongodb.wishes import COLLECTION
from events.failures import Misconfigured
from events.integration import Account, Assignee, Grant, Held, Note, Taken, Tokens
from tests.adapters.mongodb.examples import ANN, BOB, HOUR, NOW, after, connect

OLD, NEW, LOST = new_key(), new_key(), new_key()
GRANT = Grant(Account("acc", "pro", "", "google", "gsuite"), Tokens("access", "refresh", after(60)))
EVERYTHING = Held(tokens=GRANT.tokens, offered=GRANT, retired=(GRANT, GRANT))
SECRETS = 5
"""As many as `connected` puts there."""


async def connected(opened: Database, key: str, whose: Assignee = ANN) -> None:
    """Put a secret in every place where there can be one."""
    integrations = Integrations(opened, Vault([key]), lambda: 0.0)
    await integrations.want_connect(whose, connect(1, "code"), NOW)
    took = await integrations.take(whose.integration_id, "message", HOUR)
    assert isinstance(took, Taken)
    assert await integrations.save(took.lease, Note(Held(), EVERYTHING))


async def read(opened: Database, *keys: str) -> Held:
    found = await Integrations(opened, Vault(keys), lambda: 0.0).get(ANN.integration_id)
    assert found is not None
    assert found.wanted.connect == connect(1, "code")
    return found.held


async def test_everything_opens_with_the_new_key_alone_afterwards(opened: Database) -> None:
    await connected(opened, OLD)
    with pytest.raises(Misconfigured):
        await read(opened, NEW)
    assert await Resealing(opened, Vault([NEW, OLD])).run() == Resealed(SECRETS)
    assert await read(opened, NEW) == EVERYTHING


async def test_what_is_sealed_so_already_is_left_alone(opened: Database) -> None:
    await connected(opened, OLD)
    await connected(opened, NEW, BOB)
    resealing = Resealing(opened, Vault([NEW, OLD]))
    assert [await resealing.run(), await resealing.run()] == [Resealed(SECRETS), Resealed()]


async def test_what_no_key_opens_is_named_and_the_rest_goes_on(opened: Database) -> None:
    await connected(opened, LOST, BOB)
    await connected(opened, OLD)
    done = await Resealing(opened, Vault([NEW, OLD])).run()
    assert done == Resealed(SECRETS, unopened=(BOB.integration_id,))
    assert await read(opened, NEW) == EVERYTHING


async def test_an_integration_without_secrets_has_nothing_to_seal(opened: Database) -> None:
    integrations = Integrations(opened, Vault([OLD]), lambda: 0.0)
    await integrations.want_calendars(ANN, 1, NOW)
    assert await Resealing(opened, Vault([NEW, OLD])).run() == Resealed()


class Meddling(Vault):
    """Before anything is sealed anew, somebody else seals something else there, so many times."""

    def __init__(self, opened: Any, keys: list[str], times: int) -> None:
        super().__init__(keys)
        self.times, self._opened = times, opened

    @override
    def reseal(self, owner: str, sealed: bytes) -> bytes | None:
        fresh = super().reseal(owner, sealed)
        if fresh is not None and self.times:
            self.times -= 1
            tokens = {"access": f"a{self.times}", "refresh": "r", "expires_at": after(90).isoformat()}
            other = Binary(Vault([OLD]).seal(owner, tokens))
            self._opened[COLLECTION].update_one({"_id": owner}, {"$set": {"held.sealed": other}})
        return fresh


@pytest.mark.parametrize("times", [1, 2])
async def test_a_token_refreshed_meanwhile_is_not_lost(
    opened: Database, mongodb: Any, database: str, times: int
) -> None:
    await connected(opened, OLD)
    await Resealing(opened, Meddling(mongodb[database], [NEW, OLD], times)).run()
    assert (await read(opened, NEW)) == replace(EVERYTHING, tokens=Tokens("a0", "r", after(90)))


async def test_what_changes_all_the_time_is_told_of_and_whole(opened: Database, mongodb: Any, database: str) -> None:
    await connected(opened, OLD)
    done = await Resealing(opened, Meddling(mongodb[database], [NEW, OLD], 1000)).run()
    assert done.left == 1
    assert (await read(opened, NEW, OLD)).tokens is not None
