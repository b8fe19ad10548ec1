"""What a person does in a calendar, and what truly is in it."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import Unpack

from sandbox.cronofy.client.asking import Asking, calendar_path, event_path
from sandbox.cronofy.control.event_messages import EventFields, EventView, InvitationView


class Events(Asking):
    """Acts as a person with a calendar in front of them."""

    async def events(self, calendar_id: str, *, deleted: bool = False) -> list[EventView]:
        """List what truly is in a calendar."""
        path = f"{calendar_path(calendar_id)}/events?deleted={str(deleted).lower()}"
        return await self._ask(list[EventView], "GET", path)

    async def create_event(self, calendar_id: str, **fields: Unpack[EventFields]) -> EventView:
        """Create an event as the person; `start` and `end` are needed."""
        return await self._ask(EventView, "POST", f"{calendar_path(calendar_id)}/events", fields)

    async def create_known_events(self, calendar_id: str, events: Iterable[EventFields]) -> list[EventView]:
        """Create many events that have been there for long: Cronofy knows them and tells nobody."""
        path = f"{calendar_path(calendar_id)}/known-events"
        return await self._ask(list[EventView], "POST", path, {"events": list(events)})

    async def edit_event(self, event: EventView, **fields: Unpack[EventFields]) -> EventView:
        """Change some fields of an event as the person."""
        return await self._ask(EventView, "PATCH", event_path(event), fields)

    async def delete_event(self, event: EventView) -> EventView:
        """Delete an event as the person."""
        return await self._ask(EventView, "DELETE", event_path(event))

    async def restore_event(self, event: EventView) -> EventView:
        """Take a deleted event out of the bin as the person."""
        return await self._ask(EventView, "POST", f"{event_path(event)}/restore")

    async def move_event(self, event: EventView, calendar_id: str) -> EventView:
        """Move an event to another calendar as the person, and return the new one."""
        return await self._ask(EventView, "POST", f"{event_path(event)}/move", {"calendar_id": calendar_id})

    async def copy_event(self, event: EventView, calendar_id: str) -> EventView:
        """Copy an event as the person, and return the copy."""
        return await self._ask(EventView, "POST", f"{event_path(event)}/copy", {"calendar_id": calendar_id})

    async def invitations(self) -> list[InvitationView]:
        """List writes to calendars with Free/Busy access that were not accepted yet."""
        return await self._ask(list[InvitationView], "GET", "/invitations")

    async def accept_invitation(self, invitation: InvitationView) -> None:
        """Accept such an invitation as the person."""
        await self._do("POST", "/invitations/accept", {"invitation_id": invitation.invitation_id})
