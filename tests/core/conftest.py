"""Property tests run the same examples everywhere, in CI and at hand, however slow the machine is just then."""

from __future__ import annotations

from hypothesis import settings

settings.load_profile("ci")
