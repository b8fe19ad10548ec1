"""Gathering what is known, and asking both sides if that is wanted. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from events.link import ExternalEvent, ItemKey, Link, ManagedEvent
from events.reasons import Reason
from worker.explaining.answer import Answer, Story, Verdict
from worker.explaining.known import Known, Looked
from worker.explaining.question import AboutEvent, AboutItem, AboutLink, AboutOurEvent, Question, asked
from worker.explaining.telling import story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from events.calendar import CalendarEvent
    from events.integration import Integration
    from events.platform import ItemNow
    from worker.explaining.ports import BothSides, Records
    from worker.ports import Clock

_LINES: Final = 500
"""Of one link, the newest lines of the log that are told."""
_LETTERS: Final = 5
_RUNS: Final = 20
_STORIES: Final = 50
_TENANTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Explainer:
    """Answers questions. `live`: how both sides are asked; None to answer from what is stored."""

    records: Records
    clock: Clock
    live: BothSides | None = None

    async def answer(self, question: Question) -> Answer:
        """Answer a question. Raises `TryLater` if the store is away."""
        return Answer(question.words, tuple(await self._stories(question)))

    async def _stories(self, question: Question) -> list[Story]:
        match question.subject:
            case AboutItem() as subject:
                one = subject.tenant_id
                tenants = [one] if one is not None else (await self.records.tenant_ids())[:_TENANTS]
                return await self._of_items(question, [subject.key(tenant) for tenant in tenants])
            case AboutOurEvent(item=item, user_id=user_id):
                return await self._of_items(question, [item], user_id)
            case AboutEvent(event_uid=uid):
                return await self._of_event(question, uid)
            case AboutLink() as subject:
                return await self._of_link(question, subject)

    # Items

    async def _of_items(self, question: Question, keys: Sequence[ItemKey], user_id: int | None = None) -> list[Story]:
        wanted = question.integration_id
        links = [
            link
            for link in await self.records.links_of_items(keys)
            if wanted in {"", link.integration_id} and user_id in {None, link.user_id}
        ][:_STORIES]
        known_keys = {link.item for link in links if link.item is not None}
        looked = await self._items(keys if len(keys) == 1 else sorted(known_keys, key=str))
        stories = [await self._of_known(question, link, looked.get(link.item or keys[0])) for link in links]
        if links and wanted:
            return stories
        if len(keys) == 1:
            told = {link.user_id for link in links}
            return stories + await self._without_link(question, keys[0], looked.get(keys[0]), told, user_id)
        return stories or [await self._nobody(question, keys)]

    async def _items(self, keys: Sequence[ItemKey]) -> dict[ItemKey, Looked[ItemNow]]:
        return {} if self.live is None else {key: await self.live.item(key) for key in keys[:_STORIES]}

    async def _without_link(
        self, question: Question, key: ItemKey, looked: Looked[ItemNow] | None, told: set[int], user_id: int | None
    ) -> list[Story]:
        """Tell of those who have no link to the item, though they may expect one."""
        if question.integration_id:
            return [await self._of_one(question, key, looked)]
        users = set(looked.found.assignees) if looked and looked.found else set[int]()
        users = ({user_id} if user_id is not None else users) - told
        if not users:
            return [] if told else [await self._nobody(question, [key], looked)]
        having = {one.user_id: one.integration_id for one in await self.records.assignees(_of(key, users))}
        stories: list[Story] = []
        for user in sorted(users):
            integration = await self.records.integration(having[user]) if user in having else None
            known = await self._known_item(key, integration, looked)
            stories.append(story(question.subject, known, (key.tenant_id, user)))
        return stories

    async def _of_one(self, question: Question, key: ItemKey, looked: Looked[ItemNow] | None) -> Story:
        integration = await self.records.integration(question.integration_id)
        if integration is None:
            return Story(Verdict(Reason.UNKNOWN_INTEGRATION), integration_id=question.integration_id, item=str(key))
        return story(question.subject, await self._known_item(key, integration, looked))

    async def _known_item(self, key: ItemKey, integration: Integration | None, looked: Looked[ItemNow] | None) -> Known:
        return Known(
            self.clock.now(),
            integration=integration,
            tenant=await self.records.tenant(key.tenant_id),
            letters=await self.records.letters(key.tenant_id, str(key), _LETTERS),
            runs=await self.records.runs(integration.id, _RUNS) if integration else (),
            item=looked,
            item_deleted=key in await self.records.deleted([key]),
        )

    async def _nobody(
        self, question: Question, keys: Sequence[ItemKey], looked: Looked[ItemNow] | None = None
    ) -> Story:
        """Tell of an item of which nothing is stored, and nobody knows who expects it."""
        if len(keys) != 1:
            return Story(Verdict(Reason.NEVER_HEARD_OF), item=question.words)
        (key,) = keys
        told = story(question.subject, await self._known_item(key, None, looked), None)
        if told.verdict.reason is Reason.NEVER_HEARD_OF and not await self.records.has_integrations(key.tenant_id):
            return Story(Verdict(Reason.NO_INTEGRATION), tenant_id=key.tenant_id, item=str(key), lines=told.lines)
        return told

    # Events and links

    async def _of_event(self, question: Question, uid: str) -> list[Story]:
        links = (await self.records.links_of_event(uid, question.integration_id))[:_STORIES]
        if links:
            return [await self._of_known(question, link, None) for link in links]
        return [await self._strange_event(question, uid, question.integration_id)]

    async def _of_link(self, question: Question, subject: AboutLink) -> list[Story]:
        link = await self.records.link(subject.link_id)
        if link is not None:
            return [await self._of_known(question, link, None)]
        uid, integration_id = subject.link_id.rpartition("/")[2], subject.integration_id
        ours = asked(uid).subject if uid else None
        if isinstance(ours, AboutOurEvent):  # one that was never made: it is about the item
            about_item = Question(question.words, ours, integration_id)
            return await self._of_items(about_item, [ours.item], ours.user_id)
        return [await self._strange_event(question, uid, integration_id)]

    async def _strange_event(self, question: Question, uid: str, integration_id: str) -> Story:
        """Tell of an event that nobody has noted."""
        integration = await self.records.integration(integration_id) if integration_id else None
        if integration is None:
            reason = Reason.UNKNOWN_INTEGRATION if integration_id else Reason.NEVER_HEARD_OF
            return Story(Verdict(reason), integration_id=integration_id, event=uid)
        settings = integration.wanted.settings
        looked = None
        if self.live is not None and settings is not None:
            looked = await self.live.event(integration.id, ExternalEvent(settings.calendar_id, uid), None)
        known = Known(
            self.clock.now(),
            integration=integration,
            tenant=await self.records.tenant(integration.tenant_id),
            runs=await self.records.runs(integration.id, _RUNS),
            event=looked,
        )
        return story(question.subject, known)

    # What there is a link of

    async def _of_known(self, question: Question, link: Link, looked: Looked[ItemNow] | None) -> Story:
        integration = await self.records.integration(link.integration_id)
        if self.live is not None and looked is None and link.item is not None:
            looked = await self.live.item(link.item)
        known = Known(
            self.clock.now(),
            integration=integration,
            link=link,
            tenant=await self.records.tenant(link.tenant_id),
            entries=await self.records.entries(link.id, _LINES),
            letters=await self.records.letters(link.tenant_id, str(link.item), _LETTERS) if link.item else (),
            item=looked,
            event=await self._event_of(link, integration),
        )
        return story(question.subject, known)

    async def _event_of(self, link: Link, integration: Integration | None) -> Looked[CalendarEvent] | None:
        settings = integration.wanted.settings if integration else None
        if self.live is None or integration is None or settings is None:
            return None
        event = link.event
        if isinstance(event, ManagedEvent):  # it moves along when another calendar is linked
            event = ManagedEvent(settings.calendar_id, event.event_id)
        shown = link.calendar_seen.content if link.calendar_seen else link.calendar_base
        return await self.live.event(integration.id, event, shown.when if shown else None)


def _of(key: ItemKey, users: set[int]) -> list[tuple[int, int]]:
    return [(key.tenant_id, user) for user in sorted(users)]
