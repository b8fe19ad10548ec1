"""Where other systems are: addresses that are checked, and TLS that cannot be weakened by an address.

In plain text we speak to this machine only, unless `allow_plaintext` says that the network keeps others out.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from pydantic import AfterValidator, FilePath, SecretStr, ValidationInfo

from adapters.process.environment import FromEnvironment

_WEAKENING: Final = {
    "no_verify_ssl",
    "tlsinsecure",
    "tlsallowinvalidcertificates",
    "tlsallowinvalidhostnames",
    "tlsdisableocspendpointcheck",
    "ssl_cert_reqs",
}
"""Parameters of an address that switch off, in part or whole, that the other side proves who it is."""
_YES: Final = {"true", "1"}
_NO: Final = {"false", "0"}


def _amqp(url: SecretStr, info: ValidationInfo) -> SecretStr:
    parts = _parts(url.get_secret_value(), "amqp", "amqps")
    _private(info, parts.scheme == "amqps", [parts.hostname or "localhost"], "amqps://")
    return url


def _mongodb(url: SecretStr, info: ValidationInfo) -> SecretStr:
    parts = _parts(url.get_secret_value(), "mongodb", "mongodb+srv")
    asked = {name.lower(): value.lower() for name, value in parse_qsl(parts.query)}
    said = asked.get("tls", asked.get("ssl", "true" if parts.scheme == "mongodb+srv" else "false"))
    hosts = parts.netloc.rpartition("@")[2].split(",")
    _private(info, said in _YES, [_host(each) for each in hosts], "tls=true")
    return url


def _http(url: str, info: ValidationInfo) -> str:
    parts = _parts(url, "http", "https")
    if not parts.hostname:
        raise ValueError("names no host")
    _private(info, parts.scheme == "https", [parts.hostname], "https://")
    return url


def _certificates(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificates in PEM") from None
    return path


AmqpUrl = Annotated[SecretStr, AfterValidator(_amqp)]
MongoUrl = Annotated[SecretStr, AfterValidator(_mongodb)]


def _secret_http(url: SecretStr, info: ValidationInfo) -> SecretStr:
    _http(url.get_secret_value(), info)
    return url


SecretHttpUrl = Annotated[SecretStr, AfterValidator(_secret_http)]
"""One that may hold a user and a password."""
HttpUrl = Annotated[str, AfterValidator(_http)]
CaFile = Annotated[FilePath, AfterValidator(_certificates)]


class Broker(FromEnvironment):
    """What every command needs that touches the broker."""

    rabbitmq_url: AmqpUrl
    """`amqps://user:password@host:port/vhost`; `amqp://` is without TLS."""
    rabbitmq_ca_file: CaFile | None = None
    """Certificates (PEM) of those who may vouch for RabbitMQ. Without it, those whom the system trusts."""

    @property
    def broker_url(self) -> str:
        """The address as the client takes it, password and CA included."""
        return with_parameter(self.rabbitmq_url, "cafile", self.rabbitmq_ca_file)


class ManagedBroker(Broker):
    """What a command needs that looks at the broker from outside as well."""

    rabbitmq_management_url: SecretHttpUrl | None = None
    """`https://host:15671`: RabbitMQ's management API, as the same user unless the address names another. With it,
    queues, bindings and policies are compared at the start; without it, only as far as AMQP tells."""


def with_parameter(url: SecretStr, name: str, value: object) -> str:
    """Add a parameter to an address, if it has a value."""
    plain = url.get_secret_value()
    if value is None:
        return plain
    return f"{plain}{'&' if urlsplit(plain).query else '?'}{name}={quote(str(value), safe='/')}"


def _parts(url: str, *schemes: str) -> SplitResult:
    """Take an address apart. What is wrong is said without quoting it: it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is no address") from None
    if parts.scheme not in schemes:
        raise ValueError(f"has to begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    asked = parse_qsl(parts.query, keep_blank_values=True)
    weak = [name for name, value in asked if name.lower() in _WEAKENING and value.lower() not in _NO]
    if weak:
        raise ValueError(f"{weak[0]} would let anybody pass for the other side; name a CA file instead")
    return parts


def _private(info: ValidationInfo, encrypted: bool, hosts: Iterable[str], remedy: str) -> None:
    if encrypted or info.data.get("allow_plaintext"):
        return
    abroad = [host for host in hosts if not _is_this_machine(host)]
    if abroad:
        raise ValueError(
            f"would speak to {abroad[0]} in plain text; use {remedy}, or set CALSYNC_ALLOW_PLAINTEXT=true where the "
            "network itself keeps others out"
        )


def _host(netloc: str) -> str:
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0]


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost") or host.lower().startswith("%2f"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
