"""The page of settings, from the models that read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from adapters.process.environment import SETTINGS_FILE, FromEnvironment, variable
from cli.settings import READERS
from stack.settings import GivenUrls

_HEAD: Final = f"""# Settings

Written by `python -m cli.documents` from the models that read them; a check fails when this page is stale.

Every setting is an environment variable. It may instead stand

- in a file of its own, named by the variable with `_FILE` behind it: for secrets that are mounted;
- in the settings file, which `--settings FILE` or `{SETTINGS_FILE}` names: TOML, one `name = value` for each setting,
  without `CALSYNC_` and in small letters. `rabbitmq_url_file = "/run/secrets/rabbitmq-url"` works there, too.

The environment goes before the settings file. An empty variable says nothing. Whoever sets both a variable and its file
is told so. All are checked before anything is opened: `calsync config check` shows what would be used, secrets hidden,
or names everything that is wrong or missing. A variable that begins with `CALSYNC_` and is no setting is named at the
start of every command, with the setting that was probably meant.

Addresses are checked, too: a parameter that would switch off that the other side proves who it is (such as
`tlsAllowInvalidCertificates`) is refused, and so is plain text to another machine, unless `CALSYNC_ALLOW_PLAINTEXT` is
`true`. A client certificate is named by the address itself (`?certfile=…&keyfile=…` for RabbitMQ,
`&tlsCertificateKeyFile=…` for MongoDB).

"""
_TAIL: Final = """
`calsync demo`, `up`, `bench` and the tests read three variables from the environment only, for services that exist
already (without one, a service is started): {given}.
"""


def page() -> str:
    """Return the page."""
    given = ", ".join(f"`{variable(name)}`" for name in GivenUrls.model_fields)
    return _HEAD + "\n".join(_table()) + "\n" + _TAIL.format(given=given)


def _table() -> Iterator[str]:
    yield f"| variable | what | default | {' | '.join(READERS)} |"
    yield f"|---|---|---|{'---|' * len(READERS)}"
    for name, field in _fields().items():
        marks = " | ".join(_mark(reader, name) for reader in READERS.values())
        yield f"| `{variable(name)}` | {_what(field)} | {_default(field)} | {marks} |"


def _fields() -> dict[str, FieldInfo]:
    found: dict[str, FieldInfo] = {}
    for reader in READERS.values():
        found |= {name: field for name, field in reader.model_fields.items() if name not in found}
    return found


def _what(field: FieldInfo) -> str:
    assert field.description, "every setting says what it is"
    return " ".join(field.description.split()).replace("|", r"\|")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    default: object = field.default
    match default:
        case None:
            return "none"
        case SecretStr():
            return "[hidden]"
        case bool():
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`"


def _mark(reader: type[FromEnvironment], name: str) -> str:
    field = reader.model_fields.get(name)
    if field is None:
        return ""
    return "**must**" if field.is_required() else "may"
