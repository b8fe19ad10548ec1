from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from adapters.mongodb.vault import new_key
from cli.failing import exit_code
from cli.main import app_for

SECRET: Final = "s3cr3t-of-somebody"
WHOLE: Final[Mapping[str, str]] = {
    "CALSYNC_RABBITMQ_URL": f"amqp://calsync:{SECRET}@127.0.0.1:1/",
    "CALSYNC_MONGODB_URL": f"mongodb://calsync:{SECRET}@127.0.0.1:1/?serverSelectionTimeoutMS=100",
    "CALSYNC_CRONOFY_API_URL": "https://api.cronofy.com",
    "CALSYNC_CRONOFY_CLIENT_ID": "the-client",
    "CALSYNC_CRONOFY_CLIENT_SECRETS": f"{SECRET}-1,{SECRET}-2",
    "CALSYNC_CRONOFY_CALLBACK_URL": "https://relay.example/notifications",
    "CALSYNC_PSA_API_URL": "https://psa.example",
    "CALSYNC_PSA_CLIENT_ID": "calsync",
    "CALSYNC_PSA_CLIENT_SECRET": SECRET,
    "CALSYNC_ENCRYPTION_KEYS": new_key(),
}
"""All that a worker must be told; the systems are not there."""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Calsync = Callable[..., Ran]


@pytest.fixture
def calsync(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Calsync:
    """Type a command, with just these variables set."""
    for name in [name for name in os.environ if name.startswith("CALSYNC_")]:  # noqa: TID251 - to be forgotten
        monkeypatch.delenv(name)

    def typed(*words: str, **variables: str) -> Ran:
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.StringIO())  # nobody answers
            capsys.readouterr()
            code = exit_code(lambda: app_for(words)(list(words), prog_name="calsync", standalone_mode=False))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return typed
