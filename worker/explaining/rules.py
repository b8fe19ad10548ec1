"""For each reason: the rule that it comes from, and what would change it. The only place for these words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from events.reasons import Reason


class Rule(StrEnum):
    """What decides. The value is shown to people."""

    COMPARISON = "both sides are compared with what each showed when they last agreed"
    CONFIRMATION = "a change counts once a read has shown it"
    TICKS = "the ticks that the user saved"
    OWNERSHIP = "the table of who owns which field, and the tenant's exceptions"
    KINDS = "what each kind of item and event can be"
    PRIVACY = "what the tenant has decided about private things"
    LINKING = "only what happened since the calendar was linked, or what a run brings over"
    ASSIGNMENT = "an item is shown in the calendars of those who are assigned to it"
    BRAKES = "the brakes against loss and loops"
    REFUSAL = "the other side has the last word"
    RUNS = "one run at a time, over the days that it was asked for"
    SWITCHED_OFF = "nothing is done for an integration that is off, unfinished or deleted"
    CONNECTION = "nothing is done without a working connection; work waits for it"
    OUTAGE = "an outage is waited out, and what it held up is done afterwards"
    NEWEST = "only the newest counts"
    INTAKE = "a message has to keep its contract"
    AUDIT = "everything is looked at now and then, whether or not somebody told of it"
    PROGRAM = "the program takes care of itself"


_OF: Final[dict[Rule, tuple[Reason, ...]]] = {
    Rule.COMPARISON: (
        Reason.IN_SYNC,
        Reason.ECHO,
        Reason.ADOPTED,
        Reason.PSA_CHANGED,
        Reason.PSA_CREATED,
        Reason.PSA_DELETED,
        Reason.CALENDAR_CHANGED,
        Reason.CALENDAR_CREATED,
        Reason.CALENDAR_DELETED,
        Reason.EDIT_BEATS_DELETE,
        Reason.RESCHEDULED,
        Reason.BOTH_DELETED,
        Reason.DETACHED,
        Reason.WANTED_BACK,
        Reason.NO_SUCH_CONFLICT,
        Reason.ITEM_NOT_FOUND,
        Reason.EVENT_NOT_FOUND,
        Reason.CHANGED_MEANWHILE,
        Reason.GONE,
        Reason.NOTHING_TO_ANSWER,
    ),
    Rule.CONFIRMATION: (Reason.AWAITING_CONFIRMATION, Reason.NOT_CONFIRMED, Reason.NEVER_APPLIED),
    Rule.TICKS: (
        Reason.TYPE_NOT_TICKED,
        Reason.CREATE_NOT_TICKED,
        Reason.UPDATE_NOT_TICKED,
        Reason.DELETE_NOT_TICKED,
        Reason.CALENDAR_LEFT,
        Reason.COMPLETED,
    ),
    Rule.OWNERSHIP: (Reason.PSA_OWNS_FIELD, Reason.FIELD_LEFT_OUT, Reason.RESTORED),
    Rule.KINDS: (
        Reason.NOT_KEPT_BY_PSA,
        Reason.ONLY_TIMED,
        Reason.NO_PLANNED_PERIOD,
        Reason.TEXT_WAS_CUT,
        Reason.WORKING_LOCATION,
        Reason.MARKS_A_DAY,
        Reason.SERIES_TOO_LONG,
        Reason.TOO_FAR_AHEAD,
        Reason.ONE_OF_A_SERIES,
        Reason.NO_DATE,
        Reason.NO_TIME,
        Reason.PLANNED_IN_PERIODS,
    ),
    Rule.PRIVACY: (Reason.TEXT_IS_HIDDEN, Reason.PRIVATE_NOT_IMPORTED, Reason.REDACTED),
    Rule.LINKING: (Reason.BEFORE_LINKING, Reason.NEVER_HEARD_OF, Reason.OUT_OF_WINDOW),
    Rule.ASSIGNMENT: (Reason.UNASSIGNED, Reason.NOT_ASSIGNED, Reason.NO_INTEGRATION),
    Rule.BRAKES: (
        Reason.MANY_DELETIONS,
        Reason.FIELD_FLIPS,
        Reason.WRITE_BUDGET,
        Reason.SUSPICIOUS_READ,
        Reason.SUSPICIOUS_LISTING,
    ),
    Rule.REFUSAL: (
        Reason.NOT_PERMITTED,
        Reason.PSA_REFUSED,
        Reason.CALENDAR_REFUSED,
        Reason.MISSING_SCOPE,
        Reason.PLAN_LACKS_FEATURE,
    ),
    Rule.RUNS: (
        Reason.OUT_OF_RANGE,
        Reason.TOO_SOON,
        Reason.UNKNOWN_RUN,
        Reason.RUN_UNDER_WAY,
        Reason.EVERYTHING_FAILED,
        Reason.CANCELLED,
        Reason.CALENDAR_REPLACED,
        Reason.UNDONE,
        Reason.CHANGED_SINCE,
        Reason.NOT_UNDOABLE,
    ),
    Rule.SWITCHED_OFF: (Reason.INACTIVE, Reason.NOT_CONFIGURED, Reason.DELETED, Reason.UNKNOWN_INTEGRATION),
    Rule.CONNECTION: (
        Reason.REAUTHORISE_NEEDED,
        Reason.REVOKED_BY_USER,
        Reason.CALENDAR_MISSING,
        Reason.CALENDAR_READ_ONLY,
        Reason.PENDING_INITIAL_SYNC,
        Reason.ACCOUNT_CHANGED,
        Reason.PROVIDER_ERROR,
    ),
    Rule.OUTAGE: (
        Reason.UNREACHABLE,
        Reason.SERVER_ERROR,
        Reason.RATE_LIMITED,
        Reason.UNREADABLE_ANSWER,
        Reason.NOT_TRUSTED,
        Reason.NOT_AUTHENTICATED,
        Reason.UNROUTABLE,
    ),
    Rule.NEWEST: (Reason.LEASE_LOST, Reason.STALE_EPOCH, Reason.OLD_REVISION),
    Rule.INTAKE: (
        Reason.UNDECODABLE,
        Reason.TOO_LARGE,
        Reason.TOO_DEEP,
        Reason.BREAKS_SCHEMA,
        Reason.UNKNOWN_TYPE,
        Reason.UNKNOWN_VERSION,
        Reason.BAD_SIGNATURE,
        Reason.POISON,
        Reason.DELIVERY_LIMIT,
        Reason.NOT_EDITABLE,
    ),
    Rule.AUDIT: (
        Reason.MISSED_SIGNAL,
        Reason.ENTERED_WINDOW,
        Reason.VANISHED,
        Reason.CHANNEL_CLOSED,
        Reason.MISSED_EVENT,
        Reason.NOT_LISTED,
    ),
    Rule.PROGRAM: (
        Reason.STARTING,
        Reason.STOPPING,
        Reason.LOSES_MESSAGES,
        Reason.BAD_SETTINGS,
        Reason.NOT_UNDERSTOOD,
        Reason.BUG,
    ),
}
_RULES: Final = {reason: rule for rule, reasons in _OF.items() for reason in reasons}

_RECONNECT: Final = "The user has to connect the calendar again; what waits is done then."
_REPLAY: Final = "Have the cause repaired where the message came from, then replay or edit the dead letter."
_WAIT: Final = "Nothing has to be done: it is tried again by itself."

_ADVICE: Final[dict[Reason, str]] = {
    Reason.AWAITING_CONFIRMATION: "Nothing has to be done: it is looked for within seconds.",
    Reason.NOT_CONFIRMED: _WAIT,
    Reason.NEVER_APPLIED: "Look whether the calendar can be written to in its own program; then change the item.",
    Reason.TYPE_NOT_TICKED: "The user can tick this type under Your Calendar, and save.",
    Reason.CREATE_NOT_TICKED: "The user can tick Create under Linked Calendar, and save.",
    Reason.UPDATE_NOT_TICKED: "The user can tick Update under Linked Calendar, and save.",
    Reason.DELETE_NOT_TICKED: "The user can tick Delete under Linked Calendar, and save.",
    Reason.COMPLETED: "The tenant can decide to keep completed items: `calsync tenants set`, remove_when_done=false.",
    Reason.CALENDAR_LEFT: "Look for it in the calendar that is linked now.",
    Reason.PSA_OWNS_FIELD: "Change it in the PSA; or the tenant lets both sides own the field.",
    Reason.FIELD_LEFT_OUT: "Change it in the PSA; or the tenant lets the field into the calendar again.",
    Reason.TEXT_WAS_CUT: "Change the text in the PSA.",
    Reason.TEXT_IS_HIDDEN: "Change the text in the PSA.",
    Reason.PRIVATE_NOT_IMPORTED: "The user can make the event public; or the tenant sets private_inbound.",
    Reason.ONLY_TIMED: "Give the event a time of day.",
    Reason.NO_PLANNED_PERIOD: "Plan a period of the task in the PSA.",
    Reason.SERIES_TOO_LONG: "Nothing has to be done: it comes when earlier occurrences are over.",
    Reason.TOO_FAR_AHEAD: "Nothing has to be done: it comes when it is nearer.",
    Reason.ONE_OF_A_SERIES: "Change the event in the calendar's own program.",
    Reason.NO_DATE: "Give the item a date in the PSA.",
    Reason.NO_TIME: "Look at the event in the calendar's own program, and save it with a time.",
    Reason.PLANNED_IN_PERIODS: "Ask about the task's periods: task/ID/PERIOD.",
    Reason.DETACHED: "Reschedule the item in the PSA, and an event is made again.",
    Reason.CALENDAR_DELETED: "Reschedule the item in the PSA, and an event is made again.",
    Reason.UNDONE: "Edit it on either side, and the two follow each other again.",
    Reason.BEFORE_LINKING: "Run Sync now with Retrieve over its days.",
    Reason.NEVER_HEARD_OF: (
        "Ask with --live what both sides say. Edit it, or run Sync now over its days. If an event of the PSA was to "
        "tell of it, look whether it still waits in a queue."
    ),
    Reason.OUT_OF_RANGE: "Run Sync now with a range that covers its days, or edit it.",
    Reason.OUT_OF_WINDOW: "Nothing has to be done: it comes once time has brought it near enough.",
    Reason.NOT_ASSIGNED: "Assign the user in the PSA.",
    Reason.UNASSIGNED: "Assign the user in the PSA.",
    Reason.NO_INTEGRATION: "A user who is assigned has to connect a calendar.",
    Reason.UNKNOWN_INTEGRATION: "Look the integration up: `calsync integrations list --tenant … --user …`.",
    Reason.ITEM_NOT_FOUND: "Look whether the item exists in the PSA, and may be read by this application.",
    Reason.EVENT_NOT_FOUND: "Look for the event in the calendar's own program; it may be in another calendar.",
    Reason.MANY_DELETIONS: "Look at what is held back, then release or discard it: `calsync brakes`.",
    Reason.FIELD_FLIPS: "Find the other program that writes this text; then `calsync brakes unfreeze`.",
    Reason.WRITE_BUDGET: _WAIT,
    Reason.SUSPICIOUS_READ: _WAIT,
    Reason.SUSPICIOUS_LISTING: _WAIT,
    Reason.NOT_PERMITTED: "The user has to change the event, or grant this application to change their own events.",
    Reason.PSA_REFUSED: "See the PSA's own words; it is tried again when the item or the event changes.",
    Reason.CALENDAR_REFUSED: "See the calendar's own words; it is tried again when the item changes.",
    Reason.MISSING_SCOPE: _RECONNECT,
    Reason.PLAN_LACKS_FEATURE: "Ask Cronofy for the feature, or do without it.",
    Reason.INACTIVE: "The user can switch Active on; what is due is done then.",
    Reason.NOT_CONFIGURED: "The user has to choose a calendar and save.",
    Reason.DELETED: "The user can connect the calendar again; what is there is adopted.",
    Reason.REAUTHORISE_NEEDED: _RECONNECT,
    Reason.REVOKED_BY_USER: _RECONNECT,
    Reason.CALENDAR_MISSING: "The user has to choose another calendar, or make this one again.",
    Reason.CALENDAR_READ_ONLY: "The user has to choose a calendar that can be written to.",
    Reason.PENDING_INITIAL_SYNC: "Nothing has to be done: the provider needs some minutes.",
    Reason.ACCOUNT_CHANGED: "The user has to answer whether the other account takes the former one's place.",
    Reason.PROVIDER_ERROR: _RECONNECT,
    Reason.UNREACHABLE: _WAIT,
    Reason.SERVER_ERROR: _WAIT,
    Reason.RATE_LIMITED: _WAIT,
    Reason.UNREADABLE_ANSWER: _WAIT,
    Reason.NOT_TRUSTED: "See docs/runbooks: a certificate was refused.",
    Reason.NOT_AUTHENTICATED: "See docs/runbooks: our own credentials were refused.",
    Reason.UNROUTABLE: "Run `calsync topology apply`.",
    Reason.UNDECODABLE: _REPLAY,
    Reason.TOO_LARGE: _REPLAY,
    Reason.TOO_DEEP: _REPLAY,
    Reason.BREAKS_SCHEMA: _REPLAY,
    Reason.UNKNOWN_TYPE: _REPLAY,
    Reason.UNKNOWN_VERSION: _REPLAY,
    Reason.BAD_SIGNATURE: _REPLAY,
    Reason.POISON: _REPLAY,
    Reason.DELIVERY_LIMIT: _REPLAY,
    Reason.NOT_UNDERSTOOD: "Let a worker of the newer version run.",
    Reason.BUG: "Report it with the dead letter's places in the program; replay it after an update.",
}


def rule_of(reason: Reason) -> Rule:
    """Return the rule that a reason comes from. Every reason has one."""
    return _RULES.get(reason, Rule.PROGRAM)


def advice(reason: Reason) -> str:
    """Return what would change it; empty where all is as it should be."""
    return _ADVICE.get(reason, "")


def unplaced() -> list[Reason]:
    """Return the reasons that nobody has given a rule."""
    return [reason for reason in Reason if reason not in _RULES]
