"""Who owns what, and what becomes of a value that lost: told, on record, and had back on request."""

from __future__ import annotations
