"""How Cronofy's ids and secrets look."""

from __future__ import annotations

import string
from typing import Final

from sandbox.clock import Chance
from sandbox.cronofy.model.event import EXTERNAL_PREFIX

_LETTERS: Final = string.ascii_letters + string.digits


def account_id(chance: Chance) -> str:
    """Name an account: its `sub`."""
    return f"acc_{chance.hexadecimal(24)}"


def profile_id(chance: Chance) -> str:
    """Name a profile."""
    return f"pro_{chance.string(_LETTERS, 12)}"


def calendar_id(chance: Chance) -> str:
    """Name a calendar. Real ones contain characters that need care in paths, so these do."""
    first, second, third, fourth = (chance.string(_LETTERS, length) for length in (10, 5, 12, 6))
    return f"cal_{first}@{second}_{third}-{fourth}"


def external_uid(chance: Chance) -> str:
    """Name an event that a person made."""
    return f"{EXTERNAL_PREFIX}{chance.hexadecimal(24)}"


def managed_uid(chance: Chance) -> str:
    """Name an event that the application made."""
    return f"evt_{chance.hexadecimal(24)}"


def channel_id(chance: Chance) -> str:
    """Name a notification channel."""
    return f"chn_{chance.hexadecimal(24)}"


def page_id(chance: Chance) -> str:
    """Name a page of a read."""
    return chance.hexadecimal(16)


def secret(chance: Chance) -> str:
    """Make a code or token."""
    return chance.string(_LETTERS, 32)
