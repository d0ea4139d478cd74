"""API clients, and their keys over time: issued, replaced with an overlap, and revoked."""

import ipaddress
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from connections.access.secrets import digest
from connections.journal import audit
from connections.lifecycle.policy.client_rules import check_rules
from connections.lifecycle.policy.reach import check_reach, note_hand
from connections.lifecycle.provision.brands import check_name
from connections.lifecycle.provision.trusted_issuers import check_address, check_keys
from connections.models import ApiClient, ApiKey, ManagementSession, Permission, Restriction, Tenant
from connections.models.mutators import differs
from connections.refusals import InvalidRequest

KEY_PREFIX = "lk_"
DEFAULT_KEY_LIFETIME = timedelta(days=365)
DEFAULT_OVERLAP = timedelta(hours=24)
MOST_NETWORKS = 100


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A fresh API key. ``key`` is shown only here: the database keeps only its hash."""

    id: uuid.UUID
    client: ApiClient
    key: str = field(repr=False)
    expires_at: datetime


def save_api_client(
    name: str,
    *,
    tenant: Tenant | None,
    permissions: Sequence[Permission],
    allows_unbound: bool = False,
    proxy_rules: Sequence[str] = (),
    networks: Sequence[str] | None = None,
    demands_verified: bool | None = None,
    within: ApiClient | None = None,
    actor: audit.Actor,
) -> ApiClient:
    """Make the API client ``name`` of ``tenant`` (operator-wide for None), or change what it may do.

    ``proxy_rules`` are texts (``policy.client_rules``), ``networks`` the only ones from which it may call. With
    ``demands_verified`` it calls only for those whom a token names. None keeps what these two were. Where nothing
    changes, nothing is written. One transaction with an audit row. Raises ``InvalidRequest``, and ``PermissionDenied``
    for more than ``within`` has itself, before or after.
    """
    check_permissions(permissions, tenant=tenant)
    check_networks(networks or ())
    kept = {"networks": None if networks is None else list(networks), "demands_verified": demands_verified}
    bounds = {name: value for name, value in kept.items() if value is not None}
    rules = check_rules(proxy_rules)
    terms = {
        "permissions": list(dict.fromkeys(permissions)),
        "allows_unbound": allows_unbound,
        "proxy_rules": rules,
        **bounds,
    }
    with transaction.atomic():
        client, is_new = ApiClient.objects.get_or_create(tenant=tenant, name=name, defaults=terms)
        check_reach(client, within=within)
        for column, value in terms.items():
            setattr(client, column, value)
        check_reach(client, within=within)
        if not is_new and not differs(client, *terms):
            return client
        client.save(update_fields=list(terms))
        note_hand(client, within=within)
        audit.record(
            "api_client.saved",
            actor=actor,
            tenant_id=tenant.id if tenant else None,
            detail={"api_client": str(client.id), "permissions": list(permissions)}
            | ({"proxy_rules": rules} if rules else {})
            | bounds,
        )
    return client


def check_permissions(permissions: Sequence[Permission], *, tenant: Tenant | None) -> None:
    """Raise ``InvalidRequest`` unless a client of ``tenant`` (operator-wide for None) may have ``permissions``."""
    if tenant is not None and Permission.TENANTS in permissions:
        raise InvalidRequest("Only an operator-wide client may manage tenants.", field="permissions")
    if tenant is not None and Permission.CATALOGUE in permissions:
        raise InvalidRequest("Only an operator-wide client may describe providers.", field="permissions")


def make_api_client(
    name: str,
    *,
    tenant: Tenant | None,
    permissions: Sequence[Permission],
    allows_unbound: bool,
    proxy_rules: Sequence[str],
    networks: Sequence[str],
    demands_verified: bool,
    within: ApiClient | None = None,
    actor: audit.Actor,
) -> tuple[ApiClient, bool]:
    """Make an API client; return it, and whether it is new. One with these very terms is returned as it is.

    The parameters and the refusals are those of ``save_api_client``; ``InvalidRequest`` also where a client of other
    terms has the name.
    """
    check_name(name)
    terms: dict[str, Any] = {
        "permissions": list(dict.fromkeys(permissions)),
        "allows_unbound": allows_unbound,
        "proxy_rules": check_rules(proxy_rules),
        "networks": list(networks),
        "demands_verified": demands_verified,
    }
    known = ApiClient.objects.filter(tenant=tenant, name=name).first()
    if known is not None and any(getattr(known, column) != value for column, value in terms.items()):
        raise InvalidRequest("There is an API client of this name already, with other terms.", field="name")
    return save_api_client(name, tenant=tenant, **terms, within=within, actor=actor), known is None


def check_networks(networks: Sequence[str]) -> None:
    """Raise ``InvalidRequest`` unless each of ``networks`` is an IP network in CIDR notation. No I/O."""
    for network in networks:
        try:
            known = ipaddress.ip_network(network)
        except ValueError:
            raise InvalidRequest(
                "A network is written in CIDR notation, as 10.0.0.0/8 or 2001:db8::/32.", field="networks"
            ) from None
        if known.version == 6 and known.network_address.ipv4_mapped is not None:
            raise InvalidRequest("Write a network of IPv4 addresses as one.", field="networks")
    if len(networks) > MOST_NETWORKS:
        raise InvalidRequest(f"A client has up to {MOST_NETWORKS} networks.", field="networks")


def register_assertion_keys(
    client: ApiClient,
    *,
    keys: Sequence[Mapping[str, Any]] | None,
    jwks_url: str = "",
    within: ApiClient | None = None,
    actor: audit.Actor,
) -> None:
    """Have ``client`` sign for itself with these public keys, or those at ``jwks_url``; with neither, no more.

    One transaction with an audit row; where nothing changes, nothing is written. Raises ``InvalidRequest``, and
    ``PermissionDenied`` where ``client`` may do more than ``within``. Makes no request.
    """
    check_reach(client, within=within)
    if keys is not None and jwks_url:
        raise InvalidRequest("Give either the keys or their address.", field="assertion_keys")
    if keys is not None:
        check_keys(keys, field="assertion_keys")
    if jwks_url:
        check_address(jwks_url, field="assertion_jwks_url")
    client.assertion_keys = None if keys is None else [dict(key) for key in keys]
    client.assertion_jwks_url = jwks_url
    if not differs(client, "assertion_keys", "assertion_jwks_url"):
        return
    with transaction.atomic():
        client.save(update_fields=["assertion_keys", "assertion_jwks_url"])
        note_hand(client, within=within)
        audit.record(
            "api_client.keys_registered",
            actor=actor,
            tenant_id=client.tenant_id,
            detail={"api_client": str(client.id), "keys": len(keys or ()), "jwks_url": jwks_url},
        )


def issue_key(
    client: ApiClient,
    *,
    now: datetime,
    lifetime: timedelta = DEFAULT_KEY_LIFETIME,
    within: ApiClient | None = None,
    actor: audit.Actor,
    key_id: uuid.UUID | None = None,
) -> IssuedKey:
    """Give ``client`` one more key: 256 random bits behind a visible prefix. One transaction.

    Where the client is held for suspicious use, the fresh key ends that, and every earlier key is revoked at once.
    A caller that may repeat itself chooses the row's ``key_id``: the second call then raises ``IntegrityError``.
    Raises ``PermissionDenied`` where ``client`` may do more than ``within``.
    """
    check_reach(client, within=within)
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        _end_hold(client, now=now, actor=actor)
        note_hand(client, within=within)
        row = ApiKey.objects.create(
            id=key_id or uuid.uuid4(),
            client=client,
            prefix=ApiKey.prefix_of(key),
            key_hash=digest(key),
            expires_at=now + lifetime,
        )
        audit.record(
            "api_key.issued",
            actor=actor,
            tenant_id=client.tenant_id,
            detail={"api_client": str(client.id), "api_key": str(row.id)},
        )
    return IssuedKey(row.id, client, key, row.expires_at)


def _end_hold(client: ApiClient, *, now: datetime, actor: audit.Actor) -> None:
    """Where ``client`` is held, revoke all its keys and hold it no longer. In the caller's transaction."""
    held = ApiClient.objects.filter(id=client.id, restriction=Restriction.HELD)
    if not held.update(restriction=Restriction.NONE):
        return
    client.restriction = Restriction.NONE
    for key in ApiKey.objects.select_related("client").filter(client=client, revoked_at=None):
        revoke_key(key, now=now, actor=actor)
    audit.record(
        "api_client.restricted",
        actor=actor,
        tenant_id=client.tenant_id,
        detail={"api_client": str(client.id)},
    )


