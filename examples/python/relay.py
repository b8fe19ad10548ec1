"""A relay: it takes what Cronofy posts, checks the signature, and has it on the queue before it answers.

    pip install aio-pika starlette uvicorn
    python examples/python/relay.py

`CALSYNC_RABBITMQ_URL` says where the broker is, `CALSYNC_CRONOFY_CLIENT_SECRETS` which secrets sign: several, with
commas between them, while one replaces the other.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aio_pika
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

HEADER = "Cronofy-HMAC-SHA256"
LARGEST = 64 * 1024
PATIENCE = 4.0
"""Seconds. Cronofy gives up after five."""


def is_signed(header: str, body: bytes, secrets: list[str]) -> bool:
    """Whether any value of the header fits any secret. Over the bytes as they came: a parsed body has another form."""
    given = [value.strip() for value in header.split(",")]
    digests = [hmac.new(secret.encode(), body, hashlib.sha256).digest() for secret in secrets]
    ours = [base64.b64encode(digest).decode() for digest in digests]
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in ours for other in given)


def relay(url: str, secrets: list[str]) -> Starlette:
    """Make the app. Everything below `/notifications/` is relayed; the end of the path names the integration."""
    exchanges: list[aio_pika.abc.AbstractExchange] = []

    @asynccontextmanager
    async def connected(_: Starlette) -> AsyncGenerator[None]:
        async with await aio_pika.connect_robust(url, timeout=10) as connection:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            exchanges.append(await channel.get_exchange("cronofy.events", ensure=False))
            yield

    async def notified(request: Request) -> Response:
        body, signature = await request.body(), ",".join(request.headers.getlist(HEADER))
        if len(body) > LARGEST:
            return Response(status_code=413)
        if not is_signed(signature, body, secrets):
            return Response(status_code=403)
        message = aio_pika.Message(
            body,
            headers={HEADER: signature},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/json",
        )
        try:
            async with asyncio.timeout(PATIENCE):
                await exchanges[0].publish(message, routing_key="notification", mandatory=True)
        except (aio_pika.exceptions.AMQPError, ConnectionError, TimeoutError):
            return Response(status_code=503)  # Cronofy posts it again, for a day
        return Response(status_code=204)

    return Starlette(routes=[Route("/notifications/{path:path}", notified, methods=["POST"])], lifespan=connected)


if __name__ == "__main__":
    signing = os.environ["CALSYNC_CRONOFY_CLIENT_SECRETS"].split(",")
    uvicorn.run(relay(os.environ["CALSYNC_RABBITMQ_URL"], signing), port=8031)
