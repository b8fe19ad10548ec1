"""What each user may do on the broker: the least that the part needs. Printed, or applied by the management API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote as in_shell
from typing import Final
from urllib.parse import quote

from adapters.rabbitmq.management import open_api
from adapters.rabbitmq.topology import EXCHANGES, QUEUES
from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    DEAD_LETTERS,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    NOTIFICATIONS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
)
from events.roles import Role

_NOTHING: Final = "^$"
_OWN_OF_THE_PLATFORM: Final = r"psa\.outcomes\..*"
"""Queues that the platform makes for outcomes, beside the one that there is."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Which names a user may configure, write to and read from, as regular expressions. `tags`: of the management."""

    configure: str
    write: str
    read: str
    tags: str = ""


def _names(names: Iterable[str], *patterns: str) -> str:
    exact = [name.replace(".", r"\.") for name in names]
    return f"^({'|'.join([*exact, *patterns])})$"


_EVERYTHING: Final = _names([*EXCHANGES, *(queue.name for queue in QUEUES)])
RIGHTS: Final = {
    Role.TOPOLOGY: Rights(_EVERYTHING, _EVERYTHING, _EVERYTHING, "management"),
    Role.WORKER: Rights(
        _NOTHING,
        _names([COMMANDS, OUTCOMES, DEAD_LETTERS]),
        _names([PSA_ITEMS_QUEUE, INTEGRATIONS_QUEUE, NOTIFICATIONS_QUEUE, COMMANDS_QUEUE, DEAD_LETTERS_QUEUE]),
        "management",  # to compare bindings and policies at the start
    ),
    Role.RELAY: Rights(_NOTHING, _names([CRONOFY_EVENTS]), _NOTHING),
    Role.OPERATOR: Rights(_NOTHING, _names([PSA_EVENTS, CRONOFY_EVENTS, COMMANDS]), _NOTHING, "management"),
    Role.READER: Rights(_NOTHING, _NOTHING, _NOTHING, "management"),
    Role.PLATFORM: Rights(
        f"^{_OWN_OF_THE_PLATFORM}$",
        _names([PSA_EVENTS], _OWN_OF_THE_PLATFORM),
        _names([OUTCOMES, OUTCOMES_QUEUE], _OWN_OF_THE_PLATFORM),
    ),
}


def commands(vhost: str) -> Iterator[str]:
    """Return a shell script. The passwords are asked for."""
    host = in_shell(vhost)
    yield f"rabbitmqctl add_vhost {host}"
    for role, rights in RIGHTS.items():
        yield f"# {role.purpose}"
        yield f"rabbitmqctl add_user {role.user}"
        yield f"rabbitmqctl set_user_tags {role.user} {rights.tags}".rstrip()
        words = " ".join(in_shell(pattern) for pattern in (rights.configure, rights.write, rights.read))
        yield f"rabbitmqctl set_permissions --vhost {host} {role.user} {words}"


async def apply(
    management_url: str, amqp_url: str, vhost: str, new_password: Callable[[], str], ca_file: Path | None
) -> dict[Role, str]:
    """Give every user these rights and no others. Returns the passwords of those who were new; others keep theirs.

    `management_url` has to name an administrator. Raises `TryLater` if the API is away or does not let them in.
    """
    made: dict[Role, str] = {}
    async with open_api(management_url, amqp_url, ca_file) as api:
        if not await api.exists(f"vhosts/{quote(vhost, safe='')}"):
            await api.put(f"vhosts/{quote(vhost, safe='')}", {"default_queue_type": "quorum"})
        there = {str(one.get("name")) for one in await api.listed("users")}
        for role, rights in RIGHTS.items():
            if role.user not in there:
                made[role] = new_password()
                await api.put(f"users/{role.user}", {"password": made[role], "tags": rights.tags})
            patterns = {"configure": rights.configure, "write": rights.write, "read": rights.read}
            await api.put(f"permissions/{quote(vhost, safe='')}/{role.user}", patterns)
    return made
