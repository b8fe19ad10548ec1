"""What becomes of a request."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What the sender is told: an HTTP status and a short text. On anything but 2xx Cronofy tries again for a day."""

    RELAYED = 204, ""
    UNSIGNED = 401, "The request is not signed."
    FORGED = 403, "The signature does not match."
    TOO_LARGE = 413, "The request is too large."
    LATER = 503, "Not now; please try again."

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The body."""
        return self.value[1]
