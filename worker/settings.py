"""What can be set for a worker. See `adapters.process.environment` for how it is read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from adapters.cronofy.portal import app_url_of
from adapters.mongodb.driver import Driver
from adapters.process.endpoints import CaFile, HttpUrl, ManagedBroker, MongoUrl, with_parameter
from adapters.process.environment import FromEnvironment, Secrets
from events.lanes import Allowance

ConsoleToken = Annotated[SecretStr | None, Field(min_length=24)]
"""Long enough that nobody guesses it."""


class Store(FromEnvironment):
    """What every command needs that touches the store."""

    mongodb_url: MongoUrl
    """`mongodb://` or `mongodb+srv://`. A replica set or a sharded cluster; `tls=true` among its parameters."""
    mongodb_ca_file: CaFile | None = None
    """Certificates (PEM) of those who may vouch for MongoDB. Without it, those whom the system trusts."""
    mongodb_database: str = Field(default="calsync", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")
    """The database to use."""
    mongodb_driver: Driver = Driver.PYMONGO
    """`pymongo` for PyMongo's own asynchronous client, or `motor`, which is past its end of life."""
    dead_letters_keep_days: int = Field(default=90, ge=1)
    """How long a dead letter is kept after it was resolved or discarded. Open ones are kept for ever."""

    @property
    def store_url(self) -> str:
        """The address as the client takes it, password and CA included."""
        return with_parameter(self.mongodb_url, "tlsCAFile", self.mongodb_ca_file)


class Infrastructure(Store, ManagedBroker):
    """What every command needs that touches broker and store."""


class Sealed(Store):
    """What every command needs that opens secrets in the store."""

    encryption_keys: Secrets
    """Comma-separated Fernet keys, the newest first: it seals, all of them open. `calsync keys new` makes one."""


class Settings(Infrastructure, Sealed):
    """Everything that can be set for a worker. What has no default must be."""

    cronofy_api_url: HttpUrl
    """Such as `https://api.cronofy.com`; each data centre has its own."""
    cronofy_ca_file: CaFile | None = None
    """Certificates (PEM) of those who may vouch for Cronofy. Without it, those whom browsers trust."""
    cronofy_app_url: HttpUrl | None = None
    """Where users grant access, such as `https://app.cronofy.com`. Usually known from the address of the API."""
    cronofy_client_id: str = Field(min_length=1)
    """Our application's client id."""
    cronofy_client_secrets: Secrets
    """Comma-separated, the newest first; notifications signed with any of them are accepted."""
    cronofy_callback_url: HttpUrl
    """Where the relay listens, as Cronofy sees it."""
    cronofy_requests_per_second: int = Field(default=50, ge=1)
    """What Cronofy allows the application in a second, over all replicas and tenants."""
    cronofy_requests_per_minute: int = Field(default=500, ge=2)
    """What Cronofy allows the application in a minute."""

    psa_api_url: HttpUrl
    """Where the PSA's calendar API is; paths begin with `/v2/`."""
    psa_ca_file: CaFile | None = None
    """Certificates (PEM) of those who may vouch for the PSA. Without it, those whom browsers trust."""
    psa_client_id: str = Field(min_length=1)
    """What the worker signs in to the PSA with."""
    psa_client_secret: SecretStr
    """What the worker signs in to the PSA with."""

    ops_host: str = "127.0.0.1"
    """Where the worker serves `/livez`, `/readyz` and `/metrics`. `0.0.0.0` in a container."""
    ops_port: int = Field(default=0, ge=0, le=65535)
    """At which port. 0 takes a free one, and the log says which."""
    ops_sample_seconds: float = Field(default=15.0, gt=0, le=600)
    """For how long figures about the whole installation are kept once somebody asked; costly ones four times that."""
    console_reader_token: ConsoleToken = None
    """Opens the console at `/console` for looking. Without any token there is no console. At least 24 characters."""
    console_operator_token: ConsoleToken = None
    """Opens it for those who also replay, edit and discard dead letters. At least 24 characters."""
    traces_endpoint: HttpUrl | None = None
    """A collector that takes traces as OTLP over HTTP, such as `http://localhost:4318`. Needs the extra `otel`."""
    traces_ratio: float = Field(default=1.0, gt=0, le=1)
    """Which part of the traces that begin here is kept. A trace that the PSA began is kept if the PSA keeps it."""
    sweep_seconds: float = Field(default=1.0, gt=0, le=60)
    """How often to look for what is due."""
    integrations_at_once: int = Field(default=16, ge=1, le=500)
    """How many integrations one process works on at the same time."""
    log_keep_days: int = Field(default=90, ge=1)
    """How long entries of the sync log are kept."""
    stop_seconds: float = Field(default=45.0, gt=0)
    """How long to go on with what is under way after SIGTERM."""

    @property
    def portal_url(self) -> str:
        """Where users grant access."""
        return self.cronofy_app_url or app_url_of(self.cronofy_api_url)

    @property
    def allowance(self) -> Allowance:
        """What may be asked of Cronofy."""
        return Allowance(self.cronofy_requests_per_second, self.cronofy_requests_per_minute)
