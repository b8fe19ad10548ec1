"""What the calendar API is sent, exactly as its OpenAPI document says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from events.contract import Contract, Int32
from events.items import ItemType
from sandbox.psa.model.refusal import Code, Refusal, problems

_RFC_3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}")


def _written_out(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.match(value):
        msg = "should be RFC 3339 with an offset"  # pydantic would take a number of seconds, too
        raise ValueError(msg)
    return value


Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out)]


class Body(Contract):
    """Named in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class SignIn(Body):
    """Form of `authenticate`."""

    grant_type: Literal["client_credentials"]
    client_id: str
    client_secret: str = Field(repr=False)
    tenant: str


class Exchange(Body):
    """Form of `refreshToken`."""

    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)


class Listing(Body):
    """Query of `listItems`."""

    user_id: Int32
    start: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    item_types: Annotated[str, Field(pattern=rf"^({'|'.join(ItemType)})(,({'|'.join(ItemType)}))*$")] | None = None
    page_number: int = Field(default=1, ge=1)
    page_size: int = Field(default=100, ge=1, le=200)


class Part(Body):
    """Query of whatever addresses one item."""

    part_id: str | None = None


class Reference(Body):
    """Query of `findAppointment`."""

    external_reference: str


class Deletion(Part):
    """Query of `deleteAppointment`."""

    revision: int


class NewAppointment(Body):
    """Body of `createAppointment`."""

    external_reference: str = Field(max_length=255)
    user_id: Int32
    time_zone: str | None = None
    subject: str
    description: str | None = None
    location: str | None = None
    all_day: bool = False
    start: Instant | None = None
    end: Instant | None = None
    start_date: date | None = None
    end_date: date | None = None
    is_private: bool = False


class NewAppointments(Body):
    """Body of `createAppointments`. Each entry is judged by itself."""

    appointments: tuple[dict[str, JsonValue], ...] = Field(min_length=1, max_length=100)


Changes = TypedDict(
    "Changes",
    {
        "subject": str,
        "description": str | None,
        "location": str | None,
        "isPrivate": bool,
        "allDay": bool,
        "startDate": date | None,
        "endDate": date | None,
        "start": Instant | None,
        "end": Instant | None,
        "date": Instant,
        "due": Instant,
        "from": Instant,
        "to": Instant,
    },
    total=False,
)
with_config(ConfigDict(extra="allow", strict=True))(Changes)


class Edit(Body):
    """Body of `changeItem`. Changes of other names are kept, to be refused by name."""

    revision: int
    changes: Annotated[Changes, Field(min_length=1)]


B = TypeVar("B", bound=Body)


def from_query(kind: type[B], query: Mapping[str, str]) -> B:
    """Parse a query. Raises `Refusal` as malformed."""
    try:
        return kind.model_validate_strings(dict(query))
    except ValidationError as error:
        raise Refusal(Code.MALFORMED, problems(error)) from error


def from_form(kind: type[B], body: bytes) -> B:
    """Parse a form. Raises `Refusal` as malformed."""
    return from_query(kind, dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True)))


def from_json(kind: type[B], body: bytes) -> B:
    """Parse a JSON body. Raises `Refusal` as malformed."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(Code.MALFORMED, problems(error)) from error
