"""JSON Schemas (draft 2020-12), one for each message."""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic import JsonValue
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema
from typing_extensions import override

from events.dead_letters import DeadLetter, header
from events.documents.catalogue import HEADERS, Message, paragraphs

Json = dict[str, JsonValue]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Without a title for every field, which would only repeat its name."""

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    @override
    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode == "validation":
            return super().field_is_required(field, total)
        # What we send is sent with its defaults, and without what is None.
        inner: core_schema.CoreSchema = field["schema"]
        return inner["type"] != "default" or inner.get("default") is not None

    @override
    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Json:
        # The discriminator is a keyword of OpenAPI; AsyncAPI has another one of this name.
        generated = super().tagged_union_schema(schema)
        return {name: value for name, value in generated.items() if name != "discriminator"}


def schema_of(message: Message) -> Json:
    """Return the schema of a message's body; of a dead letter's headers."""
    if message.name == HEADERS:
        return _about(message) | _headers()
    generated = message.contract.model_json_schema(
        schema_generator=_Generator, mode="serialization" if message.ours else "validation"
    )
    schema = cast("Json", _readable(generated))
    definitions: Json = {"$defs": schema["$defs"]} if "$defs" in schema else {}
    apart = {"title", "description", "$defs"}
    return _about(message) | {key: value for key, value in schema.items() if key not in apart} | definitions


def _about(message: Message) -> Json:
    return {"$schema": _DIALECT, "title": message.name, "description": paragraphs(message.contract.__doc__)}


def _headers() -> Json:
    fields = DeadLetter.model_fields
    properties: Json = {
        header(name): {"type": "string", "description": paragraphs(field.description)} for name, field in fields.items()
    }
    cast("Json", properties[header("attempts")])["pattern"] = "^[0-9]+$"
    cast("Json", properties[header("failed_at")])["format"] = "date-time"
    return {"type": "object", "properties": properties, "required": list(properties)}


def _readable(value: JsonValue) -> JsonValue:
    """Return a schema with its descriptions on one line for each paragraph."""
    match value:
        case dict():
            return {name: _readable(inner) for name, inner in value.items()} | _description(value)
        case list():
            return [_readable(inner) for inner in value]
        case _:
            return value


def _description(schema: Json) -> Json:
    description = schema.get("description")
    return {"description": paragraphs(description)} if isinstance(description, str) else {}
