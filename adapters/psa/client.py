"""The client. Refusals are answers, outages are failures."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from adapters.http.json import Object, array, integer, mapping, text
from adapters.http.pool import CALL_SECONDS, Answer, Params, is_success, words
from adapters.psa import wire
from events.failures import Malformed, System, TryLater
from events.items import ItemType
from events.platform import Absent, CreateAnswer, Created, Declined, Done, ItemAnswer, ItemNow, ItemPage, MovedOn
from events.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.http.pool import HttpPool
    from events.link import ItemKey
    from events.platform import AppointmentDraft, ItemChanges

_ITEM: Final = "/v2/calendar/items/{type}/{id}"
_SIGN_IN: Final = "/v2/security/authenticate"
PAGE: Final = 200
"""Items asked for at once; the most that the API allows."""
_NOT_FOUND: Final = 40400
_MOVED_ON: Final = 40900
_REFUSALS: Final = range(40000, 42900)
"""Codes begin with the HTTP status that they are like. Whatever is not like a refusal may be different tomorrow."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The worker's account with the PSA platform; one for all tenants, a token for each."""

    api_url: str
    client_id: str
    client_secret: str = field(repr=False)


class Psa:
    """Speaks to the calendar API. Tokens are fetched when needed, and fetched again when one is refused.

    Every call raises `TryLater` if the PSA is away, answers nonsense or fails for another reason than the call itself,
    and `RateLimited` if it asks for fewer calls. Of an item that breaks the contract, or is not the one that was asked
    for, it raises `Malformed`.
    """

    def __init__(self, http: HttpPool, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials
        self._url = credentials.api_url.rstrip("/")
        self._tokens: dict[int, str] = {}

    async def read(self, key: ItemKey) -> ItemNow | None:
        """Return an item as it is now; None if the PSA does not know it."""
        body = await self._call("GET", key.tenant_id, _path(key), params=_part(key), route=_ITEM)
        return None if _code(body) == _NOT_FOUND else self._item_named(body, key)

    async def find(self, tenant_id: int, reference: str) -> ItemNow | None:
        """Return the appointment that was created under a reference."""
        body = await self._call(
            "GET", tenant_id, "/v2/calendar/appointments", params=[("externalReference", reference)]
        )
        return None if _code(body) == _NOT_FOUND else self._appointment(body, tenant_id)

    async def create(self, draft: AppointmentDraft) -> CreateAnswer:
        """Create an appointment, or find the one that was created under the same reference."""
        body = await self._call("POST", draft.tenant_id, "/v2/calendar/appointments", json=wire.draft_body(draft))
        return self._created(body, draft.tenant_id)

    def _created(self, body: Object, tenant_id: int) -> CreateAnswer:
        if _code(body) is not None:
            return Declined(_words(body))
        return Created(self._appointment(body, tenant_id), found=mapping(body.get("result")).get("created") is False)

    async def create_all(self, drafts: Sequence[AppointmentDraft]) -> list[CreateAnswer]:
        """Create up to 100 appointments of one tenant, each as `create` does, and none at the cost of another."""
        tenant_id = drafts[0].tenant_id
        wanted = {"appointments": [wire.draft_body(draft) for draft in drafts]}
        body = await self._call("POST", tenant_id, "/v2/calendar/appointments/bulk", json=wanted)
        entries = [self._checked(mapping(entry)) for entry in array(body.get("result"))]
        if len(entries) != len(drafts):
            raise self._http.unreadable("a bulk of another length")
        try:
            return [self._created(entry, tenant_id) for entry in entries]
        except Malformed as error:
            # Created one by one, each is at fault by itself.
            raise TryLater(System.PSA, Reason.SERVER_ERROR, words(f"{error.reason}: {error.detail}")) from error

    async def items(self, user: tuple[int, int], start: datetime, end: datetime, page: int) -> ItemPage:
        """Return one page, the first is 1, of what a (tenant id, user id)'s My Calendar shows from `start` to `end`."""
        tenant_id, user_id = user
        asked = {"userId": str(user_id), "from": wire.stamp(start), "to": wire.stamp(end)}
        paging = {"pageNumber": str(page), "pageSize": str(PAGE)}
        body = await self._call("GET", tenant_id, "/v2/calendar/items", params=list((asked | paging).items()))
        rows = array(body.get("result"))
        found = tuple(item for row in rows if (item := wire.listed_item(row, tenant_id)) is not None)
        total = integer(body.get("total_records"))
        if _code(body) is not None or total is None or (rows and not any(map(wire.is_named, rows))):
            raise self._http.unreadable(f"no list of items: {_words(body)}")
        return ItemPage(found, last=len(rows) < PAGE, total=total)

    async def change(self, key: ItemKey, revision: int, changes: ItemChanges) -> ItemAnswer:
        """Change an item, if it is still at `revision`."""
        wanted = {"revision": revision, "changes": wire.changes_body(changes)}
        body = await self._call("PATCH", key.tenant_id, _path(key), params=_part(key), json=wanted, route=_ITEM)
        return self._answered(body, key)

    async def delete(self, key: ItemKey, revision: int) -> ItemAnswer:
        """Delete an appointment, if it is still at `revision`. Deleting what is gone is success."""
        path = f"/v2/calendar/appointments/{quote(key.item_id, safe='')}"
        params = [*_part(key), ("revision", str(revision))]
        route = "/v2/calendar/appointments/{id}"
        return self._answered(await self._call("DELETE", key.tenant_id, path, params=params, route=route), key)

    def _answered(self, body: Object, key: ItemKey) -> ItemAnswer:
        code = _code(body)
        if code is None:
            return Done(self._item_named(body, key))
        if code == _NOT_FOUND:
            return Absent()
        if code == _MOVED_ON:
            return MovedOn(self._item_named(body, key))
        return Declined(_words(body))

    def _item_named(self, body: Object, key: ItemKey) -> ItemNow:
        found = self._item(body, key.tenant_id)
        if found.key != key:
            raise Malformed(Reason.BREAKS_SCHEMA, "item_id, part_id: are not those that were asked for")
        return found

    def _appointment(self, body: Object, tenant_id: int) -> ItemNow:
        found = self._item(body, tenant_id)
        if found.key.item_type is not ItemType.APPOINTMENT:
            raise Malformed(Reason.BREAKS_SCHEMA, "item_type: is not appointment")
        return found

    def _item(self, body: Object, tenant_id: int) -> ItemNow:
        found = wire.item_now(body.get("result"), tenant_id)
        if found is None:
            raise self._http.unreadable(f"no item: {_words(body)}")
        return found

    # Requests

    async def _call(
        self, method: str, tenant_id: int, path: str, *, params: Params = (), json: object = None, route: str = ""
    ) -> Object:
        """Return the envelope, its names in snake case. Signing in counts towards the longest time of a call.

        `route`: needed where the path holds an id.
        """

        async def send() -> Answer:
            return await self._send(method, tenant_id, path, params=params, json=json, route=route or path)

        try:
            async with asyncio.timeout(CALL_SECONDS):
                answer = await send()
                if answer.status == HTTPStatus.UNAUTHORIZED:
                    answer = await send()
        except TimeoutError as error:
            raise TryLater(System.PSA, Reason.UNREACHABLE, type(error).__name__) from error
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise TryLater(System.PSA, Reason.NOT_AUTHENTICATED, "the PSA refuses the token it has just given")
        return self._envelope(answer)

    def _envelope(self, answer: Answer) -> Object:
        body = mapping(wire.snake(answer.body))
        if "success" not in body or (_code(body) is None and not is_success(answer.status)):
            raise self._http.unreadable(f"status {answer.status}")
        return self._checked(body)

    def _checked(self, body: Object) -> Object:
        code = _code(body)
        if code is not None and code not in _REFUSALS:
            raise TryLater(System.PSA, Reason.SERVER_ERROR, words(f"{code} {_words(body)}"))
        return body

    async def _send(
        self, method: str, tenant_id: int, path: str, *, params: Params, json: object, route: str
    ) -> Answer:
        token = self._tokens.get(tenant_id) or await self._authenticate(tenant_id)
        headers = {"authorization": f"Bearer {token}"}
        url = self._url + path
        answer = await self._http.request(method, url, headers=headers, params=params, json=json, route=route)
        # Another call may have got a new one meanwhile, and that one is good.
        if answer.status == HTTPStatus.UNAUTHORIZED and self._tokens.get(tenant_id) == token:
            del self._tokens[tenant_id]
        return answer

    async def _authenticate(self, tenant_id: int) -> str:
        form = {
            "grantType": "client_credentials",
            "clientId": self._credentials.client_id,
            "clientSecret": self._credentials.client_secret,
            "tenant": str(tenant_id),
        }
        answer = await self._http.request("POST", self._url + _SIGN_IN, form=form, route=_SIGN_IN)
        token = text(mapping(mapping(wire.snake(answer.body)).get("result")).get("access_token"))
        if not token:
            # The operator may be changing the secret right now: waiting loses nothing, and says so in the log.
            raise TryLater(System.PSA, Reason.NOT_AUTHENTICATED, f"status {answer.status}")
        self._tokens[tenant_id] = token
        return token


def _path(key: ItemKey) -> str:
    return f"/v2/calendar/items/{key.item_type}/{quote(key.item_id, safe='')}"


def _part(key: ItemKey) -> Params:
    return [("partId", key.part_id)] if key.part_id is not None else []


def _code(body: Object) -> int | None:
    """Return the error's code; None for success."""
    return None if body.get("success") is True else integer(mapping(body.get("error")).get("code")) or 0


def _words(body: Object) -> str:
    return words(text(mapping(body.get("error")).get("message")))
