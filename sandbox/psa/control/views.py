"""What the control API answers, as its client reads it."""

from __future__ import annotations

from events.contract import Contract
from events.psa import ItemChange
from sandbox.psa.api.faults import Fault
from sandbox.psa.publishing.mishaps import Mishap


class Touched(Contract):
    """Everything that a command touched, as it is now."""

    items: tuple[ItemChange, ...]


class Story(Contract):
    """An item and its parts as they are now, and every revision of the one that was asked for."""

    items: tuple[ItemChange, ...]
    history: tuple[ItemChange, ...]


class NotDone(Contract):
    """A command of a bulk that was refused: its place, and why."""

    place: int
    code: int
    message: str


class BulkDone(Contract):
    """What became of a bulk. `item_ids`: of the commands that were carried out, in their order."""

    item_ids: tuple[str, ...]
    refused: tuple[NotDone, ...]


class IntegrationView(Contract):
    """An integration, and the revision of its newest event."""

    tenant_id: int
    integration_id: str
    user_id: int
    revision: int


class PendingEvent(Contract):
    """An event that is not published yet."""

    number: int
    type: str
    subject: str


class Pending(Contract):
    """How far publishing is. `quiet`: whether all was still for as long as was asked."""

    quiet: bool
    waiting: int
    published: int
    lost: int
    calls_under_way: int
    oldest: tuple[PendingEvent, ...]


class ArmedFault(Contract):
    """A fault that can still strike, and how often it has."""

    number: int
    struck: int
    fault: Fault


class ArmedMishap(Contract):
    """A mishap that can still strike, and how often it has."""

    number: int
    struck: int
    mishap: Mishap


class Number(Contract):
    """Names what was armed."""

    number: int


class UserView(Contract):
    """A user of a tenant."""

    user_id: int
    name: str
    time_zone: str
    active: bool


class EndpointView(Contract):
    """One row of the control API's table."""

    method: str
    path: str
    meaning: str
