"""Addresses that clients name."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_web_address(url: str) -> bool:
    """Tell whether something can be requested there."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # a senseless one shows only when it is asked for
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
