"""Opening everything but the workers: RabbitMQ, MongoDB, topology, both sandboxes, the relay."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from adapters.mongodb.driver import drop
from adapters.mongodb.vault import new_key
from adapters.process.environment import PREFIX
from adapters.process.system import SystemClock, new_id
from cli.commands.topology import apply_topology
from cli.database import opened_database
from cli.failing import Failed
from events.failures import TryLater
from relay.run import running_relay
from relay.settings import RelaySettings
from sandbox.run import Sandboxes, Ways, running_sandboxes
from sandbox.settings import SandboxSettings
from stack.opening import Tell, open_stack, to_stderr
from stack.services import Services
from worker.settings import Infrastructure

_CLIENT: Final = "sandbox-client"
_SECRET: Final = "sandbox-secret"  # noqa: S105 - it opens a sandbox and nothing else


@dataclass(frozen=True, slots=True)
class Local:
    """What runs here. `environment`: of a worker. `folder`: for logs; it goes with the rest."""

    services: Services
    sandboxes: Sandboxes
    relay_url: str
    environment: Mapping[str, str]
    folder: Path
    infrastructure: Infrastructure


@contextlib.asynccontextmanager
async def local(ways: Ways, settings: Mapping[str, str], tell: Tell = to_stderr) -> AsyncGenerator[Local, None]:
    """Run all that a worker needs for as long as the block runs.

    Services that settings name are used and left as they are; all that is stored goes into a database of its own. With
    them, item numbers begin where no former run's have been, because a sandbox forgets and a worker does not.
    `settings`: more of a worker's. Raises `Unavailable` if the services cannot be had here.
    """
    with open_stack(tell) as services, tempfile.TemporaryDirectory(prefix="calsync-") as folder:
        database = f"calsync-{new_id()[:8]}"
        infrastructure = _infrastructure(services, database)
        await _apply(infrastructure)
        ways = replace(ways, first_id=int(SystemClock().now().timestamp()) % 2_000_000_000)
        try:
            async with (
                running_sandboxes(_sandbox_settings(services), ways) as sandboxes,
                running_relay(_relay_settings(services), ways.host, 0) as relay_url,
            ):
                environment = _environment(services, database, sandboxes, relay_url) | dict(settings)
                yield Local(services, sandboxes, relay_url, environment, Path(folder), infrastructure)
        finally:
            await _drop(infrastructure)


async def _apply(infrastructure: Infrastructure) -> None:
    findings = await apply_topology(infrastructure)
    if findings:
        raise Failed("\n".join(f"{finding.subject}: {finding.problem}; {finding.remedy}" for finding in findings))


async def _drop(infrastructure: Infrastructure) -> None:
    """Leave nothing behind in a MongoDB that was given. One that is ours goes as a whole, and may be gone already."""
    with contextlib.suppress(TryLater):
        async with opened_database(infrastructure) as database:
            await drop(database)


def _infrastructure(services: Services, database: str) -> Infrastructure:
    return Infrastructure(
        allow_plaintext=True,  # wherever these services are: what is stored there is made up
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        mongodb_url=SecretStr(services.mongodb_url),
        mongodb_database=database,
    )


def _sandbox_settings(services: Services) -> SandboxSettings:
    return SandboxSettings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        cronofy_client_id=_CLIENT,
        cronofy_client_secrets=(SecretStr(_SECRET),),
        psa_client_secret=SecretStr(_SECRET),
    )


def _relay_settings(services: Services) -> RelaySettings:
    return RelaySettings(
        allow_plaintext=True,
        rabbitmq_url=SecretStr(services.rabbitmq_url),
        cronofy_client_secrets=(SecretStr(_SECRET),),
    )


def _environment(services: Services, database: str, sandboxes: Sandboxes, relay_url: str) -> dict[str, str]:
    """Return a worker's environment: ours, with everything named that it has to find."""
    named = {
        "allow_plaintext": "true",
        "rabbitmq_url": services.rabbitmq_url,
        "mongodb_url": services.mongodb_url,
        "mongodb_database": database,
        "cronofy_api_url": sandboxes.cronofy_url,
        "cronofy_client_id": _CLIENT,
        "cronofy_client_secrets": _SECRET,
        "cronofy_callback_url": f"{relay_url}/notifications",
        "psa_api_url": sandboxes.psa_url,
        "psa_client_id": "calsync",
        "psa_client_secret": _SECRET,
        "encryption_keys": new_key(),
        "log_format": "json",
    }
    given = dict(os.environ)  # noqa: TID251 - a worker of ours runs where we run
    return given | {f"{PREFIX}{name.upper()}": value for name, value in named.items()}
