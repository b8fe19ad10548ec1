"""Everything that can go wrong, named by what must happen next.

::

    SyncError                 reason: a code of `events.reasons.Reason`; detail: words for a person, no private text
    ├── TryLater              an outage: nobody's fault, tried again with backoff for as long as it lasts
    │   └── RateLimited       the other side asks for fewer requests
    ├── MustReconnect         only the calendar's owner can help, by linking the calendar again
    ├── Refused               the other side will not take this; a person must look; siblings go on
    ├── Gone                  what was addressed is not there (any more)
    ├── TokenRejected         our access token is not taken (any more): refresh it once, try once more
    ├── Stale                 this work is no longer ours: fence lost, or settings changed meanwhile
    ├── Malformed             a message that can never be understood
    ├── NotUnderstood         a newer version of this program has stored this: it is left alone
    └── Misconfigured         the operator must change a setting

Raised by adapters, always from their cause. Absence is `None`, never an error, and deleting what is gone is success.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from events.reasons import Reason


class System(StrEnum):
    """A system that can be away."""

    CRONOFY = "cronofy"
    PSA = "psa"
    STORE = "mongodb"
    BROKER = "rabbitmq"


class SyncError(Exception):
    """A failure with a reason code. `detail` is safe to log: it holds no secret and no private text."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.call = ""
        """The HTTP request that failed: method, route without ids, status if there was one."""


class TryLater(SyncError):
    """`system` is away or stumbling. `retry_after`: seconds it asked us to wait, if it did."""

    def __init__(self, system: System, reason: Reason, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(reason, detail)
        self.system = system
        self.retry_after = retry_after


class RateLimited(TryLater):
    """`system` answered 429, or our own budget for it is used up."""


class MustReconnect(SyncError):
    """The authorization to the calendar no longer works, and no retry will change that."""


class Refused(SyncError):
    """The request was understood and will not be carried out, now or when repeated."""


class Gone(SyncError):
    """The thing addressed does not exist there."""


class TokenRejected(SyncError):
    """The access token was not recognized: expired, revoked, or of another data centre."""


class Stale(SyncError):
    """A newer holder of the lease, or newer settings, took over. Drop the work, acknowledge, say so in the log."""


class Malformed(SyncError):
    """A message that breaks its contract. It is set aside at once with this reason."""


class NotUnderstood(SyncError):
    """What is stored makes no sense to this version of the program. Leave it to one that knows more."""


class Misconfigured(SyncError):
    """A setting is missing or contradicts another one."""
