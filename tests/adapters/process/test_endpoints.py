"""Addresses: plain text only to this machine, and no address that weakens TLS."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from adapters.process.endpoints import Broker, HttpUrl, MongoUrl, with_parameter
from adapters.process.environment import FromEnvironment


class Endpoints(Broker):
    """One of each kind."""

    mongodb_url: MongoUrl = SecretStr("mongodb://localhost/")
    """A database."""
    psa_api_url: HttpUrl = "http://localhost"
    """An API."""


HERE = SecretStr("amqp://localhost/")


def fields(url: str) -> dict[str, object]:
    """The setting that an address is for."""
    match url.partition(":")[0]:
        case "mongodb" | "mongodb+srv":
            return {"rabbitmq_url": HERE, "mongodb_url": SecretStr(url)}
        case "http" | "https":
            return {"rabbitmq_url": HERE, "psa_api_url": url}
        case _:
            return {"rabbitmq_url": SecretStr(url)}


PLAIN_ABROAD = [
    "amqp://u:p@rabbit.example:5672/",
    "amqp://10.0.0.7/",
    "mongodb://db.example/",
    "mongodb://localhost:27017,db.example:27017/?replicaSet=calsync",
    "mongodb://u:p@db.example/?tls=false",
    "mongodb+srv://db.example/?tls=false",
    "http://psa.example",
    "http://localhost.example",
    "http://[2001:db8::1]:80",
]
GOOD = [
    "amqps://u:p@rabbit.example/",
    "amqp://u:p@localhost:5672/",
    "amqp://127.0.0.1:5672/",
    "amqp://[::1]:5672/",
    "mongodb://db.example,other.example/?tls=true&replicaSet=calsync",
    "mongodb://db.example/?ssl=true",
    "mongodb+srv://db.example/",
    "mongodb://[::1]:27017/",
    "mongodb://%2Ftmp%2Fmongodb-27017.sock/",
    "https://psa.example",
    "http://psa.localhost:8020",
]
WEAK = [
    "amqps://rabbit.example/?no_verify_ssl=1",
    "amqps://rabbit.example/?no_verify_ssl=",
    "mongodb://db.example/?tls=true&tlsInsecure=true",
    "mongodb://db.example/?tls=true&tlsAllowInvalidCertificates=true",
    "mongodb://db.example/?tls=true&tlsAllowInvalidHostnames=true",
]


@pytest.mark.parametrize("url", PLAIN_ABROAD)
def test_plain_text_to_another_machine_is_refused_with_the_remedy(url: str) -> None:
    with pytest.raises(ValidationError, match=r"in plain text; use .*CALSYNC_ALLOW_PLAINTEXT=true"):
        Endpoints.model_validate(fields(url))


@pytest.mark.parametrize("url", [*PLAIN_ABROAD, *GOOD])
def test_plain_text_is_spoken_where_the_network_keeps_others_out(url: str) -> None:
    Endpoints.model_validate({"allow_plaintext": True, **fields(url)})


@pytest.mark.parametrize("url", GOOD)
def test_tls_and_this_machine_need_no_permission(url: str) -> None:
    Endpoints.model_validate(fields(url))


@pytest.mark.parametrize("url", WEAK)
def test_an_address_that_lets_anybody_pass_for_the_other_side_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="would let anybody pass for the other side"):
        Endpoints.model_validate({"allow_plaintext": True, **fields(url)})


@pytest.mark.parametrize(
    "url", ["rabbit.example", "ftp://hush@rabbit.example", "http:///path", "amqps://[hush/", "mongodb:"]
)
def test_what_is_no_address_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValidationError) as told:
        Endpoints.model_validate(fields(url))
    assert all("hush" not in each["msg"] for each in told.value.errors())


def test_a_ca_file_without_certificates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nothing of the kind")
    with pytest.raises(ValidationError, match="holds no certificates in PEM"):
        Broker(rabbitmq_url=HERE, rabbitmq_ca_file=path)


@pytest.mark.parametrize(
    ("url", "value", "with_it"),
    [
        ("amqps://rabbit.example/", None, "amqps://rabbit.example/"),
        ("amqps://rabbit.example/", Path("/etc/ca file"), "amqps://rabbit.example/?cafile=/etc/ca%20file"),
        ("amqps://rabbit.example/?heartbeat=5", Path("/ca"), "amqps://rabbit.example/?heartbeat=5&cafile=/ca"),
    ],
)
def test_a_ca_is_named_by_the_address(url: str, value: Path | None, with_it: str) -> None:
    assert with_parameter(SecretStr(url), "cafile", value) == with_it


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in FromEnvironment.model_fields.values())
