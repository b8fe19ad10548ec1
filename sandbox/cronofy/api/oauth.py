"""Exchanging codes for tokens, renewing and revoking them."""

from __future__ import annotations

import hmac

from sandbox.cronofy.api.call import Call, Reply
from sandbox.cronofy.api.identity import show_userinfo
from sandbox.cronofy.api.showing import Shown
from sandbox.cronofy.api.site import Site
from sandbox.cronofy.model.notify import close_channel
from sandbox.cronofy.model.provider import provider_of
from sandbox.cronofy.model.state import World
from sandbox.cronofy.model.tokens import Grant

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def exchange_token(site: Site, call: Call) -> Reply:
    """Exchange a code, or renew a token."""
    if not _is_application(site.world, call):
        return _refused("invalid_client")
    match call.text("grant_type"):
        case "authorization_code":
            return _exchange_code(site.world, call)
        case "refresh_token":
            return _renew(site.world, call)
        case _:
            return _refused("unsupported_grant_type")


def _exchange_code(world: World, call: Call) -> Reply:
    exchanged = world.tokens.exchange(call.text("code"), call.text("redirect_uri") or None, call.now, world.settings)
    if exchanged is None:
        return _refused("invalid_grant")
    code, grant = exchanged
    profile = world.profiles[code.profile_id]
    shown = _show_grant(grant, call) | {
        "account_id": grant.sub,
        "sub": grant.sub,
        "linking_profile": {
            "provider_name": provider_of(profile.service).name,
            "provider_service": profile.service.value,
            "profile_id": profile.id,
            "profile_name": profile.name,
        },
    }
    if world.settings.token_shows_userinfo:
        shown["userinfo"] = show_userinfo(world.accounts[grant.sub], grant.scope, call.base_url)
    return Reply(200, shown, _NO_STORE)


def _renew(world: World, call: Call) -> Reply:
    grant = world.tokens.refresh(call.text("refresh_token"), call.now, world.settings)
    return _refused("invalid_grant") if grant is None else Reply(200, _show_grant(grant, call), _NO_STORE)


def _show_grant(grant: Grant, call: Call) -> Shown:
    return {
        "token_type": "bearer",
        "access_token": grant.access_token,
        "expires_in": int((grant.expires - call.now).total_seconds()),
        "refresh_token": grant.refresh_token,
        "scope": grant.scope,
    }


def revoke_token(site: Site, call: Call) -> Reply:
    """Revoke an authorization by one of its tokens or its `sub`. What is unknown counts as revoked."""
    if not _is_application(site.world, call):
        return _refused("invalid_client")
    sub = site.world.tokens.owner(call.text("token")) if call.text("token") else call.text("sub")
    if sub in site.world.accounts:
        end_authorization(site.world, sub)
    return Reply(200)


def end_authorization(world: World, sub: str) -> None:
    """End all that an account let the application do: tokens and channels."""
    world.tokens.revoke(sub)
    for channel in list(world.accounts[sub].channels):
        close_channel(world, channel)


def _is_application(world: World, call: Call) -> bool:
    secret = call.text("client_secret").encode()
    known = (hmac.compare_digest(secret, active.encode()) for active in world.application.client_secrets)
    return call.text("client_id") == world.application.client_id and any(known)


def _refused(error: str) -> Reply:
    return Reply(400, {"error": error}, _NO_STORE)
