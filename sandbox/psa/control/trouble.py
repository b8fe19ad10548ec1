"""The control API about trouble and habits: faults of calls, mishaps of events, settings."""

from __future__ import annotations

from typing import Final

from pydantic_core import to_json

from sandbox.psa.api.faults import Fault
from sandbox.psa.control.endpoint import Ask, Endpoint
from sandbox.psa.control.views import ArmedFault, ArmedMishap, Number
from sandbox.psa.model.settings import Settings
from sandbox.psa.model.snapshots import merged
from sandbox.psa.publishing.mishaps import Mishap
from sandbox.psa.world import World


def _add_fault(world: World, ask: Ask) -> Number:
    return Number(number=world.faults.arm(Fault.model_validate_json(ask.body)))


def _faults(world: World, ask: Ask) -> list[ArmedFault]:
    del ask
    return [ArmedFault(number=each.number, struck=each.struck, fault=each.what) for each in world.faults.listed()]


def _drop_fault(world: World, ask: Ask) -> None:
    world.faults.disarm(_number(ask))


def _add_mishap(world: World, ask: Ask) -> Number:
    return Number(number=world.mishaps.arm(Mishap.model_validate_json(ask.body)))


def _mishaps(world: World, ask: Ask) -> list[ArmedMishap]:
    del ask
    return [ArmedMishap(number=each.number, struck=each.struck, mishap=each.what) for each in world.mishaps.listed()]


def _drop_mishap(world: World, ask: Ask) -> None:
    world.mishaps.disarm(_number(ask))


def _number(ask: Ask) -> int | None:
    return ask.number_in_path("number") if "number" in ask.path else None


def _settings(world: World, ask: Ask) -> Settings:
    del ask
    return world.settings


def _change_settings(world: World, ask: Ask) -> Settings:
    now, changes = world.settings.model_dump(), ask.document()
    if "style" in changes:
        changes["style"] = merged(now["style"], changes["style"])
    world.change_settings(Settings.model_validate_json(to_json(now | changes)))
    return world.settings


_FAULTS: Final = "/_control/faults"
_MISHAPS: Final = "/_control/mishaps"
TROUBLE_ENDPOINTS: Final = (
    Endpoint("GET", _FAULTS, "Faults of the calendar API that can still strike.", _faults),
    Endpoint(
        "POST",
        _FAULTS,
        "Add one: {effect: {effect: status|refuse|delay|reset|hang, …}, method?, path?, item_id?, applied?, times?, "
        "probability?}.",
        _add_fault,
    ),
    Endpoint("DELETE", _FAULTS, "Remove all.", _drop_fault),
    Endpoint("DELETE", _FAULTS + "/{number}", "Remove one.", _drop_fault),
    Endpoint("GET", _MISHAPS, "Mishaps of events that can still strike.", _mishaps),
    Endpoint(
        "POST",
        _MISHAPS,
        "Add one: {kind: late|twice|shuffled|lost|bare, type?, about?, seconds?, spread_seconds?, times?, "
        "probability?}.",
        _add_mishap,
    ),
    Endpoint("DELETE", _MISHAPS, "Remove all.", _drop_mishap),
    Endpoint("DELETE", _MISHAPS + "/{number}", "Remove one.", _drop_mishap),
    Endpoint("GET", "/_control/settings", "The platform's habits.", _settings),
    Endpoint("PATCH", "/_control/settings", "Change some of them. Chance begins anew from the seed.", _change_settings),
)
