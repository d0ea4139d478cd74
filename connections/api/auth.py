"""API keys: who calls, what they may do, and for which tenant."""

import uuid
from dataclasses import dataclass, field
from typing import TypeVar

from django.http import HttpRequest
from ninja.security import HttpBearer

from connections.database.clock import database_now
from connections.entrance import actor_of, client_address
from connections.journal import audit
from connections.lifecycle.provision.api_clients import hash_key
from connections.lifecycle.provision.refused_keys import note_refused_key
from connections.models import ApiClient, ApiKey, Connection, Permission, Tenant
from connections.refusals import InvalidRequest, NotFound, PermissionDenied, Suspended, Unauthorized

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated API client, and where it calls from."""

    client: ApiClient
    actor: audit.Actor

    def tenant(self, slug: str | None) -> Tenant:
        """Return the tenant that the call is about: the client's own, or the one an operator-wide client names.

        Raises ``NotFound`` for an unknown or another's tenant, ``InvalidRequest`` if an operator-wide one names none.
        """
        own = self.client.tenant
        if own is not None:
            if slug is not None and slug != own.slug:
                raise NotFound("There is no such tenant.")
            return own
        if slug is None:
            raise _unnamed()
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise NotFound("There is no such tenant.")
        return tenant

    def connection(self, connection_id: uuid.UUID, slug: str | None) -> Connection:
        """Return one connection of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
        tenant = self.tenant(slug)
        connection = (
            Connection.objects.for_tenant(tenant.id)
            .select_related("tenant", "provider_app")
            .filter(id=connection_id)
            .first()
        )
        if connection is None:
            raise NotFound("There is no such connection.")
        return connection


def _unnamed() -> InvalidRequest:
    return InvalidRequest("An operator-wide API client has to name the tenant.", field="tenant")


class ApiKeyAuth(HttpBearer):
    """``Authorization: Bearer lk_…``, checked against the stored hash."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        key = (
            ApiKey.objects.select_related("client", "client__tenant")
            .filter(key_hash=hash_key(token), revoked_at=None, expires_at__gt=database_now())
            .first()
        )
        if key is None or key.client.suspended_at is not None:
            note_refused_key(hash_key(token), address=client_address(request))
        if key is None:
            raise Unauthorized("The API key is missing, unknown, revoked or expired.")
        if key.client.suspended_at is not None:
            raise Suspended("This API client is suspended.")
        return Caller(key.client, actor_of(request, client=key.client))


def caller_of(request: HttpRequest, *, may: Permission) -> Caller:
    """Return who calls, as ``ApiKeyAuth`` found. Raises ``PermissionDenied`` unless the client has ``may``."""
    caller = _found_by_auth(request, Caller)
    if may not in caller.client.permissions:
        raise PermissionDenied(f"This API client lacks the permission {may.value!r}.")
    return caller


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key that the vend's own statement will check, so that a vend costs one round trip."""

    key_hash: bytes = field(repr=False)
    address: str | None

    def must_name_tenant(self) -> None:
        """Raise ``InvalidRequest`` if the key is operator-wide: a call of such a client has to name the tenant."""
        if ApiKey.objects.filter(key_hash=self.key_hash, client__tenant=None).exists():
            raise _unnamed()


class VendKeyAuth(HttpBearer):
    """The same header, left to ``lifecycle.vend`` to check."""

    def authenticate(self, request: HttpRequest, token: str) -> PresentedKey:
        return PresentedKey(hash_key(token), client_address(request))


def presented_key_of(request: HttpRequest) -> PresentedKey:
    """Return the key that ``VendKeyAuth`` found."""
    return _found_by_auth(request, PresentedKey)


def _found_by_auth(request: HttpRequest, kind: type[T]) -> T:
    found = getattr(request, "auth", None)  # set by ninja
    if not isinstance(found, kind):
        raise TypeError(f"This operation's router does not authenticate for a {kind.__name__}.")
    return found
