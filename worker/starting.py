"""What is looked at before anything is taken from a queue: a broker that could lose messages is not worked with.

Missing indexes lose nothing; they are said, because everything takes longer the more there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.mongodb import indexes
from adapters.rabbitmq import topology
from adapters.rabbitmq.connection import connect_once
from adapters.rabbitmq.inspection import inspect
from adapters.rabbitmq.management import look
from events.failures import Misconfigured, TryLater
from events.reasons import Reason
from worker.said import Said

if TYPE_CHECKING:
    from adapters.mongodb.driver import Database
    from adapters.process.logs import Logger
    from adapters.rabbitmq.topology import Finding
    from worker.settings import Infrastructure


async def look_at_broker(settings: Infrastructure) -> list[Finding]:
    """Compare the broker with what this version needs: by the management API if it is named, else as far as AMQP tells.

    Raises `TryLater` if what is asked is away.
    """
    if settings.rabbitmq_management_url is not None:
        api = settings.rabbitmq_management_url.get_secret_value()
        return inspect(await look(api, settings.rabbitmq_url.get_secret_value(), settings.rabbitmq_ca_file))
    async with connect_once(settings.broker_url, "calsync topology") as connection:
        return await topology.check(connection)


async def refuse_to_lose(settings: Infrastructure, log: Logger) -> None:
    """Raise `Misconfigured` if the broker could lose messages. Raises `TryLater` if it is away."""
    try:
        findings = await look_at_broker(settings)
    except TryLater as error:
        if settings.rabbitmq_management_url is None:
            raise
        # An API that only people need must not keep a worker from its work.
        log.warning(Said.NOT_COMPARED, reason=error.reason, detail=error.detail)
        findings = await look_at_broker(settings.model_copy(update={"rabbitmq_management_url": None}))
    unseen = [finding for finding in findings if finding.unseen]
    if unseen:
        log.warning(Said.NOT_COMPARED, subjects=[finding.subject for finding in unseen], remedy=unseen[0].remedy)
    wrong = [finding for finding in findings if not finding.unseen]
    if wrong:
        raise Misconfigured(Reason.LOSES_MESSAGES, sentences(wrong))


async def say_what_is_slow(database: Database, log: Logger) -> None:
    """Log which indexes are missing or old. Raises `TryLater` if the store is away."""
    findings = await indexes.check(database)
    if findings:
        log.warning(Said.INDEXES_LACK, indexes=[f"{each.subject} {each.problem}" for each in findings])


def sentences(findings: Sequence[Finding]) -> str:
    """Return findings as one text."""
    return "; ".join(f"{finding.subject} {finding.problem}: {finding.remedy}" for finding in findings)
