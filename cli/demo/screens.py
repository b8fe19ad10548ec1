"""What is shown: both calendars side by side, how long things took, what the log says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from rich.console import Console, Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cli.commands.log import log_table
from cli.demo.stage import Stage, moment_of
from events.items import Appointment, CrmActivity, ItemType, ServiceCall, Task, Todo
from events.journal import Entry
from sandbox.cronofy.control.event_messages import EventView
from sandbox.psa.client import PsaItem

_WORDS: Final = {
    ItemType.APPOINTMENT: "Appointment",
    ItemType.CRM_ACTIVITY: "CRM activity",
    ItemType.SERVICE_CALL: "Service call",
    ItemType.TASK: "Task",
    ItemType.TODO: "To-do",
}


class Screens:
    """Shows the story on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self, text: str, *lines: str) -> None:
        """Begin."""
        self._console.print(Panel(Group(*(Text(line) for line in lines)), title=text, title_align="left"))

    def chapter(self, text: str) -> None:
        """Begin a part of the story."""
        self._console.print()
        self._console.print(Rule(Text(text, style="bold"), align="left"))

    def say(self, text: str) -> None:
        """Tell something."""
        self._console.print(Text(text))

    def took(self, what: str, seconds: float) -> None:
        """Tell how long something took."""
        self._console.print(Text(f"  {seconds:5.1f} s   {what}", style="green"))

    async def both_sides(self, stage: Stage) -> None:
        """Show both calendars, an item beside its event."""
        table = Table("PSA: My Calendar", "Linked calendar", expand=True)
        for item, event in await stage.pairs():
            table.add_row(Text(_item_line(item) if item else ""), Text(_event_line(event) if event else ""))
        self._console.print(table)

    def log(self, entries: Sequence[Entry]) -> None:
        """Show lines of the sync log."""
        self._console.print(log_table(entries))


def _item_line(item: PsaItem) -> str:
    return f"{_stamp(moment_of(item)):16}  {_WORDS[item.item_type]}: {_title(item)}"


def _event_line(event: EventView) -> str:
    return f"{_short(event.start):16}  {event.summary}"


def _title(item: PsaItem) -> str:
    match item.facts.item:
        case Appointment(subject=subject):
            return subject
        case CrmActivity(type=kind, subject=subject, account=account):
            return f"{kind}, {subject or account.name}"
        case ServiceCall(ticket=ticket, account=account):
            return f"{ticket.title if ticket else ''} - {account.name}"
        case Task(name=name):
            return name
        case Todo(description=description):
            return description.splitlines()[0][:60]
        case None:
            return ""


def _stamp(moment: datetime | date | None) -> str:
    if isinstance(moment, datetime):
        return f"{moment:%a %d %b %H:%M}"
    return f"{moment:%a %d %b}" if moment else ""


def _short(start: str) -> str:
    return _stamp(datetime.fromisoformat(start) if "T" in start else date.fromisoformat(start))
