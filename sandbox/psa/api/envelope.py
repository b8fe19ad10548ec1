"""How the calendar API answers: always an envelope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson
from pydantic import JsonValue
from starlette.responses import Response

from sandbox.psa.model.facts import state
from sandbox.psa.model.refusal import Refusal

_SECURITY_ERROR: Final = 978001
"""The number that clients of the public API report with a 401."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for. `total`: of a list, how many there are on all pages."""

    result: JsonValue
    total: int | None = None


def done(answer: Answer) -> Response:
    """Answer with what was asked for."""
    return _envelope(200, {"success": True, "error": None, "result": answer.result, "totalRecords": answer.total})


def refused(refusal: Refusal) -> Response:
    """Answer that it was not done: with HTTP status 200, as this platform does."""
    result = state(refusal.current) if refusal.current else None
    return failed(200, refusal.code, refusal.message, result=result)


def unauthorized(message: str) -> Response:
    """Answer that the token or the credentials are not good."""
    return failed(401, _SECURITY_ERROR, message)


def too_many(seconds: int) -> Response:
    """Answer that the endpoint was called too often."""
    response = failed(429, 42900, "Too many calls of this endpoint within an hour.")
    response.headers["Retry-After"] = str(seconds)
    return response


def failed(status: int, code: int, message: str, result: JsonValue = None) -> Response:
    """Answer with an error."""
    error: JsonValue = {"code": code, "message": message, "details": None, "subErrors": []}
    return _envelope(status, {"success": False, "error": error, "result": result, "totalRecords": None})


def thinned(response: Response, keep: float) -> Response:
    """Leave out a part of a listing, as if there were no more. Any other answer stays as it is."""
    content = orjson.loads(response.body)
    result, total = content["result"], content["totalRecords"]
    if total is None:
        return response
    content |= {"result": result[: int(len(result) * keep)], "totalRecords": int(total * keep)}
    return _envelope(response.status_code, content)


def _envelope(status: int, content: JsonValue) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
