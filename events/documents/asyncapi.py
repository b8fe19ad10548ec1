"""The AsyncAPI document: exchanges, queues, and what the worker receives from and sends to them."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from events.addresses import (
    COMMANDS,
    COMMANDS_QUEUE,
    CRONOFY_EVENTS,
    DEAD_LETTERS,
    DEAD_LETTERS_QUEUE,
    INTEGRATIONS_QUEUE,
    LINK_KEY,
    NOTIFICATIONS_QUEUE,
    OUTCOMES,
    OUTCOMES_QUEUE,
    PSA_EVENTS,
    PSA_ITEMS_QUEUE,
    SIGNATURE_HEADER,
)
from events.documents.catalogue import HEADERS, MESSAGES, NOTIFICATION, Message, paragraphs
from events.documents.schemas import Json

_BINDING: Final = "0.3.0"
_FAILING_QUEUES: Final = (PSA_ITEMS_QUEUE, INTEGRATIONS_QUEUE, NOTIFICATIONS_QUEUE, COMMANDS_QUEUE)
_TYPE_KEY: Final = "Routing key: the type of the event."

_INFO: Final = paragraphs(
    """
    Keeps the My Calendar of a PSA platform's users and their own calendars in step. The platform publishes what changes
    to the exchange `psa.events` and learns what became of it from `calsync.outcomes`; a relay puts Cronofy's
    notifications on `cronofy.events`. This document tells what the worker receives and sends.

    Every message is persistent and is delivered at least once, in no particular order. What makes that harmless is in
    the message: a `revision` that grows.

    A body is JSON in UTF-8 without a byte order mark, of at most 256 KiB and 32 levels. Fields that are not described
    are ignored, by the worker and by every consumer. A message that breaks its contract is set aside among the dead
    letters with the reason, and nothing else happens.
    """
)

_EXCHANGES: Final = {
    PSA_EVENTS: "The PSA platform publishes here: items that changed, and the life of integrations.",
    CRONOFY_EVENTS: "The relay publishes Cronofy's notifications here, byte for byte.",
    COMMANDS: "The worker's own wake-ups. Nobody else needs to publish here.",
    OUTCOMES: "The PSA platform consumes from here: what became of its events, and what happened in the calendars.",
    DEAD_LETTERS: "What failed for good, with the reason in its headers.",
}


def asyncapi() -> Json:
    """Return the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Calendar sync",
            "version": "1.0.0",
            "description": _INFO,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "rabbitmq": {
                "host": "rabbitmq.example.com:5671",
                "protocol": "amqps",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ 3.10 or later. Exchanges and queues are declared by `calsync topology apply`.",
                "security": [{"$ref": "#/components/securitySchemes/user"}],
            }
        },
        "channels": {**_exchanges(), **_queues()},
        "operations": _operations(),
        "components": {
            "messages": {message.name: _message(message) for message in MESSAGES},
            "securitySchemes": {"user": {"type": "userPassword", "description": "A user of RabbitMQ."}},
        },
    }


# Channels


def _exchanges() -> Json:
    return {name: _exchange(name, description) for name, description in _EXCHANGES.items()}


def _exchange(name: str, description: str) -> Json:
    messages = [message for message in MESSAGES if message.exchange == name]
    keys = [message.routing_key for message in messages]
    channel: Json = {
        "address": keys[0],
        "title": f"Exchange {name}",
        "description": description,
        "messages": _refs(messages),
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": name, "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": _BINDING,
            }
        },
    }
    if name == DEAD_LETTERS:
        told = f"Routing key: the queue in which it failed, or `{LINK_KEY}` for an item."
        of_failed: Json = {"description": told, "enum": [*_FAILING_QUEUES, LINK_KEY]}
        return {**channel, "address": "{queue}", "parameters": {"queue": of_failed}}
    if len(keys) > 1:
        of_event: Json = {"description": _TYPE_KEY, "enum": [*keys], "location": "$message.payload#/type"}
        return {**channel, "address": "{type}", "parameters": {"type": of_event}}
    return channel


def _queues() -> Json:
    of = {
        PSA_ITEMS_QUEUE: (PSA_EVENTS, ("psa.calendar_item.",)),
        INTEGRATIONS_QUEUE: (PSA_EVENTS, ("psa.integration.", "psa.item.", "psa.tenant.", "psa.user.")),
        NOTIFICATIONS_QUEUE: (CRONOFY_EVENTS, ("",)),
        COMMANDS_QUEUE: (COMMANDS, ("",)),
        OUTCOMES_QUEUE: (OUTCOMES, ("",)),
        DEAD_LETTERS_QUEUE: (DEAD_LETTERS, ("",)),
    }
    return {queue: _queue(queue, exchange, prefixes) for queue, (exchange, prefixes) in of.items()}


