"""The certificates that HTTPS connections trust."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Load them once: that takes longer than anything else in opening a client, used or not."""
    return httpx.create_ssl_context()