def rotate_key(
    client: ApiClient,
    *,
    now: datetime,
    overlap: timedelta = DEFAULT_OVERLAP,
    lifetime: timedelta = DEFAULT_KEY_LIFETIME,
    within: ApiClient | None = None,
    actor: audit.Actor,
    key_id: uuid.UUID | None = None,
) -> IssuedKey:
    """Give ``client`` a fresh key, and let every earlier key end after ``overlap``; at once if it is held.

    One transaction. ``key_id`` and ``within`` as for ``issue_key``.
    """
    ends_at = now + overlap
    with transaction.atomic():
        ended = ApiKey.objects.filter(client=client, revoked_at=None, expires_at__gt=ends_at).update(expires_at=ends_at)
        issued = issue_key(client, now=now, lifetime=lifetime, within=within, actor=actor, key_id=key_id)
        audit.record(
            "api_key.rotated",
            actor=actor,
            tenant_id=client.tenant_id,
            detail={"api_client": str(client.id), "earlier_keys": ended, "earlier_keys_end_at": ends_at.isoformat()},
        )
    return issued


def shorten_key(key: ApiKey, *, ends_at: datetime, actor: audit.Actor) -> bool:
    """Have one key end at ``ends_at``, which is before it would end. Return False if it ends by then already.

    No key is ever prolonged. One transaction with an audit row.
    """
    with transaction.atomic():
        if not ApiKey.objects.filter(id=key.id, revoked_at=None, expires_at__gt=ends_at).update(expires_at=ends_at):
            return False
        audit.record(
            "api_key.shortened",
            actor=actor,
            tenant_id=key.client.tenant_id,
            detail={"api_client": str(key.client_id), "api_key": str(key.id), "ends_at": ends_at.isoformat()},
        )
    key.expires_at = ends_at
    return True


def revoke_key(key: ApiKey, *, now: datetime, actor: audit.Actor) -> bool:
    """Revoke one key at once, and end the visits that were asked for by it. Return False if it was revoked already.

    Whoever had the key may have sent its links to anybody. So the connect sessions that were asked for by it stop, too
    (``ConnectSession.is_suspended``).
    """
    with transaction.atomic():
        if not ApiKey.objects.filter(id=key.id, revoked_at=None).update(revoked_at=now):
            return False
        audit.record(
            "api_key.revoked",
            actor=actor,
            tenant_id=key.client.tenant_id,
            detail={"api_client": str(key.client_id), "api_key": str(key.id)},
        )
        ManagementSession.objects.filter(api_key_id=key.id, ended_at=None).update(ended_at=now, expires_at=now)
    key.revoked_at = now
    return True
