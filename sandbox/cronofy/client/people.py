"""What people do with their accounts, profiles and calendars."""

from __future__ import annotations

from typing_extensions import Unpack

from sandbox.cronofy.client.asking import Asking, calendar_path
from sandbox.cronofy.control.account_messages import (
    AccountView,
    CalendarChange,
    CalendarView,
    CodeView,
    CreatedAccount,
    NewAccount,
    NewCalendar,
    NewCode,
    NewProfile,
    ProfileView,
)
from sandbox.cronofy.model.settings import Service


class People(Asking):
    """Acts as the people."""

    async def create_account(
        self, provider: Service = Service.GOOGLE, given: NewAccount | None = None
    ) -> CreatedAccount:
        """Let a person come into being who has just consented; `given` for all that can be chosen."""
        given = (given or NewAccount()).model_copy(update={"provider": provider})
        return await self._ask(CreatedAccount, "POST", "/accounts", given)

    async def accounts(self) -> list[AccountView]:
        """List all accounts with their profiles and calendars."""
        return await self._ask(list[AccountView], "GET", "/accounts")

    async def issue_code(self, sub: str, given: NewCode | None = None) -> str:
        """Let the person consent once more."""
        return (await self._ask(CodeView, "POST", f"/accounts/{sub}/codes", given)).code

    async def revoke(self, sub: str) -> None:
        """Let the person end the application's authorization."""
        await self._do("POST", f"/accounts/{sub}/revoke")

    async def expire_tokens(self, sub: str) -> None:
        """Let the account's access tokens run out now."""
        await self._do("POST", f"/accounts/{sub}/expire-tokens")

    async def add_profile(self, sub: str, given: NewProfile | None = None) -> ProfileView:
        """Link one more profile into an account."""
        return await self._ask(ProfileView, "POST", f"/accounts/{sub}/profiles", given)

    async def disconnect(self, profile_id: str) -> ProfileView:
        """Let Cronofy find now that it cannot use a profile any more."""
        return await self._ask(ProfileView, "POST", f"/profiles/{profile_id}/disconnect")

    async def withdraw_credentials(self, profile_id: str) -> ProfileView:
        """Let the person withdraw the credentials; Cronofy finds out when it next uses them."""
        return await self._ask(ProfileView, "POST", f"/profiles/{profile_id}/withdraw-credentials")

    async def relink(self, profile_id: str) -> ProfileView:
        """Let the person link a profile again."""
        return await self._ask(ProfileView, "POST", f"/profiles/{profile_id}/relink")

    async def finish_initial_sync(self, profile_id: str) -> ProfileView:
        """Finish a profile's initial sync."""
        return await self._ask(ProfileView, "POST", f"/profiles/{profile_id}/finish-initial-sync")

    async def add_calendar(self, profile_id: str, given: NewCalendar | None = None) -> CalendarView:
        """Let the person create a calendar."""
        return await self._ask(CalendarView, "POST", f"/profiles/{profile_id}/calendars", given)

    async def change_calendar(self, calendar_id: str, **change: Unpack[CalendarChange]) -> CalendarView:
        """Rename, delete or close a calendar, or grant unrestricted permission."""
        return await self._ask(CalendarView, "PATCH", calendar_path(calendar_id), change)
