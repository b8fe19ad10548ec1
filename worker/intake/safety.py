"""How long intake trusts a wake-up to arrive."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SAFETY_NET: Final = timedelta(seconds=15)
"""What intake stores becomes due so much later. By then its wake-up has come; if it was lost, the sweeper wakes."""
