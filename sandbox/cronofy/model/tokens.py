"""Codes, access tokens and refresh tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sandbox.clock import Chance
from sandbox.cronofy.model import ids
from sandbox.cronofy.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Code:
    """A person's consent, to be exchanged once. Without `redirect_uri` any one will do."""

    sub: str
    profile_id: str
    scope: str
    redirect_uri: str | None
    expires: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What one exchange or refresh gave."""

    sub: str
    scope: str
    access_token: str
    refresh_token: str
    expires: datetime


class Tokens:
    """All that was issued and is not used up or revoked."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}

    def issue_code(self, code: Code) -> str:
        """Give out a code."""
        text = ids.secret(self._chance)
        self._codes[text] = code
        return text

    def exchange(
        self, text: str, redirect_uri: str | None, now: datetime, settings: Settings
    ) -> tuple[Code, Grant] | None:
        """Use a code up. None: unknown, used, too old, or meant for another address."""
        code = self._codes.pop(text, None)
        if code is None or code.expires <= now or code.redirect_uri not in {None, redirect_uri}:
            return None
        return code, self._issue(code.sub, code.scope, ids.secret(self._chance), now, settings)

    def refresh(self, refresh_token: str, now: datetime, settings: Settings) -> Grant | None:
        """Renew an access token, or return the present one while it has long enough to live. None: revoked."""
        grant = self._by_refresh.get(refresh_token)
        if grant is None:
            return None
        if (grant.expires - now).total_seconds() >= settings.same_token_above:
            return grant
        if settings.refresh_token_rotates:
            del self._by_refresh[refresh_token]
            refresh_token = ids.secret(self._chance)
        return self._issue(grant.sub, grant.scope, refresh_token, now, settings)

    def find(self, access_token: str, now: datetime) -> Grant | None:
        """Find a grant that is still good."""
        grant = self._by_access.get(access_token)
        return grant if grant is not None and now < grant.expires else None

    def owner(self, token: str) -> str | None:
        """Tell whose token of either kind this is."""
        grant = self._by_refresh.get(token) or self._by_access.get(token)
        return grant.sub if grant else None

    def revoke(self, sub: str) -> None:
        """End an account's authorization: every token and code of it."""
        self._by_access = {text: grant for text, grant in self._by_access.items() if grant.sub != sub}
        self._by_refresh = {text: grant for text, grant in self._by_refresh.items() if grant.sub != sub}
        self._codes = {text: code for text, code in self._codes.items() if code.sub != sub}

    def expire(self, sub: str, now: datetime) -> None:
        """Let an account's access tokens run out; its refresh tokens stay good."""
        for tokens in (self._by_access, self._by_refresh):
            tokens.update({text: replace(grant, expires=now) for text, grant in tokens.items() if grant.sub == sub})

    def active(self, sub: str) -> bool:
        """Tell whether an account has an authorization."""
        return any(grant.sub == sub for grant in self._by_refresh.values())

    def _issue(self, sub: str, scope: str, refresh_token: str, now: datetime, settings: Settings) -> Grant:
        expires = now + timedelta(seconds=settings.token_lifetime)
        grant = Grant(sub, scope, ids.secret(self._chance), refresh_token, expires)
        self._by_access[grant.access_token] = grant
        self._by_refresh[grant.refresh_token] = grant
        return grant