def _queue(name: str, exchange: str, prefixes: tuple[str, ...]) -> Json:
    messages = [one for one in MESSAGES if one.exchange == exchange and one.routing_key.startswith(prefixes)]
    keys = ", ".join(f"`{prefix}#`" for prefix in prefixes)
    reader = {
        OUTCOMES_QUEUE: "For the PSA platform, so that no outcome is lost before it binds a queue of its own.",
        DEAD_LETTERS_QUEUE: "Read by the keeper of dead letters.",
    }.get(name, "Read by the worker.")
    return {
        "address": name,
        "title": f"Queue {name}",
        "description": f"A quorum queue, bound to `{exchange}` with {keys}. {reader}",
        "messages": _refs(messages),
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": name, "durable": True, "exclusive": False, "autoDelete": False},
                "bindingVersion": _BINDING,
            }
        },
    }


def _refs(messages: list[Message]) -> Json:
    return {message.name: {"$ref": f"#/components/messages/{message.name}"} for message in messages}


# Operations


def _operations() -> Json:
    return {
        "receiveItemChanges": _receive(
            PSA_EVENTS,
            PSA_ITEMS_QUEUE,
            "Items that changed",
            "One event for each change of an item, not one for each user: the item goes to the calendars of its "
            "assignees, and is withdrawn from everybody else's.",
            ("psa.calendar_item.",),
        ),
        "receiveIntegrationEvents": _receive(
            PSA_EVENTS,
            INTEGRATIONS_QUEUE,
            "What a user wants of an integration, and what a tenant has decided",
            "The newest revision counts. Answers come by `calsync.outcomes`.",
            ("psa.integration.", "psa.item.", "psa.tenant.", "psa.user."),
        ),
        "receiveNotifications": _receive(
            CRONOFY_EVENTS,
            NOTIFICATIONS_QUEUE,
            "Cronofy's notifications",
            "The body as Cronofy sent it, not one byte changed, because its signature is verified again.",
        ),
        "receiveWakeUps": _receive(
            COMMANDS, COMMANDS_QUEUE, "Wake-ups", "From another part of the worker, or another replica."
        ),
        "sendWakeUps": _send(COMMANDS, "Wake-ups", "Harmless at any time, late and twice."),
        "sendOutcomes": _send(
            OUTCOMES,
            "What became of it",
            "Consume from the queue that is there, or bind one of your own with the types you want. Ignore types that "
            "you do not know: more will come.",
        ),
        "sendDeadLetters": _send(
            DEAD_LETTERS,
            "What failed for good",
            "The body is the original, byte for byte; its own headers stay beside those that are described here.",
        ),
    }


def _receive(exchange: str, queue: str, title: str, description: str, prefixes: tuple[str, ...] = ("",)) -> Json:
    operation = _operation("receive", exchange, title, f"{description} Taken from the queue `{queue}`.", prefixes)
    return {**operation, "bindings": {"amqp": {"ack": True, "bindingVersion": _BINDING}}}


def _send(exchange: str, title: str, description: str) -> Json:
    operation = _operation("send", exchange, title, description)
    return {**operation, "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "bindingVersion": _BINDING}}}


def _operation(action: str, exchange: str, title: str, description: str, prefixes: tuple[str, ...] = ("",)) -> Json:
    messages = [one for one in MESSAGES if one.exchange == exchange and one.routing_key.startswith(prefixes)]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{exchange}"},
        "title": title,
        "description": description,
        "messages": [{"$ref": f"#/channels/{exchange}/messages/{message.name}"} for message in messages],
    }


# Messages


def _message(message: Message) -> Json:
    about: Json = {
        "name": message.name,
        "title": message.name,
        "summary": message.summary,
        "description": paragraphs(message.contract.__doc__),
    }
    schema: Json = {"$ref": f"schemas/{message.name}.schema.json"}
    if message.name == HEADERS:
        original: Json = {"description": "The original body, whatever it is."}
        return {**about, "headers": schema, "payload": original, "examples": _examples(message, "headers")}
    about["contentType"] = _EVENT if "specversion" in message.contract.model_fields else _PLAIN
    if message.name == NOTIFICATION:
        about["headers"] = _SIGNATURE
    if message.exchange == DEAD_LETTERS:
        about["headers"] = {"$ref": f"schemas/{HEADERS}.schema.json"}
    return {**about, "payload": schema, "examples": _examples(message, "payload")}


def _examples(message: Message, part: str) -> JsonValue:
    return [{"name": name, part: example} for name, example in message.examples.items()]


_EVENT: Final = "application/cloudevents+json"
_PLAIN: Final = "application/json"
_SIGNATURE: Final[Json] = {
    "type": "object",
    "required": [SIGNATURE_HEADER],
    "properties": {
        SIGNATURE_HEADER: {
            "type": "string",
            "description": "As Cronofy sent it: base64 of the HMAC-SHA256 of the raw body, keyed with the client "
            "secret; one value for each active secret, separated by commas.",
            "examples": ["6r2/HjBkqymGegX0wOfifieeUXbbHwtV/LohHS+jv6c="],
        }
    },
}
