"""What would happen if a letter were replayed now: told by what is known, without changing anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from events.commands import Wake
from events.dead_letters import LinkFailed
from events.failures import Malformed
from events.integration import Assignee, Integration, Status, Wanted
from events.link import ItemKey, Link, LinkState, Standing
from events.notification import Notification
from events.psa import (
    Activate,
    Configure,
    Connect,
    Deactivate,
    ItemChanged,
    ListCalendars,
)
from worker.dead_letters.contracts import destination, message_of
from worker.dead_letters.settling import AT_REST

if TYPE_CHECKING:
    from events.letters import Letter
    from worker.dead_letters.contracts import Message
    from worker.dead_letters.ports import Integrations, Standings


class Expected(StrEnum):
    """What is to be expected of a replay."""

    TAKEN = "taken"
    """It says something new, and would be taken in."""
    TRIED = "tried"
    """The work would be tried again."""
    IN_SYNC = "in_sync"
    """Already in sync: nothing would be done."""
    STALE = "stale"
    """Something newer is known; it would be dropped."""
    NOBODY = "nobody"
    """It concerns nobody; it would be dropped."""
    FAILS_AGAIN = "fails_again"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of the replay of one letter."""

    letter_id: str
    expected: Expected
    detail: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of what a message is about."""

    standing: Sequence[Standing] = ()
    assignees: Sequence[Assignee] = ()
    links: Mapping[str, Link] = field(default_factory=dict[str, Link])
    integration: Integration | None = None


def forecast(letter: Letter, message: Message, known: Known) -> Forecast:
    """Say what would happen."""
    expected, detail = _expected(message, known)
    return Forecast(letter.id, expected, detail)


def _expected(message: Message, known: Known) -> tuple[Expected, str]:
    match message:
        case ItemChanged():
            return _of_item(message, known)
        case LinkFailed():
            return _of_link(known.links.get(message.link_id))
        case Notification():
            return _of_integration(known.integration, "its calendar would be read again")
        case Wake():
            return _of_wake(known.integration)
        case event:
            return _of_wish(_revision(event), getattr(event.data, "revision", None), known.integration)


def _of_item(event: ItemChanged, known: Known) -> tuple[Expected, str]:
    change = event.data
    linked = {link.integration_id for link in known.standing}
    behind = [link for link in known.standing if _is_news(link, event)]
    new = [one.integration_id for one in known.assignees if one.integration_id not in linked]
    newest = max((link.revision for link in known.standing if link.revision is not None), default=-1)
    if not known.standing and not new:
        return Expected.NOBODY, "none of its assignees has an integration"
    if behind or (new and newest <= change.revision):
        concerned = sorted({*(link.integration_id for link in behind), *new})
        return Expected.TAKEN, f"revision {change.revision} is news for {', '.join(concerned)}"
    waiting = [one for one in known.standing if not _at_rest(known.links.get(one.id))]
    if newest > change.revision:
        return Expected.STALE, f"revision {newest} is known"
    if waiting:
        return Expected.STALE, f"revision {newest} is known, and being worked on or blocked"
    return Expected.IN_SYNC, f"revision {newest} is in sync"


def _is_news(link: Standing, event: ItemChanged) -> bool:
    if link.revision is None or event.data.revision > link.revision:
        return True
    return event.data.revision == link.revision and link.lacks_content and event.data.item is not None


def _at_rest(link: Link | None) -> bool:
    return link is not None and link.due_at is None and link.state in AT_REST


def _of_link(link: Link | None) -> tuple[Expected, str]:
    if link is None:
        return Expected.STALE, "the link is gone"
    if _at_rest(link):
        return Expected.IN_SYNC, f"{link.state}: {link.reason}"
    if link.state is LinkState.BLOCKED:
        return Expected.TRIED, f"blocked: {link.reason}"
    return Expected.TRIED, f"{link.state}, due anyhow"


def _of_integration(integration: Integration | None, what: str) -> tuple[Expected, str]:
    if integration is None:
        return Expected.NOBODY, "there is no such integration"
    if integration.held.status is not Status.CONNECTED:
        return Expected.TRIED, f"not connected: {integration.held.reason}; what is to be done waits for that"
    return Expected.TRIED, what


def _of_wake(integration: Integration | None) -> tuple[Expected, str]:
    signals = integration.signals if integration else None
    if integration and integration.due_at is None and signals and signals.requested <= signals.served:
        return Expected.IN_SYNC, "nothing is due"
    return _of_integration(integration, "what is due would be done")


def _of_wish(known: int | None, revision: int | None, integration: Integration | None) -> tuple[Expected, str]:
    if known is None or revision is None:
        return Expected.TAKEN, "it would be taken in, unless that was done before"
    wanted = integration.wanted if integration else Wanted()
    newest = _known_revision(known, wanted)
    if newest >= revision:
        return Expected.STALE, f"revision {newest} is known"
    return Expected.TAKEN, f"revision {revision} is news"


def _revision(event: object) -> int | None:
    """Return which part of what is wanted an event is about."""
    match event:
        case Connect():
            return 0
        case Configure():
            return 1
        case Activate() | Deactivate():
            return 2
        case ListCalendars():
            return 3
        case _:
            return None


def _known_revision(part: int, wanted: Wanted) -> int:
    connect = wanted.connect.revision if wanted.connect else -1
    settings = wanted.settings.revision if wanted.settings else -1
    return (connect, settings, wanted.active_revision, wanted.list_calendars_revision)[part]


# Looking


@dataclass(frozen=True, slots=True)
class Foresight:
    """Foresees. `secrets`: of the notifications' signatures; None if they are not known here."""

    links: Standings
    integrations: Integrations
    secrets: Iterable[str] | None

    async def of(self, letter: Letter) -> Forecast:
        """Say what would happen if a letter, given whole, were replayed now. Raises `TryLater` if the store is away."""
        if destination(letter.original) is None:
            return Forecast(letter.id, Expected.FAILS_AGAIN, "where it came from is not known")
        try:
            message = message_of(letter.original, self.secrets)
        except Malformed as error:
            return Forecast(letter.id, Expected.FAILS_AGAIN, f"{error.reason}: {error.detail}")
        return forecast(letter, message, await self._known(letter, message))

    async def _known(self, letter: Letter, message: Message) -> Known:
        match message:
            case ItemChanged(data=data):
                key = ItemKey(data.tenant_id, data.item_type, data.item_id, data.part_id)
                standing = await self.links.of_items([key], [])
                links = await self.links.by_ids([one.id for one in standing])
                users = [(data.tenant_id, user) for user in data.assignees or ()]
                return Known(standing, await self.integrations.assignees(users) if users else (), links)
            case LinkFailed(link_id=link_id):
                return Known(links=await self.links.by_ids([link_id]))
            case _:
                integration_id = letter.subject.integration_id
                return Known(integration=await self.integrations.get(integration_id) if integration_id else None)
