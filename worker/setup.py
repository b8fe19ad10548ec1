"""From what the user wants to what is the case: switch, connect, check the connection, configure, list calendars.

Each step is taken when what is wanted is newer than what was done, saves its result at once and can be repeated; so
integration events may arrive in any order and twice.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from events.failures import MustReconnect, Refused
from events.integration import Audit, Held, Status
from events.reasons import Reason
from events.values import replace
from worker import outcomes

if TYPE_CHECKING:
    from events.calendar import ProfileInfo, UserInfo
    from events.integration import CalendarInfo, ConnectWish, SettingsWish, Wanted
    from worker.access import Access
    from worker.holding import Holding
    from worker.ports import Clock, Outcomes

_LOOK_AGAIN: Final = timedelta(seconds=30)
"""How often to ask whether a provider has finished its first sync."""
_PROBE: Final = timedelta(minutes=10)
"""How often to ask whether a broken connection works again."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The steps, and what they work with."""

    holding: Holding
    access: Access
    outcomes: Outcomes
    clock: Clock

    @property
    def _held(self) -> Held:
        return self.holding.held

    async def run(self) -> None:
        """Take all steps that are due."""
        wanted = self.holding.integration.wanted
        if wanted.active_revision > self._held.active_revision:
            await self._switch(wanted)
        if wanted.connect is not None and wanted.connect.revision > self._held.connected_revision:
            await self._connect(wanted.connect)
        await self.revoke_retired()
        if self._held.tokens is None or self._held.offered is not None:
            return
        settings = wanted.settings
        new_settings = settings is not None and settings.revision != self._held.configured_revision
        if new_settings or self._check_is_due():
            await self.check_connection()
            self.holding.check_served()
        if wanted.list_calendars_revision > self._held.listed_revision:
            await self._list_calendars(wanted.list_calendars_revision)
        if new_settings and settings is not None and self._held.status is Status.CONNECTED:
            await self._configure(settings)

    def ready(self) -> bool:
        """Whether there is a calendar to be synced, and the user wants it to be."""
        wanted = self.holding.integration.wanted
        configured = wanted.settings is not None and self._held.configured_revision == wanted.settings.revision
        return configured and wanted.active and self.in_use

    @property
    def in_use(self) -> bool:
        """Whether the connection counts as working, or is being tested."""
        return self._held.status is Status.CONNECTED or self.on_trial

    @property
    def on_trial(self) -> bool:
        """Whether work is the test of a provider that was failing: nothing else can tell whether it works again."""
        return self._held.reason is Reason.PROVIDER_ERROR and self._held.probe_at is None

    def _check_is_due(self) -> bool:
        signals = self.holding.integration.signals
        if signals.profile_check > signals.profile_checked:
            return True
        return self._held.probe_at is not None and self._held.probe_at <= self.clock.now()

    # The Active toggle

    async def _switch(self, wanted: Wanted) -> None:
        """Acknowledge the toggle. Nobody else works now, so once it says off nothing more is written.

        What changed in the calendar meanwhile is read when it is on again, and judged against the bases.
        """
        told = outcomes.switched(self.holding, wanted.active_revision, self.clock.now(), active=wanted.active)
        await self.outcomes.publish([told])
        await self.holding.save(
            active_revision=wanted.active_revision, unread=self._held.unread or (wanted.active and self._configured)
        )

    @property
    def _configured(self) -> bool:
        return self._held.configured_revision >= 0

    # Connect

    async def _connect(self, wish: ConnectWish) -> None:
        try:
            grant = await self.access.exchange(wish.code, wish.redirect_uri)
        except MustReconnect as error:
            # The code works once: we used it up before a crash, somebody else did, or a page was loaded again.
            await self._not_authorized(wish.revision, error.reason)
            return
        former, offered = self._held.account, self._held.offered
        retired = (*self._held.retired, *([] if offered is None else [offered]))
        if former is not None and self._configured and former.profile_id != grant.account.profile_id:
            await self._offer(replace(self._held, connected_revision=wish.revision, offered=grant, retired=retired))
            return
        await self.holding.save(
            connected_revision=wish.revision,
            tokens=grant.tokens,
            account=grant.account,
            offered=None,
            retired=retired,
            time_zone=wish.time_zone,
            probe_at=self.clock.now(),
            calendar_hold=None,
            calendar_failures=0,
        )

    async def _not_authorized(self, revision: int, reason: Reason) -> None:
        """Answer an authorization that was refused with how the connection is: what is in hand may work still."""
        if self._held.tokens is None:
            now = replace(self._held, status=Status.NOT_CONNECTED, reason=reason, connected_revision=revision)
            await self._became(now)
        elif self._held.offered is not None:
            await self._became(replace(self._held, connected_revision=revision))
        else:
            await self.check_connection(revision)

    async def _offer(self, now: Held) -> None:
        """Ask whether another account takes the place of the former. Until then what is linked stays as it is."""
        await self.outcomes.publish([outcomes.account_changed(self.holding, now, self.clock.now())])
        frozen = replace(now, status=Status.NOT_CONNECTED, reason=Reason.ACCOUNT_CHANGED, relink_url=None)
        await self._became(frozen)

    async def revoke_retired(self) -> None:
        """Give up authorizations that are not needed any more, except of accounts that are still in use."""
        if not self._held.retired:
            return
        held = self._held
        ours = {held.account.sub if held.account else "", held.offered.account.sub if held.offered else ""}
        for grant in held.retired:
            if grant.account.sub not in ours and not await self.holding.others_use(grant.account.sub):
                with contextlib.suppress(MustReconnect, Refused):  # then it is worth nothing already
                    await self.access.revoke(grant.tokens)
        await self.holding.save(retired=())

    # The connection

    async def check_connection(self, answers: int | None = None) -> None:
        """Ask the calendar service how the profile and the calendar are. Nothing else ever changes the status.

        `answers`: an authorization, by its revision. Then it is told even if nothing has changed.
        """
        held = self._held if answers is None else replace(self._held, connected_revision=answers)
        try:
            info = await self.access.userinfo()
        except MustReconnect as error:
            await self._became(replace(held, status=Status.NOT_CONNECTED, reason=error.reason))
            return
        profile = self._profile(info)
        reason = _profile_trouble(profile)
        calendars = await self._calendars() if reason is None else self._held.calendars
        reason = reason or self._calendar_trouble(calendars)
        channel_id = self._held.channel_id
        if reason is Reason.PENDING_INITIAL_SYNC and channel_id is None:
            # Its end is announced on a channel, unless it comes before the channel: so it is asked for as well.
            channel_id = (await self.access.create_channel(None)).channel_id
        now = replace(
            held,
            relink_url=profile.relink_url if profile else None,
            calendars=calendars,
            channel_id=channel_id,
            time_zone=self._held.time_zone or info.time_zone,
        )
        if reason is None and now.reason is Reason.PROVIDER_ERROR:
            await self.holding.become(replace(now, probe_at=None))
            return
        status = Status.CONNECTED if reason is None else Status.NOT_CONNECTED
        await self._became(replace(now, status=status, reason=reason or Reason.IN_SYNC))

    async def provider_failed(self) -> None:
        """The profile counts as connected, and yet the provider does not let the calendar service write."""
        await self._became(replace(self._held, status=Status.NOT_CONNECTED, reason=Reason.PROVIDER_ERROR))

    async def worked(self) -> None:
        """Work came to an end. If it was on trial, the provider works again."""
        if self.on_trial:
            await self._became(replace(self._held, status=Status.CONNECTED, reason=Reason.IN_SYNC))

    async def _calendars(self) -> tuple[CalendarInfo, ...]:
        """List the calendars of the profile. Others may be somebody else's, who uses the same browser."""
        account = self._held.account
        found = await self.access.calendars()
        return tuple(one for one in found if account is None or one.profile_id in {"", account.profile_id})

    async def trouble(self) -> Reason | None:
        """Ask anew how the profile and the calendar are. Returns what is wrong."""
        await self.check_connection()
        return None if self._held.status is Status.CONNECTED else self._held.reason

    def _profile(self, info: UserInfo) -> ProfileInfo | None:
        account = self._held.account
        ours = [profile for profile in info.profiles if account and profile.profile_id == account.profile_id]
        return ours[0] if ours else None

    def _calendar_trouble(self, calendars: tuple[CalendarInfo, ...]) -> Reason | None:
        settings = self.holding.integration.wanted.settings
        if settings is None:
            return None
        chosen = [calendar for calendar in calendars if calendar.calendar_id == settings.calendar_id]
        if not chosen or chosen[0].deleted:
            return Reason.CALENDAR_MISSING
        return Reason.CALENDAR_READ_ONLY if chosen[0].read_only else None

    async def _became(self, now: Held) -> None:
        """Save a new state of the connection, and tell if it differs."""
        before, at = self._held, self.clock.now()
        connected = now.status is Status.CONNECTED
        changed = (before.status, before.reason) != (now.status, now.reason)
        told = changed or now.connected_revision != before.connected_revision
        if connected and told:
            found = outcomes.calendars_found(self.holding, now, at)
            await self.outcomes.publish([outcomes.connected(self.holding, at), found])
            now = replace(now, turns=before.turns + 1)
        elif told:
            await self.outcomes.publish([outcomes.disconnected(self.holding, now, at)])
            now = replace(now, turns=before.turns + 1)
        wait = _LOOK_AGAIN if now.reason is Reason.PENDING_INITIAL_SYNC else _PROBE
        asking = not connected and now.tokens is not None and now.offered is None
        again = connected and changed and self._configured
        now = replace(now, probe_at=at + wait if asking else None, unread=now.unread or again)
        await self.holding.become(now)

    # Configure, list

    async def _configure(self, wish: SettingsWish) -> None:
        # The channel comes before the cursor, so that nothing falls between the two.
        channel = await self.access.create_channel(wish.calendar_id)
        held = self._held
        if held.channel_id not in {None, channel.channel_id}:
            await self.access.close_channel(str(held.channel_id))
        at = self.clock.now()
        since = channel.as_of or at
        await self.outcomes.publish([outcomes.configured(self.holding, wish.revision, wish.calendar_id, at)])
        other = held.calendar_id != wish.calendar_id
        moved = other and bool(held.calendar_id)
        former = [one for one in held.former if one != wish.calendar_id]
        former += [held.calendar_id] if moved and wish.remove_former else []
        await self.holding.save(
            configured_revision=wish.revision,
            channel_id=channel.channel_id,
            calendar_id=wish.calendar_id,
            audit=Audit() if moved else held.audit,
            cursor=since if moved else held.cursor or since,
            linked_since=since if moved else held.linked_since or since,
            surveyed=held.surveyed and not other,
            revising=True,
            former=tuple(former),
        )

    async def renew_channel(self) -> bool:
        """Open the notification channel again if it was closed. Whether it was."""
        settings = self.holding.integration.wanted.settings
        assert settings is not None, "only a configured integration has a channel"
        channel = await self.access.create_channel(settings.calendar_id)
        if channel.channel_id == self._held.channel_id:
            return False
        former = self._held.channel_id
        await self.holding.save(channel_id=channel.channel_id)
        return former is not None

    async def _list_calendars(self, revision: int) -> None:
        calendars = await self._calendars()
        now = replace(self._held, calendars=calendars, listed_revision=revision)
        await self.outcomes.publish([outcomes.calendars_found(self.holding, now, self.clock.now())])
        await self.holding.become(now)


def _profile_trouble(profile: ProfileInfo | None) -> Reason | None:
    if profile is None:
        return Reason.REVOKED_BY_USER
    if not profile.connected:
        return Reason.REAUTHORISE_NEEDED
    return Reason.PENDING_INITIAL_SYNC if profile.initial_sync_required else None
