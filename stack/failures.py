"""What can go wrong with the services, named by what must happen next."""

from __future__ import annotations

from typing import Final

EXIT_CODE: Final = 2
"""What a command ends with when it met `Unavailable`."""


class Unavailable(Exception):
    """The services cannot be had here. The message tells a person what is missing and what to do."""


class NotOurs(Exception):
    """The service was given to us by its URL: it is not ours to stop or to start."""


class OwnerGone(Exception):
    """Whoever we keep the services for has ended: end too."""
