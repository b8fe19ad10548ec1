"""The client. One method per endpoint; each failure as its class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from adapters.cronofy import reading, writing
from adapters.http.json import Object, integer, mapping, number, text
from adapters.http.pool import Answer, Params, is_success, leads_to, words
from events.calendar import Page, UserInfo
from events.failures import Gone, MustReconnect, Refused, SyncError, System, TokenRejected, TryLater
from events.integration import Account, CalendarInfo, Grant, Tokens
from events.reasons import Reason

if TYPE_CHECKING:
    from adapters.http.pool import HttpPool
    from events.calendar import CalendarWrite, ChannelInfo, WriteResult

_USUAL_LIFETIME: Final = 3600
_LONGEST_LIFETIME: Final = 30 * 24 * 3600
TIME_ZONE: Final = "Etc/UTC"
"""One zone for every read, or events at the edges of a window can be missed."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to read. Everything is included by default: managed, deleted and moved events."""

    calendar_ids: tuple[str, ...] = ()
    changed_since: datetime | None = None
    """By Cronofy's clock, inclusive."""
    first: datetime | None = None
    last: datetime | None = None
    only_managed: bool = False
    include_deleted: bool = True
    include_moved: bool = True
    include_managed: bool = True

    def parameters(self) -> list[tuple[str, str]]:
        """Return it as query parameters."""
        pairs = [("tzid", TIME_ZONE)]
        pairs += [("calendar_ids[]", calendar_id) for calendar_id in self.calendar_ids]
        for name, moment in (("last_modified", self.changed_since), ("from", self.first), ("to", self.last)):
            if moment is not None:
                pairs.append((name, writing.timestamp(moment)))
        flags = {
            "include_managed": self.include_managed,
            "include_deleted": self.include_deleted,
            "include_moved": self.include_moved,
            "only_managed": self.only_managed,
        }
        return pairs + [(name, "true") for name, wanted in flags.items() if wanted]


@dataclass(frozen=True, slots=True)
class Application:
    """Our registration with Cronofy. `secrets`: the newest first; while one replaces another, both may be good."""

    api_url: str
    client_id: str
    secrets: tuple[str, ...] = field(repr=False)


