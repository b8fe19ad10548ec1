"""The user at the PSA's Calendar Sync page: changes settings, switches off and on, picks another calendar, deletes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from events.calendar import CalendarWrite, PutEventWrite
from events.integration import CalendarInfo
from events.outcomes import Deleted, Outcome, Switched
from events.psa import (
    Activate,
    Configure,
    ConfigureData,
    Deactivate,
    Delete,
    DeleteData,
    EraseUser,
    ExportUser,
    ExportUserData,
    Inbound,
    IntegrationData,
    Outbound,
    UserData,
)
from tests.memory.access import ACCOUNT
from tests.memory.calendar import CALENDAR_ID
from tests.simulation.people import Action
from tests.simulation.world import INTEGRATION, USER, World
from worker.intake.wishes import WishEvent

OTHERS: Final = ("cal_2", "cal_3")
_ALL_IN: Final = Inbound(create=True, update=True, delete=True)
_WHOSE: Final = UserData(tenant_id=1, user_id=USER)
_ALL_OUT: Final = Outbound(appointments=True, crm_activities=True, service_calls=True, tasks=True, todos=True)


@dataclass
class Wizard:
    """Presses buttons, and watches that nothing is written that the newest acknowledged settings do not allow."""

    random: Random
    world: World
    always_removes: bool = False
    """Whether copies are to be removed from each calendar that is left."""
    calendar_id: str = CALENDAR_ID
    active: bool = True
    inbound: Inbound = _ALL_IN
    outbound: Outbound = _ALL_OUT
    wrong: list[str] = field(default_factory=list[str])
    _revision: int = 1
    _off: bool = False
    _gone: bool = False

    def __post_init__(self) -> None:
        world = self.world
        world.access.others = tuple(CalendarInfo(one, one, ACCOUNT.profile_id) for one in OTHERS)
        world.calendar.on_write = self._calendar_written
        world.platform.on_write = self._written
        world.on_outcome = self._told

    # Buttons

    def plan(self, edits: Sequence[Action], presses: int) -> list[Action]:
        """Mix presses into edits; at the end everything is ticked and switched on."""
        plan = list(edits)
        for _ in range(presses):
            plan.insert(self.random.randint(0, len(plan)), self.press)
        return [*plan, self.tick_everything, self.switch_on]

    def press(self, world: World) -> None:
        """Press any button but Delete; sometimes two in quick succession."""
        buttons = [self.switch_off, self.switch_on, self.tick_anew, self.tick_anew, self.pick_another]
        for _ in range(self.random.choice((1, 1, 2))):
            self.random.choice(buttons)(world)

    def switch_off(self, world: World) -> None:
        """Active off."""
        self.active = False
        world.wish(self._event(Deactivate, IntegrationData, "deactivate"))

    def switch_on(self, world: World) -> None:
        """Active on."""
        self.active = True
        world.wish(self._event(Activate, IntegrationData, "activate"))

    def tick_anew(self, world: World) -> None:
        """Set other ticks."""
        chance = self.random.random
        self.inbound = Inbound(create=chance() < 0.7, update=chance() < 0.5, delete=chance() < 0.5)
        self.outbound = Outbound(appointments=chance() < 0.6, service_calls=chance() < 0.6)
        self.save(world)

    def tick(self, inbound: Inbound) -> None:
        """Set these ticks for what comes in."""
        self.inbound = inbound
        self.save(self.world)

    def tick_everything(self, world: World) -> None:
        """Set all ticks."""
        self.inbound, self.outbound = _ALL_IN, _ALL_OUT
        self.save(world)

    def pick_another(self, world: World) -> None:
        """Pick a calendar that was never linked before."""
        left = [one for one in OTHERS if one > self.calendar_id]
        if left:
            self.calendar_id = world.calendar.home = left[0]
            self.save(world)

    def delete(self, world: World) -> None:
        """Delete the integration, and have all copies removed."""
        world.wish(self._event(Delete, DeleteData, "delete", remove_events=True))

    def delete_only(self, world: World) -> None:
        """Delete the integration, and leave the copies where they are."""
        world.wish(self._event(Delete, DeleteData, "delete"))

    def erase(self, world: World) -> None:
        """Ask that nothing be known of the user any more."""
        world.wish(EraseUser(specversion="1.0", id="erase", source="psa", type="psa.user.erase.v1", data=_WHOSE))

    def export(self, world: World) -> None:
        """Ask for everything that is known of the user."""
        data = ExportUserData(tenant_id=1, user_id=USER, request_id="request-1")
        world.wish(ExportUser(specversion="1.0", id="export", source="psa", type="psa.user.export.v1", data=data))

    def save(self, world: World) -> None:
        """Finish the wizard."""
        removes = self.always_removes or self.random.random() < 0.5
        fields = {"calendar_id": self.calendar_id, "inbound": self.inbound, "outbound": self.outbound}
        world.wish(self._event(Configure, ConfigureData, "configure", **fields, remove_former=removes))

    def _event(self, kind: type[Any], data: type[IntegrationData], verb: str, **fields: Any) -> WishEvent:
        self._revision += 1
        whose: dict[str, Any] = {
            "tenant_id": 1,
            "user_id": USER,
            "integration_id": INTEGRATION,
            "revision": self._revision,
        }
        event: WishEvent = kind(
            specversion="1.0",
            id=str(self._revision),
            source="psa",
            type=f"psa.integration.{verb}.v1",
            data=data(**whose, **fields),
        )
        return event

    # What must never happen

    def _told(self, outcome: Outcome) -> None:
        match outcome:
            case Switched(data=data):
                self._off = not data.active
            case Deleted():
                self._gone = True
            case _:
                pass

    def _written(self) -> None:
        row = self.world.integrations.rows.get(INTEGRATION)
        leaving = row is None or row.integration.wanted.deletion is not None
        if self._off and not leaving:
            self.wrong.append("something was written after it was acknowledged that it is off\n" + self.world.story())
        if self._gone:
            self.wrong.append("something was written after the integration was gone\n" + self.world.story())

    def _calendar_written(self, writes: Sequence[CalendarWrite]) -> None:
        self._written()
        row = self.world.integrations.rows.get(INTEGRATION)
        settings = row.integration.wanted.settings if row is not None else None
        if settings is None:
            return  # it was erased, and that is looked at above
        astray = {one.event.calendar_id for one in writes if isinstance(one, PutEventWrite)} - {settings.calendar_id}
        if astray:
            self.wrong.append(f"written into {astray} instead of {settings.calendar_id}\n" + self.world.story())
