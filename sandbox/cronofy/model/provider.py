"""How the calendar providers differ, and what each makes of the text and times it is given.

Rewriting comes in two kinds. *Settling*: given its own output again, a provider leaves it alone. *Growing*: it does
not, so that whoever writes back what it reads makes the text longer every time.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import Final

from sandbox.cronofy.model.draft import Draft
from sandbox.cronofy.model.event import Location
from sandbox.cronofy.model.moments import ETC_UTC, Day, Instant, Moment
from sandbox.cronofy.model.settings import Service, Settings


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's ways. `name` is Cronofy's `provider_name`; several services share one."""

    name: str
    reminders: int
    keeps_zone: bool
    keeps_url: bool
    drops_declined: bool = False
    """Whether declining an invitation takes it out of the calendar."""
    same_names: bool = False
    """Whether two calendars may have the same name."""
    whole_minutes: bool = False


GOOGLE: Final = Provider("google", reminders=5, keeps_zone=True, keeps_url=True, same_names=True)
EXCHANGE: Final = Provider("exchange", reminders=1, keeps_zone=False, keeps_url=False, drops_declined=True)
OUTLOOK_COM: Final = Provider("live_connect", reminders=1, keeps_zone=False, keeps_url=False)
ICLOUD: Final = Provider("apple", reminders=5, keeps_zone=True, keeps_url=True, whole_minutes=True)


def provider_of(service: Service) -> Provider:
    """Look up a service's ways."""
    match service:
        case Service.GOOGLE | Service.GSUITE:
            return GOOGLE
        case Service.OFFICE365 | Service.EXCHANGE:
            return EXCHANGE
        case Service.OUTLOOK_COM:
            return OUTLOOK_COM
        case Service.ICLOUD:
            return ICLOUD


def service_called(provider_name: str) -> Service:
    """Choose the service for a `provider_name` of the authorization page; unknown ones are Google."""
    names = {
        "apple": Service.ICLOUD,
        "exchange": Service.EXCHANGE,
        "office365": Service.OFFICE365,
        "live_connect": Service.OUTLOOK_COM,
    }
    return names.get(provider_name, Service.GOOGLE)


def rewrite(draft: Draft, service: Service, settings: Settings) -> Draft:
    """Return what the provider makes of a draft: fields it cannot keep are dropped, text and times are rewritten."""
    provider = provider_of(service)
    rewrites = settings.rewriting != "off"
    keeps_zone = settings.zones == "kept" or (settings.zones == "provider" and provider.keeps_zone)
    whole_minutes = rewrites and provider.whole_minutes
    return replace(
        draft,
        summary=" ".join(draft.summary.split()) if rewrites else draft.summary,
        description=_description(draft.description, service, settings) if rewrites else draft.description,
        location=_trimmed(draft.location) if rewrites else draft.location,
        start=_kept(draft.start, keeps_zone=keeps_zone, whole_minutes=whole_minutes),
        end=_kept(draft.end, keeps_zone=keeps_zone, whole_minutes=whole_minutes),
        reminders=draft.reminders[: provider.reminders],
        url=draft.url if provider.keeps_url else None,
    )


def _kept(moment: Moment | None, *, keeps_zone: bool, whole_minutes: bool) -> Moment | None:
    match moment:
        case Instant(time=time, tzid=tzid):
            return Instant(time.replace(second=0) if whole_minutes else time, tzid if keeps_zone else ETC_UTC)
        case Day(date=day, tzid=tzid):
            return Day(day, tzid if keeps_zone else ETC_UTC)
        case None:
            return None


def _trimmed(location: Location | None) -> Location | None:
    return None if location is None else replace(location, description=location.description.strip())


def _description(text: str, service: Service, settings: Settings) -> str:
    growing = settings.rewriting == "growing"
    if not text:
        return text
    match service:
        case Service.GOOGLE | Service.GSUITE:
            return _google_growing(text) if growing else _google(text)
        case Service.OFFICE365 | Service.EXCHANGE | Service.OUTLOOK_COM:
            return _microsoft(text, MEETING_BLOCK if settings.conference_block else "", growing=growing)
        case Service.ICLOUD:
            return _icloud_growing(text) if growing else _icloud(text)


_HTML: Final = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-z]+|#\d+);")
_LINK: Final = re.compile(r"https?://[^\s<>\"]+")


def _google(text: str) -> str:
    """Plain text becomes HTML; what is HTML already stays."""
    return text.strip() if _HTML.search(text) else _google_growing(text.strip())


def _google_growing(text: str) -> str:
    linked = _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', html.escape(text, quote=False))
    return linked.replace("\r\n", "\n").replace("\n", "<br>")


MEETING_BLOCK: Final = (
    "________________________________________________________________________________\r\n"
    "Microsoft Teams meeting\r\n"
    "Join: https://teams.microsoft.example/l/meetup-join/19%3ameeting\r\n"
    "________________________________________________________________________________"
)


def _microsoft(text: str, block: str, *, growing: bool) -> str:
    """Lines end in CRLF and the text in a blank and one more line; an online meeting adds its block."""
    lines = text.replace("\r\n", "\n")
    body = (lines if growing else lines.rstrip()).replace("\n", "\r\n")
    if block and (growing or block not in body):
        body = f"{body}\r\n{block}"
    return f"{body} \r\n"


def _icloud(text: str) -> str:
    """Blanks around are dropped, double ones become a blank and one that does not break."""
    return text.strip(" \r\n\t").replace("  ", " \N{NO-BREAK SPACE}")


def _icloud_growing(text: str) -> str:
    return f"{_icloud(text)}\N{NO-BREAK SPACE}"
