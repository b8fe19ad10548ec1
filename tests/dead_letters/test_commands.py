"""`calsync dead-letters`, as a person types it, on a real broker and a real store."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
import pytest
from pydantic import SecretStr

from adapters.mongodb.dead_letters import DeadLetters
from adapters.mongodb.driver import Driver, open_database
from adapters.mongodb.replay_jobs import OperatorActions
from adapters.mongodb.vault import new_key
from cli.commands.topology import apply_topology
from cli.failing import exit_code
from cli.main import app_for
from events.addresses import COMMANDS, COMMANDS_QUEUE, WAKE_KEY
from events.letters import Deed, Letter, Original, Status, Subject, Which
from events.replays import OperatorAction
from tests.dead_letters.examples import ITEM_CHANGED, NOW, failed, letter
from tests.stories.stage import SECRET
from worker.parts import Part
from worker.run import run_worker
from worker.settings import Infrastructure, Settings

T = TypeVar("T")
EVERY: Final = frozenset(Status)
TEXT: Final = "Dinner with Ann"


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Person:
    """Somebody at a terminal, and what lies in the store before them."""

    environment: Mapping[str, str]
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: str) -> Ran:
        with self.monkeypatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            self.capsys.readouterr()
            code = exit_code(lambda: app_for(["dead-letters"])(["dead-letters", *words], standalone_mode=False))
        said = self.capsys.readouterr()
        return Ran(code, said.out, said.err)

    def in_store(self, what: Callable[[DeadLetters], Awaitable[T]]) -> T:
        async def work() -> T:
            async with open_database(
                Driver.PYMONGO, self.environment["CALSYNC_MONGODB_URL"], self.environment["CALSYNC_MONGODB_DATABASE"]
            ) as database:
                return await what(DeadLetters(database, timedelta(days=1)))

        return asyncio.run(work())

    def keep(self, letters: Sequence[Letter]) -> None:
        self.in_store(lambda store: store.keep([failed(one) for one in letters], NOW))

    def stored(self, number: int) -> Letter:
        found = self.in_store(lambda store: store.get(letter(number).id))
        assert found is not None
        return found

    def actions(self) -> list[OperatorAction]:
        async def newest() -> list[OperatorAction]:
            async with open_database(
                Driver.PYMONGO, self.environment["CALSYNC_MONGODB_URL"], self.environment["CALSYNC_MONGODB_DATABASE"]
            ) as database:
                return await OperatorActions(database).newest(10)

        return asyncio.run(newest())

    @contextlib.contextmanager
    def worker(self, *parts: Part) -> Generator[None]:
        """Let a worker work beside us."""
        plain = {name.removeprefix("CALSYNC_").lower(): value for name, value in self.environment.items()}
        settings = Settings(
            rabbitmq_url=SecretStr(plain["rabbitmq_url"]),
            mongodb_url=SecretStr(plain["mongodb_url"]),
            mongodb_database=plain["mongodb_database"],
            cronofy_api_url="http://127.0.0.1:1",
            cronofy_app_url="http://127.0.0.1:1",
            cronofy_client_id="client",
            cronofy_client_secrets=(SecretStr(SECRET),),
            cronofy_callback_url="http://127.0.0.1:1",
            psa_api_url="http://127.0.0.1:1",
            psa_client_id="calsync",
            psa_client_secret=SecretStr(SECRET),
            encryption_keys=(SecretStr(new_key()),),
        )
        loop, stopping = asyncio.new_event_loop(), asyncio.Event()
        running = threading.Thread(target=lambda: loop.run_until_complete(run_worker(settings, parts, stopping)))
        running.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stopping.set)
            running.join()
            loop.close()


@pytest.fixture
def calsync(
    vhost: str, mongodb_url: str, database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Person:
    environment = {
        "CALSYNC_RABBITMQ_URL": vhost, "CALSYNC_MONGODB_URL": mongodb_url, "CALSYNC_MONGODB_DATABASE": database,
    }  # fmt: skip
    return Person(environment, capsys, monkeypatch)


@pytest.fixture
def with_broker(calsync: Person) -> Person:
    url, store = calsync.environment["CALSYNC_RABBITMQ_URL"], calsync.environment["CALSYNC_MONGODB_URL"]
    name = calsync.environment["CALSYNC_MONGODB_DATABASE"]
    wanted = Infrastructure(rabbitmq_url=SecretStr(url), mongodb_url=SecretStr(store), mongodb_database=name)
    assert asyncio.run(apply_topology(wanted)) == []
    return calsync


def waking(number: int, *, broken: bool = False) -> Letter:
    """A letter that wakes an integration that does not exist; a broken one breaks its contract."""
    body = orjson.dumps({"type": "calsync.wake.v1", "integration_id": 7 if broken else "int-7", "cause": "due"})
    original = Original(COMMANDS, WAKE_KEY, COMMANDS_QUEUE, f"m-{number}", body, len(body))
    return letter(number, original=original, subject=Subject(1204, f"int-{number}"))


# Looking


def test_letters_are_listed_page_by_page_for_people_and_for_programs(calsync: Person) -> None:
    calsync.keep([letter(n, n) for n in range(5)])
    table = calsync("list", "--limit", "2")
    assert "todo/4" in table.out
    assert "breaks_schema" in table.out
    more = table.out.rpartition("--after ")[2].strip()
    assert [row["item"] for row in calsync("list", "--limit", "2", "--after", more, "--json").rows] == [
        "todo/2",
        "todo/1",
    ]
    assert [row["item"] for row in calsync("list", "--item", "todo/3", "--json").rows] == ["todo/3"]
    assert calsync("list", "--tenant", "9", "--json").rows == []
    assert calsync("list", "--older", "1d", "--group", "f1", "--reason", "breaks_schema", "--json").code == 0


def test_groups_say_how_many_and_since_when(calsync: Person) -> None:
    calsync.keep([letter(n, n) for n in range(3)])
    assert "f1" in calsync("groups").out
    (group,) = calsync("groups", "--json").rows
    assert (group["fingerprint"], group["letters"], group["sample"]["reason"]) == ("f1", 3, "breaks_schema")


def private() -> Letter:
    body = orjson.dumps({**ITEM_CHANGED, "data": {"item": {"is_private": True, "subject": TEXT}, "code": "s3cret"}})
    return letter(1, original=Original("psa.events", "k", "q", "m", body, len(body), {"traceparent": "00-1"}))


def test_a_letter_is_shown_without_private_texts_unless_somebody_insists_and_that_is_recorded(calsync: Person) -> None:
    calsync.keep([private()])
    for shown in (calsync("show", letter(1).id), calsync("show", letter(1).id, "--json"), calsync("export")):
        assert shown.code == 0
        assert TEXT not in shown.out
        assert "s3cret" not in shown.out
        assert "traceparent" in shown.out
    assert calsync.stored(1).history == ()
    assert TEXT in calsync("show", letter(1).id, "--reveal", "--as", "ann").out
    assert TEXT in calsync("export", "--reveal", "--as", "bob").out
    assert [(act.deed, act.who) for act in calsync.stored(1).history] == [(Deed.SHOWN, "ann"), (Deed.EXPORTED, "bob")]
    assert calsync("show", "nobody").code == 1


def test_what_came_from_elsewhere_cannot_move_the_cursor(calsync: Person) -> None:
    one = private()
    evil = "\x1b[2J\x9bgone\r"
    original = replace(one.original, body=evil.encode(), headers={"evil": evil}, routing_key=evil)
    calsync.keep([replace(one, original=original, failure=replace(one.failure, reason=evil, detail=evil))])
    for words in (("list",), ("groups",), ("show", one.id, "--reveal"), ("replay", one.id, "--dry-run")):
        shown = calsync(*words).out
        assert "gone" in shown or words[0] == "replay"
        assert not set(shown) & {"\x1b", "\x9b", "\r"}


def test_letters_are_exported_as_lines(calsync: Person, tmp_path: Path) -> None:
    calsync.keep([letter(n, n) for n in range(3)])
    assert calsync("export", "--out", str(tmp_path / "letters"), "--item", "todo/2").code == 0
    (line,) = (tmp_path / "letters").read_bytes().splitlines()
    told = orjson.loads(line)
    assert (told["id"], told["body"], told["headers"]) == (letter(2).id, {}, {"h": "1"})


# Deciding


def test_letters_are_discarded_with_a_reason_and_restored(calsync: Person) -> None:
    calsync.keep([letter(n) for n in range(3)])
    assert calsync("discard", letter(1).id, "--why", "test data", "--as", "ann").out == "1 discarded\n"
    assert calsync("discard", letter(1).id, "--why", "again").code == 1
    assert (calsync.stored(1).status, calsync.stored(2).status) == (Status.DISCARDED, Status.OPEN)
    assert calsync("restore", letter(1).id, "--as", "bob", "--why", "a mistake").out == "1 restored\n"
    assert [(act.deed, act.who, act.why) for act in calsync.stored(1).history] == [
        (Deed.DISCARDED, "ann", "test data"),
        (Deed.RESTORED, "bob", "a mistake"),
    ]
    assert calsync("discard", "--group", "f1", "--why", "all of them").out == "3 discarded\n"
    told = [(action.deed, action.letters, action.why) for action in reversed(calsync.actions())]
    assert told == [
        (Deed.DISCARDED, 1, "test data"),
        (Deed.DISCARDED, 0, "again"),
        (Deed.RESTORED, 1, "a mistake"),
        (Deed.DISCARDED, 3, "all of them"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("discard", "--why", "x"),
        ("discard", "id"),
        ("discard", "id", "--why", " "),
        ("restore",),
        ("replay",),
        ("list", "--after", "nonsense"),
        ("list", "--newer", "soon"),
        ("list", "--status", "odd"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    nowhere = {
        "CALSYNC_MONGODB_URL": "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=1",
        "CALSYNC_RABBITMQ_URL": "amqp://127.0.0.1:1/",
    }
    ran = Person(nowhere, capsys, monkeypatch)(*words)
    assert (ran.code, "is away" in ran.err) == (2, False), ran


# Replaying


def test_a_dry_run_says_of_each_what_would_happen_and_does_nothing(calsync: Person) -> None:
    calsync.keep([waking(1), waking(2, broken=True)])
    told = calsync("replay", "--all", "--dry-run", "--json")
    assert told.code == 0, told.err
    assert {row["letter_id"]: row["expected"] for row in told.rows} == {
        letter(1).id: "nobody",
        letter(2).id: "fails_again",
    }
    assert "Nothing was published" in told.err
    assert "int-7" not in calsync("replay", letter(1).id, "--dry-run").out
    assert calsync.stored(1) == waking(1)


def test_a_group_is_replayed_and_what_became_of_it_is_said(with_broker: Person) -> None:
    calsync = with_broker
    calsync.keep([waking(1), waking(2), waking(3, broken=True)])
    with calsync.worker(Part.COMMANDS, Part.DEAD_LETTERS):
        ran = calsync("replay", "--group", "f1", "--rate", "500", "--why", "fixed", "--as", "ann")
    assert ran.code == 1
    assert "1 failed again" in ran.err
    assert "3 published, 0 resolved, 2 stale, 1 failed again" in ran.out
    assert [calsync.stored(n).status for n in (1, 2, 3)] == [Status.RESOLVED, Status.RESOLVED, Status.OPEN]
    assert calsync.stored(3).failure.reason == "breaks_schema"
    (listed,) = calsync("jobs", "--json").rows
    assert (listed["who"], listed["why"], listed["state"], listed["tally"]["failed_again"]) == (
        "ann",
        "fixed",
        "done",
        1,
    )
    assert listed["id"] in calsync("jobs").out


def test_ctrl_c_ends_a_replay_in_order_and_it_can_be_resumed(with_broker: Person) -> None:
    calsync = with_broker
    calsync.keep([waking(n) for n in range(6)])
    with calsync.worker(Part.COMMANDS):
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        ran = calsync("replay", "--all", "--rate", "2")
        assert ran.code == 1
        done = 6 - len(calsync.in_store(lambda store: store.page(Which(statuses=frozenset({Status.OPEN})), None, 10)))
        assert 0 < done < 6
        job = ran.err.strip().rpartition(" ")[2]
        assert calsync("replay", "--resume", job).code == 0
    assert all(calsync.stored(n).status is Status.RESOLVED for n in range(6))
    assert all(len(calsync.stored(n).replays) == 1 for n in range(6))


# Mending


def test_a_message_is_mended_from_a_file_shown_and_replayed(with_broker: Person, tmp_path: Path) -> None:
    calsync = with_broker
    one = waking(1, broken=True)
    calsync.keep([one])
    mended = tmp_path / "mended.json"
    mended.write_bytes(one.original.body)
    assert calsync("edit", one.id, "--file", str(mended)).code == 1, "nothing was changed"
    mended.write_bytes(b'{"type": "calsync.wake.v1"}')
    assert calsync("edit", one.id, "--file", str(mended)).code == 2, "it still breaks its contract"
    mended.write_bytes(waking(1).original.body)
    with calsync.worker(Part.COMMANDS):
        ran = calsync("edit", one.id, "--file", str(mended), "--yes", "--why", "a text", "--as", "ann")
    assert ran.code == 0
    assert '-  "integration_id": 7,' in ran.out
    assert '+  "integration_id": "int-7",' in ran.out
    old = calsync.stored(1)
    assert old.status is Status.REPLACED
    new = calsync.in_store(lambda store: store.get(old.replaced_by))
    assert new is not None
    assert (new.status, new.replaces) == (Status.RESOLVED, old.id)
    assert [(act.deed, act.who) for act in new.history[:2]] == [(Deed.EDITED, "ann"), (Deed.REPLAYED, "ann")]


def test_a_message_is_mended_in_the_persons_own_editor(with_broker: Person, tmp_path: Path) -> None:
    calsync = with_broker
    calsync.keep([waking(1, broken=True)])
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/"integration_id": 7/"integration_id": "int-7"/\' "$1"\n')
    editor.chmod(0o755)
    typing = replace(calsync, environment={**calsync.environment, "VISUAL": str(editor), "EDITOR": str(editor)})
    with calsync.worker(Part.COMMANDS):
        assert typing("edit", letter(1).id, "--yes").code == 0
    assert calsync.stored(1).status is Status.REPLACED
