"""Who calls, and for whom: the same keys, tokens and headers as those of the proxy.

The key or token of the API client comes as Bearer, and it needs the permission ``proxy``. Tenant, end user and agent
come in the headers ``Latchkey-…``: the host of an agent sets them, and no model does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connections.api.auth import PresentedKey, presented_by
from connections.api.schemas import VendIn
from connections.api.vend_calls import parties_of
from connections.lifecycle.policy.decide import Action, UseRequest
from connections.lifecycle.provision.callers import (
    check_permission,
    check_stopped,
    known_by,
    note_refused_key,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.vend.refusal import unverified
from connections.lifecycle.vend.verified import Parties
from connections.models import ApiClient, Permission, Tenant
from connections.refusals import NotFound, Suspended


@dataclass(frozen=True, slots=True)
class Admission:
    """An API client that has proven itself, what it states of the call, and how long it waits for a refresh."""

    client: ApiClient
    presented: PresentedKey
    said: VendIn = field(repr=False)
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom a tool works: the tenant, the end user and the agent, verified where the client has to prove them."""

    admission: Admission
    tenant: Tenant
    parties: Parties

    def asks(self, scopes: Sequence[str] = ()) -> UseRequest:
        """Return who asks, as ``policy`` wants it."""
        client = self.admission.client
        return UseRequest(
            action=Action.PROXY,
            client_id=client.id,
            end_user=self.parties.end_user,
            groups=self.parties.groups,
            agent=self.parties.agent,
            may_act_without_user=Permission.VEND_WITHOUT_USER in client.permissions,
            scopes=scopes,
        )


def admit(bearer: str, said: VendIn, *, address: str | None, wait_seconds: float) -> Admission:
    """Return the API client that ``bearer`` proves. A few queries; HTTP at times, where it is a token.

    Raises ``Unauthorized``, ``Suspended``, ``ClientHeld``, ``PermissionDenied`` and ``IssuerUnavailable``.
    """
    presented = presented_by(bearer, address=address, at_mcp=True)
    known = known_by(presented.key_hash, address=address)
    if known is None:
        refuse_key(presented.key_hash, address=address)
    client = known.client
    if client.is_stopped:
        note_refused_key(presented.key_hash, address=address)
    check_stopped(client)
    check_permission(client.permissions, may=Permission.PROXY)
    return Admission(client, presented, said, wait_seconds)


def standing_of(admission: Admission) -> Standing:
    """Return for whom a tool works. A few queries; HTTP at times, where tokens name the end user or the agent.

    Raises ``InvalidRequest`` where an operator-wide client names no tenant, ``NotFound``, ``Suspended`` and
    ``PolicyDenied`` for a tenant or people of whom the client may not speak, and as ``verified_parties``.
    """
    said, client = admission.said, admission.client
    tenant = tenant_meant(client, said.tenant)
    if tenant is None:
        raise NotFound("There is no such tenant.")
    if tenant.suspended_at is not None:
        raise Suspended("An operator has switched this off.")
    parties = parties_of(admission.presented, said, may=Permission.PROXY, action="mcp.call")
    if client.demands_verified and not parties.is_verified:
        raise unverified()
    return Standing(admission, tenant, parties)
