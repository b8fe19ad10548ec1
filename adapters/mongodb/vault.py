"""Secrets at rest: encrypted with a rotating list of keys, and bound to the integration they belong to."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from events.failures import Misconfigured
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Vault:
    """Encrypts with the first key and decrypts with any, so that a new key can be put in front of the old ones."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises `Misconfigured` unless there is at least one key and all are Fernet keys."""
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
            self._keys = [key.encode() for key in keys]
        except (ValueError, TypeError) as error:
            hint = "an encryption key is 32 bytes in URL-safe base64; `calsync keys new` makes one"
            raise Misconfigured(Reason.BAD_SETTINGS, hint) from error

    def seal(self, owner: str, secrets: Mapping[str, str]) -> bytes:
        """Encrypt `secrets` for one owner. Fernet has no associated data, so the owner is part of the plaintext."""
        return self._fernet.encrypt(json.dumps({"owner": owner, "secrets": dict(secrets)}).encode())

    def open(self, owner: str, sealed: bytes) -> dict[str, str]:
        """Decrypt what was sealed for this owner.

        Raises `Misconfigured` if no key fits, or if it was sealed for somebody else.
        """
        try:
            content = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise Misconfigured(Reason.BAD_SETTINGS, "no encryption key fits what is stored") from error
        if content["owner"] != owner:
            raise Misconfigured(Reason.BAD_SETTINGS, "a secret was stored for another integration")
        return {str(name): str(value) for name, value in content["secrets"].items()}

    def reseal(self, owner: str, sealed: bytes) -> bytes | None:
        """Seal under the key in front what another one sealed; None if that is the one already.

        Raises `Misconfigured` if no key fits.
        """
        try:
            Fernet(self._keys[0]).decrypt(sealed)
        except (InvalidToken, TypeError):
            self.open(owner, sealed)
            return self._fernet.rotate(sealed)
        return None

    def fingerprints(self, name: str) -> list[str]:
        """Return keyed hashes of a name, one for each key: nobody without a key can tell which name it was."""
        return [hmac.new(key, name.encode(), hashlib.sha256).hexdigest() for key in self._keys]


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()
