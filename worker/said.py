"""The name of every event that the worker logs."""

from __future__ import annotations

from enum import StrEnum


class Said(StrEnum):
    """Constant names: what people search for."""

    SERVING = "ops_server_listens"
    STARTED = "worker_started"
    STOPPED = "worker_stopped"
    NOT_COMPARED = "topology_not_compared"
    INDEXES_LACK = "indexes_lack"
    AWAY = "system_away"
    BACK = "system_back"
    ITEMS_TAKEN = "items_taken"
    WISH_TAKEN = "wish_taken"
    NOTIFICATION_TAKEN = "notification_taken"
    ACTED = "item_acted_on"
    WOKEN = "wake_executed"
    SWEPT = "due_integrations_woken"
    ROUSED = "forgotten_integrations_roused"
    KEPT = "dead_letters_kept"
    RESOLVED = "dead_letters_resolved"
    PARKED = "message_dead_lettered"
    UNROUTABLE = "dead_letter_unroutable"
    FAILED = "message_failed"
    REPLAYED = "replay_job_ended"
    REPLAY_STOPPED = "replay_job_stopped"
    SIGNED_IN = "console_signed_in"
    NOT_SIGNED_IN = "console_refused"
