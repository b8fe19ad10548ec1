"""Who is signed in: a name that the person gives, and the role of the token that they know.

A session is a sealed cookie, so any worker with the same tokens takes it, none remembers it, and a new token ends it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import orjson
from cryptography.fernet import Fernet, InvalidToken

LASTS: Final = timedelta(hours=12)
"""How long a session lasts."""
LONGEST_NAME: Final = 64


class Role(StrEnum):
    """What somebody may do."""

    READER = "reader"
    """Look."""
    OPERATOR = "operator"
    """Look, and change what operators may change."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `form_key` is in every form that we make for them, so that nobody else makes one."""

    who: str
    role: Role
    form_key: str

    @property
    def may_act(self) -> bool:
        """Whether they may change something."""
        return self.role is Role.OPERATOR


class Sessions:
    """Lets people in. `tokens`: of each role that there is one for."""

    def __init__(self, tokens: Mapping[Role, str]) -> None:
        self._tokens = dict(tokens)

    def enter(self, who: str, token: str, form_key: str) -> Session | None:
        """Let somebody in who knows a token and says who they are; None if they do not. The stronger role counts."""
        who = " ".join(who.split())
        if not who or len(who) > LONGEST_NAME or not who.isprintable():
            return None
        known = [role for role, ours in self._tokens.items() if _same(token, ours)]
        if not known:
            return None
        return Session(who, Role.OPERATOR if Role.OPERATOR in known else Role.READER, form_key)

    def seal(self, session: Session, now: int) -> str:
        """Return a session as a cookie's value. `now`: seconds since 1970."""
        values = orjson.dumps([session.who, session.role, session.form_key])
        return self._key(session.role).encrypt_at_time(values, now).decode()

    def unseal(self, cookie: str, now: int) -> Session | None:
        """Return the session that a cookie's value holds; None if it is not ours, or over."""
        for role in self._tokens:
            try:
                opened = self._key(role).decrypt_at_time(cookie, int(LASTS.total_seconds()), now)
            except InvalidToken:
                continue
            who, sealed_for, form_key = orjson.loads(opened)
            return Session(who, role, form_key) if sealed_for == role else None
        return None

    def _key(self, role: Role) -> Fernet:
        digest = hashlib.sha256(f"calsync console {role} {self._tokens[role]}".encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))


def same_form(session: Session, key: str) -> bool:
    """Whether a form was made by us, for this session."""
    return _same(key, session.form_key)


def _same(given: str, ours: str) -> bool:
    """Compare in a time that tells nothing. An empty secret is nobody's."""
    return bool(ours) and hmac.compare_digest(given.encode(), ours.encode())
