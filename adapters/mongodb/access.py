"""What each user may do in the store: the least that the part needs. Printed for `mongosh`, or applied.

Nobody here may delete anything: what goes away goes by its time to live, or stays as a tombstone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure

from adapters.mongodb.driver import Database, away
from events.roles import Role

Command = Mapping[str, Any]

_LOOK: Final = ("find", "listCollections", "listIndexes", "collStats")
_WRITE: Final = ("insert", "update")
_BY_OPERATORS: Final = ("dead_letters", "replay_jobs", "operator_actions", "tenants", "orders", "integrations", "links")
"""What operators may change. The sync log is not among them: what was done stays written."""

ACTIONS: Final[dict[Role, dict[str, tuple[str, ...]]]] = {
    Role.TOPOLOGY: {"": ("createCollection", "createIndex", "collMod", "listIndexes", "listCollections")},
    Role.WORKER: {"": (*_LOOK, *_WRITE)},
    Role.OPERATOR: {"": _LOOK, **dict.fromkeys(_BY_OPERATORS, _WRITE)},
    Role.READER: {"": _LOOK},
}
"""For each role, what it may do with which collection; "" is every one."""
_ALREADY_THERE: Final = frozenset({51002, 51003})


def role_of(role: Role, database: str) -> dict[str, Any]:
    """Return what a role may do, as the server takes it."""
    privileges = [
        {"resource": {"db": database, "collection": collection}, "actions": list(actions)}
        for collection, actions in ACTIONS[role].items()
    ]
    return {"privileges": privileges, "roles": []}


def commands(database: str) -> Iterator[str]:
    """Return a script for `mongosh`. The passwords are asked for."""
    yield f"use({json.dumps(database)})"
    for role in ACTIONS:
        made = {"role": role.user, **role_of(role, database)}
        yield f"// {role.purpose}"
        yield f"db.createRole({json.dumps(made)})"
        yield f'db.createUser({{user: "{role.user}", pwd: passwordPrompt(), roles: ["{role.user}"]}})'


async def apply(database: Database, name: str, new_password: Callable[[], str]) -> dict[Role, str]:
    """Give every user these rights and no others. Returns the passwords of those who were new; others keep theirs.

    Whoever opened the database has to be allowed to make users. Raises `TryLater` if they are not, or it is away.
    """
    made: dict[Role, str] = {}
    for role in ACTIONS:
        if not await _made(database, {"createRole": role.user, **role_of(role, name)}):
            await _made(database, {"updateRole": role.user, **role_of(role, name)})
        password = new_password()
        if await _made(database, {"createUser": role.user, "pwd": password, "roles": [role.user]}):
            made[role] = password
        else:
            await _made(database, {"updateUser": role.user, "roles": [role.user]})
    return made


async def _made(database: Database, command: Command) -> bool:
    """Run a command. False if what it makes is there already."""
    with away():
        try:
            await database.command(command)
        except OperationFailure as error:
            if error.code in _ALREADY_THERE:
                return False
            raise
    return True
