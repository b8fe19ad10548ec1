"""For each alert, what makes it fire and what does not: series as promtool writes them, a value a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Series = dict[str, str]


@dataclass(frozen=True)
class Case:
    """`fires`: with these series the alert is on after `at` minutes, with these labels beside its own. `quiet`: not."""

    fires: Series
    quiet: Series
    at: int = 30
    labels: Series | None = None


WORKER: Final = 'calsync_build_info{instance="a",version="1",python="3"}'
ON: Final = "1x60"


def _http(system: str, bad: str, good: str) -> Series:
    requests = f'calsync_http_requests_total{{system="{system}",method="GET",route="/a",status='
    return {f'{requests}"503"}}': bad, f'{requests}"200"}}': good}


def _delays(slow: str, quick: str) -> Series:
    delays = 'calsync_sync_delay_seconds_bucket{direction="to_calendar",le='
    return {f'{delays}"60"}}': quick, f'{delays}"300"}}': slow, f'{delays}"+Inf"}}': slow}


def _lag(slow: str, quick: str) -> Series:
    lag = 'calsync_event_loop_lag_seconds_bucket{instance="a",le='
    return {f'{lag}"0.5"}}': quick, f'{lag}"5"}}': slow, f'{lag}"+Inf"}}': slow}


def _lost(values: str) -> Series:
    lost = 'status="not_connected",active="true",reason="reauthorise_needed"'
    return {f'calsync_integrations{{instance="{name}",{lost}}}': values for name in "ab"}


CASES: Final[dict[str, Case]] = {
    "CalsyncNoWorker": Case({WORKER: ON}, {'calsync_broker_connected{instance="a"}': "0x60"}, labels={}),
    "CalsyncWorkerRestarts": Case(
        {WORKER: ON, 'process_start_time_seconds{instance="a"}': "0+60x60"},
        {
            WORKER: ON,
            'process_start_time_seconds{instance="a"}': "100x60",
            'process_start_time_seconds{instance="b"}': "0+60x60",
        },
        labels={"instance": "a"},
    ),
    "CalsyncWorkStuck": Case(
        {'calsync_handler_still_seconds{instance="a",consumer="commands"}': "0+60x60"},
        {'calsync_handler_still_seconds{instance="a",consumer="commands"}': "60x60"},
        labels={"instance": "a", "consumer": "commands"},
    ),
    "CalsyncEventLoopLate": Case(_lag("0+100x60", "0+50x60"), _lag("0+100x60", "0+100x60"), labels={"instance": "a"}),
    "CalsyncBrokerUnreachable": Case(
        {'calsync_broker_connected{instance="a"}': "1x5 0x60"},
        {'calsync_broker_connected{instance="a"}': "1x28 0 1x60"},
        labels={"instance": "a"},
    ),
    "CalsyncFiguresMissing": Case(
        {'calsync_sample_failed{instance="a",sample="waiting"}': ON},
        {'calsync_sample_failed{instance="a",sample="waiting"}': "0x28 1 0x60"},
        labels={"sample": "waiting"},
    ),
    "CalsyncOverdue": Case(
        {f'calsync_overdue_integrations_oldest_seconds{{instance="{one}"}}': "0+60x60" for one in "ab"},
        {'calsync_overdue_integrations_oldest_seconds{instance="a"}': "100x60"},
        labels={},
    ),
    "CalsyncSlow": Case(
        _delays("0+10x90", "0+9x90"), _delays("0+100x90", "0+99x90"), at=60, labels={"direction": "to_calendar"}
    ),
    "CalsyncWaitsLong": Case(
        {'calsync_waiting_links_oldest_seconds{reason="server_error"}': "22000x60"},
        {
            'calsync_waiting_links_oldest_seconds{reason="server_error"}': "21000x60",
            'calsync_waiting_links_oldest_seconds{reason="write_budget"}': "90000x60",
        },
        labels={"reason": "server_error"},
    ),
    "CalsyncNotFresh": Case(
        {"calsync_oldest_verified_read_seconds": "260000x90"},
        {"calsync_oldest_verified_read_seconds": "250000x90"},
        at=80,
        labels={},
    ),
    "CalsyncSignalsMissed": Case(
        {'calsync_missed_signals_total{cause="missed_signal"}': "0+1x60"},
        {
            'calsync_missed_signals_total{cause="missed_signal"}': "0x55 1x60",
            'calsync_missed_signals_total{cause="entered_window"}': "0+1x60",
        },
        at=59,
        labels={"cause": "missed_signal"},
    ),
    "CalsyncDeletionsHeldBack": Case(
        {"calsync_held_back_deletions": "7x60"}, {"calsync_held_back_deletions": "0x60"}, labels={}
    ),
    "CalsyncUsersDisconnected": Case(_lost("3x60 20x60"), _lost("20x60 25x60"), at=80, labels={}),
    "CalsyncDeadLettersRise": Case(
        {'calsync_dead_letters_total{source="link",reason="psa_refused"}': "0+3x60"},
        {'calsync_dead_letters_total{source="link",reason="psa_refused"}': "0+1x60"},
        labels={},
    ),
    "CalsyncDeadLettersOld": Case(
        {'calsync_open_dead_letters_oldest_seconds{reason="poison"}': "90000x60"},
        {'calsync_open_dead_letters_oldest_seconds{reason="poison"}': "80000x60"},
        labels={},
    ),
    "CalsyncForgedNotifications": Case(
        {'calsync_dead_letters_total{source="calsync.notifications.v1",reason="bad_signature"}': "0+1x60"},
        {
            'calsync_dead_letters_total{source="calsync.notifications.v1",reason="breaks_schema"}': "0+1x60",
            'calsync_relay_requests_total{verdict="forged"}': "0+1x60",
        },
        labels={},
    ),
    "CalsyncRelayFails": Case(
        {'calsync_relay_requests_total{verdict="later"}': "0+1x60"},
        {'calsync_relay_requests_total{verdict="relayed"}': "0+9x60"},
        labels={},
    ),
    "CalsyncUnroutable": Case(
        {'calsync_messages_published_total{exchange="calsync.outcomes",outcome="unroutable"}': "0x25 1x60"},
        {'calsync_messages_published_total{exchange="calsync.outcomes",outcome="confirmed"}': "0+9x60"},
        labels={"exchange": "calsync.outcomes"},
    ),
    "CalsyncCronofyFails": Case(
        _http("cronofy", "0+5x60", "0+10x60"), _http("cronofy", "0+1x60", "0+10x60"), labels={}
    ),
    "CalsyncPsaFails": Case(_http("psa", "0+5x60", "0+10x60"), _http("psa", "0+1x60", "0+10x60"), labels={}),
    "CalsyncRateLimited": Case(
        {"calsync_budget_rate_ratio": "0.5x60"}, {"calsync_budget_rate_ratio": "0.25 0.5 0.75 1x60"}, labels={}
    ),
    "CalsyncBudgetUsedUp": Case(
        {'calsync_budget_waits_total{lane="real_time",outcome="postponed"}': "0+2x60"},
        {
            'calsync_budget_waits_total{lane="real_time",outcome="waited"}': "0+2x60",
            'calsync_budget_waits_total{lane="backfill",outcome="postponed"}': "0+2x60",
        },
        labels={},
    ),
    "CalsyncQueueUnattended": Case(
        {'rabbitmq_detailed_queue_consumers{vhost="/",queue="calsync.commands.v1"}': "0x60"},
        {
            'rabbitmq_detailed_queue_consumers{vhost="/",queue="calsync.commands.v1"}': ON,
            'rabbitmq_detailed_queue_consumers{vhost="/",queue="calsync.outcomes.psa.v1"}': "0x60",
            'rabbitmq_detailed_queue_consumers{vhost="/",queue="somebody.elses"}': "0x60",
        },
        labels={"queue": "calsync.commands.v1"},
    ),
    "CalsyncQueueGrows": Case(
        {'rabbitmq_detailed_queue_messages_ready{vhost="/",queue="calsync.psa-items.v1"}': "20000x60"},
        {'rabbitmq_detailed_queue_messages_ready{vhost="/",queue="calsync.psa-items.v1"}': "0x25 20000x3 0x60"},
        labels={"queue": "calsync.psa-items.v1"},
    ),
    "CalsyncBrokerAlarm": Case(
        {'rabbitmq_alarms_free_disk_space_watermark{instance="r"}': ON},
        {
            'rabbitmq_alarms_free_disk_space_watermark{instance="r"}': "0x60",
            'rabbitmq_alarms_memory_used_watermark{instance="r"}': "0x60",
        },
        labels={"instance": "r"},
    ),
}
