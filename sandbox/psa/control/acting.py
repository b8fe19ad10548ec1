"""What people and workflows do in the platform, carried out."""

from __future__ import annotations

from typing import assert_never

from events.psa import Origin
from sandbox.psa.model.changes import completed, deleted, edited, planned, reassigned, relocated, restored
from sandbox.psa.model.commands import (
    Command,
    CompleteItem,
    CreateItem,
    DeleteItem,
    EditItem,
    MoveItem,
    PlanPeriod,
    ReassignItem,
    RestoreItem,
)
from sandbox.psa.model.fresh import Place, created
from sandbox.psa.model.records import Author, Drafts, Record
from sandbox.psa.world import World


def act(world: World, tenant_id: int, command: Command) -> tuple[Record, ...]:
    """Carry out a command. Returns all that it touched. Raises `Refusal`, and then nothing is changed."""
    author = Author(world.clock.now(), command.by, Origin(kind=command.origin))
    return world.save(_drafts(world, tenant_id, command), author)


def _drafts(world: World, tenant_id: int, command: Command) -> Drafts:
    ledger, style = world.ledger, world.settings.style
    match command:
        case CreateItem():
            return created(command, Place(ledger, tenant_id, world.clock.now(), style))
        case EditItem():
            return edited(ledger, command.key(tenant_id), command.fields, style)
        case MoveItem():
            return relocated(ledger, command.key(tenant_id), command, style)
        case ReassignItem():
            users = tuple(ledger.user(tenant_id, user_id) for user_id in command.user_ids)
            return reassigned(ledger, command.key(tenant_id), users)
        case CompleteItem():
            return completed(ledger, command.key(tenant_id), style, complete=command.complete)
        case PlanPeriod():
            return planned(ledger, command.key(tenant_id), command)
        case DeleteItem():
            return deleted(ledger, command.key(tenant_id))
        case RestoreItem():
            return restored(ledger, command.key(tenant_id))
        case _:
            assert_never(command)
