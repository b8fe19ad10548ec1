"""Between what bounds ids of tenants and users lie, as in every message (`events.contract.Int32`)."""

from __future__ import annotations

from typing import Final

LEAST_ID: Final = -(2**31)
LARGEST_ID: Final = 2**31 - 1
