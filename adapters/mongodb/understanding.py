"""Documents of a newer version of this program, read by an older one while both run.

Fields that are not known are passed over, and every write names the fields that it changes. A document that makes no
sense without what is new in it is left alone, for whoever knows more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final, TypeVar

import structlog

from events.failures import NotUnderstood
from events.reasons import Reason

Document = dict[str, Any]
T = TypeVar("T")

LATER: Final = timedelta(minutes=1)
"""After which somebody who knows more may have a look at it."""


def known(kind: type[Any], document: Document) -> Document:
    """Return those parts of a document that a dataclass knows."""
    return {field.name: document[field.name] for field in fields(kind) if field.name in document}


def understood(document: Document, read: Callable[[Document], T]) -> T:
    """Read a document. Raises `NotUnderstood` if it makes no sense."""
    try:
        return read(document)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        # Its own words could quote what is stored.
        raise NotUnderstood(Reason.NOT_UNDERSTOOD, f"{document['_id']}: {type(error).__name__}") from None


def all_understood(documents: Iterable[Document], read: Callable[[Document], T]) -> list[T]:
    """Read documents; leave those out that make no sense, and say so in the log."""
    found: list[T] = []
    for document in documents:
        try:
            found.append(understood(document, read))
        except NotUnderstood as error:
            say(error)
    return found


def say(error: Exception) -> None:
    """Say in the log what was left alone."""
    structlog.get_logger().warning("document_left_alone", why=str(error))
