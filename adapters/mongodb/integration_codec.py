"""Integrations to documents and back. Tokens and codes are sealed on the way in and opened on the way out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from adapters.mongodb.understanding import known
from events.integration import (
    Account,
    Audit,
    CalendarInfo,
    ConnectWish,
    DeepLook,
    DeletionWish,
    Grant,
    Held,
    Integration,
    Search,
    SettingsWish,
    Signals,
    Status,
    Stock,
    Tokens,
    Wanted,
)
from events.items import ItemType
from events.reasons import Reason

if TYPE_CHECKING:
    from adapters.mongodb.vault import Vault

Document = dict[str, Any]


def connect_to_document(owner: str, wish: ConnectWish, vault: Vault) -> Document:
    """Return an authorization, its code sealed."""
    return {
        "revision": wish.revision,
        "sealed": vault.seal(owner, {"code": wish.code}),
        "redirect_uri": wish.redirect_uri,
        "time_zone": wish.time_zone,
    }


def settings_to_document(wish: SettingsWish) -> Document:
    """Return saved settings."""
    return {**asdict(wish), "outbound": sorted(wish.outbound)}


def held_to_document(owner: str, held: Held, vault: Vault, *, known: Held | None = None) -> Document:
    """Return what is the case, as far as it differs from what is `known` to be stored. Tokens are sealed."""
    document = _plain(held)
    if known is not None:
        before = _plain(known)
        document = {name: value for name, value in document.items() if value != before[name]}
    if known is None or held.tokens != known.tokens:
        document["sealed"] = _sealed(owner, held.tokens, vault)
    if known is None or held.offered != known.offered:
        document["offered"] = None if held.offered is None else _grant_to_document(owner, held.offered, vault)
    if known is None or held.retired != known.retired:
        document["retired"] = [_grant_to_document(owner, grant, vault) for grant in held.retired]
    return document


def _plain(held: Held) -> Document:
    return {
        "connected_revision": held.connected_revision,
        "configured_revision": held.configured_revision,
        "listed_revision": held.listed_revision,
        "tenant_version": held.tenant_version,
        "turns": held.turns,
        "active_revision": held.active_revision,
        "deleted": held.deleted,
        "deletion_revision": held.deletion_revision,
        "cleared": held.cleared,
        "removed": held.removed,
        "status": held.status.value,
        "reason": held.reason.value,
        "relink_url": held.relink_url,
        "probe_at": held.probe_at,
        "account": None if held.account is None else asdict(held.account),
        "time_zone": held.time_zone,
        "calendars": [asdict(calendar) for calendar in held.calendars],
        "channel_id": held.channel_id,
        "calendar_id": held.calendar_id,
        "revising": held.revising,
        "former": list(held.former),
        "clear_after": held.clear_after,
        "surveyed": held.surveyed,
        "unread": held.unread,
        "cursor": held.cursor,
        "linked_since": held.linked_since,
        "last_sync": held.last_sync,
        "verified_at": held.verified_at,
        "audit": asdict(held.audit),
        "search": None if held.search is None else asdict(held.search),
        "empty_looks": held.empty_looks,
        "calendar_hold": held.calendar_hold,
        "calendar_failures": held.calendar_failures,
        "psa_hold": held.psa_hold,
        "psa_failures": held.psa_failures,
    }


def _grant_to_document(owner: str, grant: Grant, vault: Vault) -> Document:
    return {"account": asdict(grant.account), "sealed": _sealed(owner, grant.tokens, vault)}


def _grant(owner: str, document: Document, vault: Vault | None) -> Grant:
    """Without a vault to open them the tokens are empty."""
    tokens = Tokens("", "", _NEVER) if vault is None else _tokens(vault.open(owner, document["sealed"]))
    return Grant(Account(**known(Account, document["account"])), tokens)


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _audit(document: Document | None) -> Audit:
    if document is None:
        return Audit()
    look = document["look"]
    return Audit(
        light_at=document["light_at"],
        deep_at=document["deep_at"],
        look=None if look is None else DeepLook(**look),
        suspicious=document["suspicious"],
        stock=_stock(document.get("stock")),
    )


def _stock(document: Document | None) -> Stock:
    if document is None:
        return Stock()
    values = known(Stock, document)
    look = values.pop("look")
    return Stock(**values, look=None if look is None else DeepLook(**look))


def _sealed(owner: str, tokens: Tokens | None, vault: Vault) -> bytes | None:
    if tokens is None:
        return None
    secrets = {"access": tokens.access, "refresh": tokens.refresh, "expires_at": tokens.expires_at.isoformat()}
    return vault.seal(owner, secrets)


def integration_from_document(document: Document, vault: Vault | None) -> Integration:
    """Return the integration that a document holds; without its secrets if there is no vault to open them."""
    owner: str = document["_id"]
    held = _held(owner, document["held"], vault) if document.get("held") else Held()
    return Integration(
        id=owner,
        tenant_id=document["tenant_id"],
        user_id=document["user_id"],
        epoch=document["epoch"],
        wanted=_wanted(owner, document.get("wanted", {}), held.connected_revision, vault),
        held=held,
        signals=signals_from_document(document.get("signals", {})),
        due_at=document.get("due_at"),
    )


def _wanted(owner: str, document: Document, connected_revision: int, vault: Vault | None) -> Wanted:
    connect, settings = document.get("connect"), document.get("settings")
    active = document.get("active", {})
    return Wanted(
        connect=None
        if connect is None
        else ConnectWish(
            revision=connect["revision"],
            # A code is worth something once; afterwards there is no reason to take it out.
            code=vault.open(owner, connect["sealed"])["code"]
            if vault is not None and connect["revision"] > connected_revision
            else "",
            redirect_uri=connect["redirect_uri"],
            time_zone=connect["time_zone"],
        ),
        settings=None
        if settings is None
        else SettingsWish(
            revision=settings["revision"],
            calendar_id=settings["calendar_id"],
            inbound_create=settings["inbound_create"],
            inbound_update=settings["inbound_update"],
            inbound_delete=settings["inbound_delete"],
            outbound=frozenset(ItemType(name) for name in settings["outbound"]),
            remove_former=settings.get("remove_former", False),
            remove_unticked=settings.get("remove_unticked", False),
        ),
        active=active.get("value", True),
        active_revision=active.get("revision", -1),
        list_calendars_revision=document.get("list_calendars", {}).get("revision", -1),
        deletion=None
        if document.get("deletion") is None
        else DeletionWish(**known(DeletionWish, document["deletion"])),
        tenant_version=document.get("tenant_version", 0),
    )


def _held(owner: str, document: Document, vault: Vault | None) -> Held:
    sealed, account = document.get("sealed"), document["account"]
    return Held(
        connected_revision=document["connected_revision"],
        configured_revision=document["configured_revision"],
        listed_revision=document["listed_revision"],
        tenant_version=document.get("tenant_version", -1),
        turns=document.get("turns", 0),
        active_revision=document.get("active_revision", -1),
        deleted=document.get("deleted", False),
        deletion_revision=document.get("deletion_revision", -1),
        cleared=document.get("cleared", False),
        removed=document.get("removed", 0),
        status=Status(document["status"]),
        reason=Reason.of(document["reason"]),
        relink_url=document["relink_url"],
        probe_at=document["probe_at"],
        account=None if account is None else Account(**known(Account, account)),
        tokens=None if sealed is None or vault is None else _tokens(vault.open(owner, sealed)),
        offered=None if document.get("offered") is None else _grant(owner, document["offered"], vault),
        retired=tuple(_grant(owner, grant, vault) for grant in document.get("retired", ())),
        time_zone=document["time_zone"],
        calendars=tuple(CalendarInfo(**known(CalendarInfo, calendar)) for calendar in document["calendars"]),
        channel_id=document["channel_id"],
        calendar_id=document.get("calendar_id", ""),
        revising=document.get("revising", False),
        former=tuple(document.get("former", ())),
        clear_after=document.get("clear_after"),
        surveyed=document.get("surveyed", True),
        unread=document.get("unread", False),
        cursor=document["cursor"],
        linked_since=document["linked_since"],
        last_sync=document["last_sync"],
        verified_at=document["verified_at"],
        audit=_audit(document.get("audit")),
        search=None if document.get("search") is None else Search(**known(Search, document["search"])),
        empty_looks=document["empty_looks"],
        calendar_hold=document["calendar_hold"],
        calendar_failures=document["calendar_failures"],
        psa_hold=document["psa_hold"],
        psa_failures=document["psa_failures"],
    )


def _tokens(secrets: dict[str, str]) -> Tokens:
    return Tokens(secrets["access"], secrets["refresh"], datetime.fromisoformat(secrets["expires_at"]))


def signals_from_document(document: Document) -> Signals:
    """Return the hints that a document holds."""
    return Signals(
        requested=document.get("requested", 0),
        served=document.get("served", 0),
        changes_since=document.get("changes_since"),
        profile_check=document.get("profile_check", 0),
        profile_checked=document.get("profile_checked", 0),
    )
