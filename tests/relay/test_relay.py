"""The relay puts on the queue what Cronofy signed, byte for byte, and nothing else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from events.notification import signature
from relay.relaying import Relay
from relay.run import running_relay
from relay.settings import RelaySettings
from relay.verdict import Verdict
from stack.native.ports import free_port
from tests.relay.running import BODY, HEADER, SECRET, Broker, Message, running
from tests.telemetry.reading import Shown, now


async def test_a_signed_notification_reaches_the_queue_byte_for_byte_with_its_signature() -> None:
    body = b'{"channel" :  {"channel_id":"chn_1"},\r\n"notification":{"type":"change","\\u00fc":"\xc3\xbc"}} '
    async with running() as relay:
        answer = await relay.post(body, signature(SECRET, body))
    assert (answer.status_code, answer.content) == (204, b"")
    headers = {HEADER: signature(SECRET, body)}
    assert relay.broker.messages == [Message("cronofy.events", "notification", body, headers, "message-1")]
    assert relay.verdicts == {Verdict.RELAYED: 1}


async def test_the_signature_is_cronofys_hmac_of_the_raw_body() -> None:
    body = b'{"example":"well-known"}'
    by_hand = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    assert by_hand == "6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c="  # as published by Cronofy
    async with running() as relay:
        assert (await relay.post(body, by_hand)).status_code == 204


async def test_every_message_has_an_id_of_its_own() -> None:
    async with running() as relay:
        await relay.post(BODY, signature(SECRET, BODY))
        await relay.post(BODY, signature(SECRET, BODY))
    assert [message.message_id for message in relay.broker.messages] == ["message-1", "message-2"]


async def test_any_path_below_the_prefix_is_taken_and_none_beside_it() -> None:
    signed = signature(SECRET, BODY)
    async with running() as relay:
        deep = await relay.post(BODY, signed, "/cronofy/a/b/c?d=e")
        beside = await relay.post(BODY, signed, "/other/int-1")
        looked_at = await relay.http.get("/cronofy/int-1")
    assert [deep.status_code, beside.status_code, looked_at.status_code] == [204, 404, 405]
    assert len(relay.broker.messages) == 1


@pytest.mark.parametrize("signed", ["nonsense", signature("another secret", BODY), signature(SECRET, BODY + b" ")])
async def test_a_wrong_signature_is_forbidden_counted_and_publishes_nothing(signed: str) -> None:
    async with running() as relay:
        answer = await relay.post(BODY, signed)
    assert (answer.status_code, answer.text) == (403, "The signature does not match.")
    assert relay.verdicts == {Verdict.FORGED: 1}
    assert not relay.broker.messages


@pytest.mark.parametrize("signed", [None, "", ","])
async def test_a_missing_signature_is_unauthorized_counted_and_publishes_nothing(signed: str | None) -> None:
    async with running() as relay:
        answer = await relay.post(BODY, signed)
    assert (answer.status_code, answer.text) == (401, "The request is not signed.")
    assert relay.verdicts == {Verdict.UNSIGNED: 1}
    assert not relay.broker.messages


async def test_while_a_secret_is_rotated_either_side_may_be_ahead() -> None:
    both = f"{signature('old', BODY)}, {signature('new', BODY)}"
    async with running("new") as relay:
        assert (await relay.post(BODY, both)).status_code == 204
    async with running("old", "new") as relay:
        assert (await relay.post(BODY, signature("old", BODY))).status_code == 204
        assert (await relay.post(BODY, signature("new", BODY))).status_code == 204


async def test_the_signature_may_come_in_several_header_lines() -> None:
    old, new = signature("old", BODY), signature(SECRET, BODY)
    async with running() as relay:
        answer = await relay.http.post("/cronofy/int-1", content=BODY, headers=[(HEADER, old), (HEADER, new)])
    assert answer.status_code == 204
    assert relay.broker.messages[0].headers == {HEADER: f"{old},{new}"}


@pytest.mark.parametrize("body", [b'{"notification":{"type":"something_new"}}', b"\xff\xfe not JSON", b""])
async def test_whatever_is_signed_passes_because_the_worker_decides(body: bytes) -> None:
    async with running() as relay:
        answer = await relay.post(body, signature(SECRET, body))
    assert answer.status_code == 204
    assert [message.body for message in relay.broker.messages] == [body]


async def test_a_body_may_have_64_kib_and_no_byte_more() -> None:
    largest, too_large = b"x" * 65_536, b"x" * 65_537
    async with running() as relay:
        fits = await relay.post(largest, signature(SECRET, largest))
        refused = await relay.post(too_large, signature(SECRET, too_large))
    assert [fits.status_code, refused.status_code] == [204, 413]
    assert [len(message.body) for message in relay.broker.messages] == [65_536]


async def test_a_body_of_unannounced_length_is_cut_off_at_the_limit() -> None:
    async def in_chunks() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1024

    async with running() as relay:
        answer = await relay.http.post("/cronofy/int-1", content=in_chunks(), headers={HEADER: "any"})
    assert answer.status_code == 413
    assert relay.verdicts == {Verdict.TOO_LARGE: 1}


async def test_while_the_broker_is_away_cronofy_is_asked_to_try_again() -> None:
    async with running() as relay:
        relay.broker.away = True
        refused = await relay.post(BODY, signature(SECRET, BODY))
        relay.broker.away = False
        taken = await relay.post(BODY, signature(SECRET, BODY))
    assert [refused.status_code, taken.status_code] == [503, 204]
    assert len(relay.broker.messages) == 1


async def test_a_message_that_no_queue_takes_is_left_with_cronofy() -> None:
    async with running() as relay:
        relay.broker.unbound = True
        answer = await relay.post(BODY, signature(SECRET, BODY))
    assert answer.status_code == 503
    assert relay.verdicts == {Verdict.LATER: 1}


async def test_a_broker_that_does_not_confirm_is_not_waited_for_longer_than_the_patience() -> None:
    async with running(patience_seconds=0.01) as relay:
        relay.broker.silent = True
        answer = await relay.post(BODY, signature(SECRET, BODY))
    assert answer.status_code == 503
    assert relay.verdicts == {Verdict.LATER: 1}


async def test_neither_is_a_body_that_never_ends() -> None:
    async with running(patience_seconds=0.01) as relay:
        url = relay.http.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(f"POST /cronofy/x HTTP/1.1\r\nHost: x\r\n{HEADER}: any\r\nContent-Length: 99\r\n\r\n{{".encode())
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
    assert b" 503 " in status


async def test_a_sender_that_hangs_up_publishes_nothing() -> None:
    async with running() as relay:
        url = relay.http.base_url
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(f"POST /cronofy/x HTTP/1.1\r\nHost: x\r\n{HEADER}: any\r\nContent-Length: 99\r\n\r\n{{".encode())
        writer.close()
        await writer.wait_closed()
        await relay.judged.wait()
    assert relay.verdicts == {Verdict.LATER: 1}
    assert not relay.broker.messages


def test_the_patience_ends_before_cronofys_five_seconds() -> None:
    assert Relay(Broker(), (SECRET,), str).patience_seconds < 5


async def test_a_refusal_is_one_line_in_the_log_without_body_or_signature() -> None:
    async with running() as relay:
        await relay.post(b"private text", "c2lnbmF0dXJl")
    expected = {"event": "relay.refused", "log_level": "warning", "verdict": "forged", "status": 403}
    assert relay.log.entries == [expected | {"path": "/cronofy/int-1"}]


async def test_what_is_relayed_is_not_logged() -> None:
    async with running() as relay:
        await relay.post(BODY, signature(SECRET, BODY))
    assert not relay.log.entries


def test_secrets_do_not_show_when_the_relay_is_printed() -> None:
    assert SECRET not in repr(Relay(Broker(), (SECRET,), str))


async def test_it_is_alive_without_the_broker_but_not_ready() -> None:
    async def probes(http: httpx.AsyncClient) -> list[int]:
        return [(await http.get(path)).status_code for path in ("/livez", "/readyz")]

    async with running() as relay:
        assert await probes(relay.http) == [200, 200]
        relay.broker.away = True
        assert await probes(relay.http) == [200, 503]


async def test_what_became_of_requests_is_shown_for_prometheus() -> None:
    nowhere = SecretStr(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    settings = RelaySettings(rabbitmq_url=nowhere, cronofy_client_secrets=(SecretStr("secret"),))
    before = now()
    async with running_relay(settings, "127.0.0.1", 0) as url, httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{url}/notifications/int-1", content=b"{}")
        shown = Shown.of((await http.get(f"{url}/metrics")).text)
    name, labels = "calsync_relay_requests_total", {"verdict": "unsigned"}
    assert shown(name, **labels) == before(name, **labels) + 1