class Cronofy:
    """Speaks for one application. Access tokens are given per call.

    Every call raises `TryLater` (away, 5xx, unreadable, or our own secret is refused), `RateLimited` (429),
    `TokenRejected` (401), `MustReconnect` (423), `Refused` (402, 403, 422) or `Gone` (404, 410).
    """

    def __init__(self, http: HttpPool, application: Application) -> None:
        self._http = http
        self._application = application
        self._url = application.api_url.rstrip("/")

    # Authorization

    async def exchange_code(self, code: str, redirect_uri: str, now: datetime) -> Grant:
        """Exchange an authorization code. It works once: after a failure without an answer it may be used up.

        Raises `MustReconnect` if the code is unknown or used.
        """
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        body = await self._token(grant, repeatable=False)
        linked = mapping(body.get("linking_profile"))
        account = Account(
            sub=text(body.get("sub")) or text(body.get("account_id")),
            profile_id=text(linked.get("profile_id")),
            profile_name=text(linked.get("profile_name")),
            provider_name=text(linked.get("provider_name")),
            provider_service=text(linked.get("provider_service")),
        )
        return Grant(account, _tokens(body, now))

    async def refresh(self, tokens: Tokens, now: datetime) -> Tokens:
        """Get a fresh access token. Store whatever comes back: the refresh token may have changed.

        Raises `MustReconnect` if the authorization was withdrawn.
        """
        grant = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
        fresh = _tokens(await self._token(grant, repeatable=True), now)
        return fresh if fresh.refresh else replace(fresh, refresh=tokens.refresh)

    async def revoke(self, tokens: Tokens) -> None:
        """Give up the authorization. Revoking what is revoked is success."""
        await self._oauth("/oauth/token/revoke", {"token": tokens.refresh}, repeatable=True)

    async def _token(self, grant: Mapping[str, str], *, repeatable: bool) -> Object:
        body = mapping((await self._oauth("/oauth/token", grant, repeatable=repeatable)).body)
        if not text(body.get("access_token")):
            raise self._http.unreadable("no access_token")
        return body

    async def _oauth(self, path: str, asked: Mapping[str, str], *, repeatable: bool) -> Answer:
        """Ask with the newest of our secrets that Cronofy knows. With an unknown one nothing is done or used up."""

        async def ask(secret: str) -> Answer:
            body = {"client_id": self._application.client_id, "client_secret": secret, **asked}
            return await self._http.request("POST", self._url + path, json=body, repeatable=repeatable, route=path)

        newest, *older = self._application.secrets
        answer = await ask(newest)
        for secret in older:
            if mapping(answer.body).get("error") == "invalid_client":
                answer = await ask(secret)
        if not is_success(answer.status):
            raise self._oauth_failure(answer)
        return answer

    def _oauth_failure(self, answer: Answer) -> SyncError:
        match mapping(answer.body).get("error"):
            case "invalid_grant":
                return MustReconnect(Reason.REAUTHORISE_NEEDED, "invalid_grant")
            case "invalid_client":
                # The operator may be changing the secret right now: waiting loses nothing, and says so in the log.
                detail = "Cronofy does not know this client id and secret"
                return TryLater(System.CRONOFY, Reason.NOT_AUTHENTICATED, detail)
            case str(error):
                return Refused(Reason.CALENDAR_REFUSED, words(error))
            case _:
                return self._http.unreadable(f"status {answer.status}")  # not Cronofy's: a gateway's

    # Identity and calendars

    async def userinfo(self, token: str) -> UserInfo:
        """Return the account's profiles and calendars, with whether each profile is connected."""
        body = mapping(await self._get("/v1/userinfo", token))
        found = reading.rows(body.get("cronofy.data"), "profiles")
        if found is None:
            raise self._http.unreadable("userinfo without profiles")
        profiles = [reading.profile(row) for row in found]
        calendars = [
            reading.calendar({**row, **calendar})
            for row in found
            for calendar in reading.rows(row, "profile_calendars") or []
        ]
        return UserInfo(
            sub=text(body.get("sub")),
            time_zone=text(body.get("zoneinfo")) or None,
            profiles=tuple(profile for profile in profiles if profile),
            calendars=tuple(calendar for calendar in calendars if calendar),
        )

    async def calendars(self, token: str) -> tuple[CalendarInfo, ...]:
        """Return all calendars of the account, deleted and read-only ones included."""
        found = reading.rows(await self._get("/v1/calendars", token), "calendars")
        if found is None:
            raise self._http.unreadable("no list of calendars")
        return tuple(calendar for row in found if (calendar := reading.calendar(row)))

    # Events

    async def first_page(self, token: str, query: Query) -> Page:
        """Begin a read."""
        return self._page(await self._ok("GET", "/v1/events", token, params=query.parameters()))

    async def next_page(self, token: str, url: str) -> Page:
        """Go on with a read. Raises `Gone` if the page has expired: the read has to begin anew."""
        if not leads_to(self._url, url):
            raise self._http.unreadable("the next page is elsewhere")  # and the token does not go there
        return self._page(await self._ok("GET", url, token, route="/v1/events/pages/{page}"))

    def _page(self, answer: Answer) -> Page:
        found = reading.rows(answer.body, "events")
        if found is None:
            raise self._http.unreadable("no list of events")
        return Page(
            events=tuple(event for row in found if (event := reading.event(row))),
            next_url=reading.next_page(answer.body),
            as_of=answer.date,
        )

    async def batch(self, token: str, writes: Sequence[CalendarWrite]) -> list[WriteResult]:
        """Carry out up to 50 writes of one account. Every entry has its own result; nothing is atomic."""
        entries = {"batch": [writing.entry(write) for write in writes]}
        answer = await self._ok("POST", "/v1/batch", token, json=entries)
        found = reading.rows(answer.body, "batch")
        if found is None or len(found) != len(writes):
            raise self._http.unreadable("a batch of another length")
        return [writing.result(integer(row.get("status")) or 0, row.get("data")) for row in found]

    # Channels

    async def create_channel(self, token: str, callback_url: str, calendar_ids: Sequence[str]) -> ChannelInfo:
        """Create a channel for some calendars, or for all if none is named; or get the one that is exactly like it."""
        wanted: dict[str, object] = {"callback_url": callback_url}
        wanted |= {"filters": {"calendar_ids": list(calendar_ids)}} if calendar_ids else {}
        answer = await self._ok("POST", "/v1/channels", token, json=wanted)
        channel = reading.channel(mapping(mapping(answer.body).get("channel")))
        if channel is None:
            raise self._http.unreadable("no channel")
        return replace(channel, as_of=answer.date)

    async def channels(self, token: str) -> tuple[ChannelInfo, ...]:
        """Return the account's channels of this application."""
        found = reading.rows(await self._get("/v1/channels", token), "channels")
        if found is None:
            raise self._http.unreadable("no list of channels")
        return tuple(channel for row in found if (channel := reading.channel(row)))

    async def close_channel(self, token: str, channel_id: str) -> None:
        """Close a channel. Closing what is closed is success."""
        path = f"/v1/channels/{quote(channel_id, safe='')}"
        answer = await self._send("DELETE", path, token, route="/v1/channels/{id}")
        if not is_success(answer.status) and answer.status != HTTPStatus.NOT_FOUND:
            raise self._failure(answer)

    # Requests

    async def _get(self, path: str, token: str) -> object:
        return (await self._ok("GET", path, token)).body

    async def _ok(
        self, method: str, url: str, token: str, *, params: Params = (), json: object = None, route: str = ""
    ) -> Answer:
        answer = await self._send(method, url, token, params=params, json=json, route=route)
        if not is_success(answer.status):
            raise self._failure(answer)
        return answer

    async def _send(
        self, method: str, url: str, token: str, *, params: Params = (), json: object = None, route: str = ""
    ) -> Answer:
        """Send a request. `route`: needed where the path holds an id."""
        where = url if url.startswith("http") else self._url + url
        headers = {"authorization": f"Bearer {token}"}
        return await self._http.request(method, where, headers=headers, params=params, json=json, route=route or url)

    def _failure(self, answer: Answer) -> SyncError:
        """Name what a status means. Source: cronofy.md, status codes and limits."""
        match answer.status:
            case HTTPStatus.UNAUTHORIZED:
                return TokenRejected(Reason.NOT_AUTHENTICATED, "401")
            case HTTPStatus.LOCKED:
                return MustReconnect(Reason.PROVIDER_ERROR, "423")
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                return Gone(Reason.GONE, str(answer.status))
            case status if status in writing.REFUSALS:
                return Refused(writing.REFUSALS[status], writing.refusal(status, answer.body))
            case status if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Refused(Reason.CALENDAR_REFUSED, writing.refusal(status, answer.body))
            case status:
                return self._http.unreadable(f"status {status}")


def _tokens(body: Object, now: datetime) -> Tokens:
    lifetime = min(max(0.0, number(body.get("expires_in"), _USUAL_LIFETIME)), _LONGEST_LIFETIME)
    return Tokens(text(body.get("access_token")), text(body.get("refresh_token")), now + timedelta(seconds=lifetime))
