"""What those see who run it: alive, ready, and every number that moves when something happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from events.items import ItemType
from events.outcomes import ItemSynced
from stack.native.ports import free_port
from tests.stories.stage import DANA, NotYet, Services, stage
from tests.stories.watching import Watched, watched
from tests.telemetry.reading import now

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)  # noqa: TID251


async def is_ready(seen: Watched) -> None:
    status, body = await seen.asked("/readyz")
    if status != 200:
        raise NotYet(str(body))


async def test_a_day_at_work_is_seen_in_the_numbers(services: Services, tmp_path: Path) -> None:
    before = now()
    async with stage(services, tmp_path) as world, watched(world) as seen:
        await world.until(lambda: is_ready(seen))
        assert (await seen.asked("/livez"))[0] == 200
        dana = await world.link()
        call = await world.psa.create_item(ItemType.SERVICE_CALL, [DANA], start=SOON, end=SOON + timedelta(hours=1))
        event = await dana.event(call)
        await world.psa.outcome(ItemSynced, item_id=call.item_id, within=30)
        typed = await world.cronofy.create_event(
            dana.calendar_id, summary="Dentist", start=SOON, end=SOON + timedelta(hours=1)
        )
        await dana.appointment(typed)
        await world.rest()
        shown = await seen.metrics()

    def grew(name: str, **labels: str) -> float:
        return shown(name, **labels) - before(name, **labels)

    assert grew("calsync_messages_processed_total", consumer="psa-items", outcome="done") >= 1
    assert grew("calsync_messages_processed_total", consumer="integrations", outcome="done") == 2
    assert grew("calsync_messages_processed_total", consumer="notifications", outcome="done") >= 1
    assert grew("calsync_messages_processed_total", consumer="commands") >= 3
    assert grew("calsync_messages_received_total") >= grew("calsync_messages_processed_total")
    assert grew("calsync_message_processing_seconds_count", consumer="commands") >= 3
    assert grew("calsync_event_age_seconds_count", consumer="psa-items") >= 1
    assert grew("calsync_sync_delay_seconds_count", direction="to_calendar") >= 1
    assert grew("calsync_sync_delay_seconds_count", direction="from_calendar") == 1
    assert 0 < grew("calsync_sync_delay_seconds_sum") < 60
    assert grew("calsync_actions_total", act="create", direction="from_calendar") == 1
    assert grew("calsync_wakes_total", cause="psa_event") >= 1
    assert grew("calsync_messages_published_total", exchange="calsync.outcomes", outcome="confirmed") >= 3
    cronofy = {"system": "cronofy", "status": "200"}
    assert grew("calsync_http_requests_total", **cronofy, method="GET", route="/v1/events") >= 1
    assert grew("calsync_http_requests_total", system="cronofy", method="POST", route="/v1/batch") >= 1
    created = {"system": "psa", "method": "POST", "route": "/v2/calendar/appointments"}
    assert grew("calsync_http_requests_total", **created) == 1
    assert grew("calsync_http_request_seconds_count", **created) == 1
    assert shown("calsync_integrations", status="connected", active="true") == 1
    assert shown("calsync_budget_left_requests", lane="real_time") > shown("calsync_budget_left_requests", lane="audit")
    assert shown("calsync_budget_rate_ratio") == 1
    assert shown("calsync_waiting_complete") == 1
    assert shown("calsync_broker_connected") == 1
    assert shown("calsync_sample_failed") == 0
    assert shown("calsync_sample_age_seconds", sample="waiting") <= 15
    ids = (event.event_uid, call.item_id, dana.integration_id, dana.calendar_id, dana.account.sub)
    values = {value for _, labels in shown.samples for _, value in labels}
    assert not [value for value in values for one in ids if one in value], "no label holds an id"


async def test_without_a_broker_a_worker_lives_and_is_not_ready(services: Services, tmp_path: Path) -> None:
    async with stage(services, tmp_path) as world:
        nowhere = SecretStr(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
        async with watched(world, rabbitmq_url=nowhere) as seen:

            async def said() -> None:
                checks = (await seen.asked("/readyz"))[1]["checks"]
                if checks.get("rabbitmq", {}).get("reason") != "unreachable":
                    raise NotYet(str(checks))

            await world.until(said)
            assert await seen.asked("/livez") == (200, {"alive": True, "stuck": []})
            assert (await seen.metrics())("calsync_broker_connected") == 0
