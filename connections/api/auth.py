"""Authentication of API calls: from the header to the caller.

What makes a key valid is ``provision.callers``, and what makes a token ``identify.callers``. From there on both are
one: a digest by which the client is known.
"""

import uuid
from dataclasses import dataclass, field
from typing import TypeVar

from django.http import HttpRequest
from ninja.security import HttpBearer

from connections.access.secrets import digest
from connections.api.conditional import refuse_condition
from connections.api.idempotency import begin_once
from connections.entrance import actor_of, client_address
from connections.journal import audit
from connections.lifecycle.identify.callers import is_token, prove_caller
from connections.lifecycle.provision.callers import (
    check_pace,
    check_permission,
    check_stopped,
    known_by,
    note_refused_key,
    refuse_key,
    tenant_meant,
)
from connections.models import ApiClient, Connection, Permission, Tenant
from connections.refusals import NotFound, PermissionDenied

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated API client, and where it calls from. ``key_id`` is its key, None where it brought a token."""

    client: ApiClient
    actor: audit.Actor
    key_id: uuid.UUID | None = None

    def tenant(self, slug: str | None) -> Tenant:
        """Return the tenant that the call is about: the client's own, or the one an operator-wide client names.

        Raises ``NotFound`` for an unknown tenant or one of somebody else's, ``InvalidRequest`` if an operator-wide
        client names none.
        """
        tenant = tenant_meant(self.client, slug)
        if tenant is None:
            raise NotFound("There is no such tenant.")
        return tenant

    def owner(self, slug: str | None) -> Tenant | None:
        """Return whose thing the call is about: that of a tenant, or the operator's own (None).

        It is the operator's where an operator-wide client names no tenant. Raises ``NotFound`` as ``tenant`` does.
        """
        return None if slug is None and self.client.tenant_id is None else self.tenant(slug)

    def connection(self, connection_id: uuid.UUID, slug: str | None) -> Connection:
        """Return one connection of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
        tenant = self.tenant(slug)
        connection = (
            Connection.objects.for_callers_of(tenant.id)
            .select_related("tenant", "provider_app")
            .filter(id=connection_id)
            .first()
        )
        if connection is None:
            raise NotFound("There is no such connection.")
        if connection.is_canary:  # a vend or a proxied call has a row of its own; the tenant's readers see neither
            audit.record("connection.read", actor=self.actor, connection_id=connection.id)
        return connection


class ApiKeyAuth(HttpBearer):
    """``Authorization: Bearer lk_…``, checked against the stored hash, or the token of a workload, verified."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        presented = presented_by(token, address=client_address(request))
        known = known_by(presented.key_hash, address=presented.address)
        if known is None:
            refuse_key(presented.key_hash, address=presented.address)
        client = known.client
        if client.is_stopped:
            note_refused_key(presented.key_hash, address=presented.address)
        check_stopped(client)
        check_pace(client.id, restriction=client.restriction)
        return Caller(client, actor_of(request, client=client, proof=known.proof), known.key_id)


def caller_of(request: HttpRequest, *, may: Permission, conditional: bool = False) -> Caller:
    """Return who calls, as ``ApiKeyAuth`` found, and begin the call if it names an idempotency key.

    ``conditional``: the call heeds ``If-Match``; of any other a condition is refused. Raises ``PermissionDenied``
    unless the client has ``may``, ``InvalidRequest``, and as ``begin_once``.
    """
    caller = _found_by_auth(request, Caller)
    check_permission(caller.client.permissions, may=may)
    refuse_condition(request, heeds_match=conditional)
    begin_once(request, caller.client)
    return caller


def operator_of(request: HttpRequest, *, may: Permission, conditional: bool = False) -> Caller:
    """Return who calls, for what concerns every tenant. Raises ``PermissionDenied`` unless it is operator-wide."""
    caller = caller_of(request, may=may, conditional=conditional)
    if caller.client.tenant_id is not None:
        raise PermissionDenied("Only an operator-wide API client may do this: it concerns more than one tenant.")
    return caller


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key that nobody has checked yet: the vend's own statement checks it, so that a vend costs one round trip.

    A token has been verified, and is checked in the same way: its client may be suspended, or call from elsewhere.
    """

    key_hash: bytes = field(repr=False)
    address: str | None


def presented_by(bearer: str, *, address: str | None, at_mcp: bool = False) -> PresentedKey:
    """Return what ``bearer`` is known by. Verifies a token (HTTP at times). ``at_mcp`` and errors: ``prove_caller``."""
    known_as = prove_caller(bearer, address=address, at_mcp=at_mcp) if is_token(bearer) else digest(bearer)
    return PresentedKey(known_as, address)


class VendKeyAuth(HttpBearer):
    """Reads the same header without a check of the key: ``lifecycle.vend`` does that."""

    def authenticate(self, request: HttpRequest, token: str) -> PresentedKey:
        return presented_by(token, address=client_address(request))


def presented_key_of(request: HttpRequest) -> PresentedKey:
    """Return the key that ``VendKeyAuth`` found."""
    return _found_by_auth(request, PresentedKey)


def _found_by_auth(request: HttpRequest, kind: type[T]) -> T:
    found = getattr(request, "auth", None)  # set by ninja
    if not isinstance(found, kind):
        raise TypeError(f"This operation's router does not authenticate for a {kind.__name__}.")
    return found
