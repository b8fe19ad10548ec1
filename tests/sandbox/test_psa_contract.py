"""The calendar API is the one of the OpenAPI document. (Every answer in the other tests is checked against it, too.)"""

from __future__ import annotations

import httpx
import pytest
from openapi_spec_validator import validate

from sandbox.psa.api.operations import OPERATIONS
from tests.sandbox.psa_contract import document, must_conform, operations


def test_the_document_is_valid_openapi() -> None:
    validate(document())


def test_the_sandbox_serves_every_operation_of_the_document_and_no_other() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == operations()


@pytest.mark.parametrize(
    "answer",
    [
        {"result": None},
        {"success": True, "result": {"itemType": "todo"}},
        {
            "success": True,
            "result": {"itemType": "meeting", "itemId": "1", "revision": 1, "deleted": False, "assignees": []},
        },
        {"success": False, "error": {"code": "40400", "message": "no"}},
    ],
)
def test_the_judge_of_answers_notices_a_broken_one(answer: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        must_conform("GET", "/v2/calendar/items/todo/1", httpx.Response(200, json=answer))
