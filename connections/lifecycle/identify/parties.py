"""The end user for whom an API client calls, and the agent as which it does, by tokens that their issuers have signed.

An issuer of a tenant's own takes the place of the operator's of the same name. The operator's serves all tenants, so
its tokens name the tenant of their end user, and are good for no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from connections.lifecycle.identify.tokens import TokenRefused, claim_at, name_at, read_token, verify
from connections.models import IssuerUse, Tenant, TrustedIssuer

_MOST_GROUPS = 500
_LONGEST_GROUP = 255


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody whom an issuer vouches for: their id, the ``groups`` that they are in, and the issuer's name."""

    name: str
    groups: tuple[str, ...]
    issuer: str


def vouched_for(token: str, *, use: IssuerUse, tenant: Tenant, now: datetime) -> Vouched:
    """Return whom ``token`` names, if ``tenant`` trusts its issuer for this ``use``.

    One query; may fetch the issuer's keys (HTTP), and gives the thread's database connection back before. Raises
    ``TokenRefused`` and ``IssuerUnavailable``.
    """
    read = read_token(token)
    named_so = list(TrustedIssuer.objects.filter(Q(tenant=tenant) | Q(tenant=None), use=use, issuer__in=read.issuers))
    # Whatever the audience: a tenant that trusts an issuer for one takes the operator's word for no other.
    own = {issuer.issuer for issuer in named_so if issuer.tenant_id is not None}
    trusted = [issuer for issuer in named_so if issuer.tenant_id is not None or issuer.issuer not in own]
    trusted = [issuer for issuer in trusted if issuer.audience in read.audiences]
    if not trusted:
        raise TokenRefused("unknown")
    refused: TokenRefused | None = None
    named: set[Vouched] = set()
    for issuer in trusted:
        try:
            named.add(_named(verify(read, issuer, now=now), issuer, tenant))
        except TokenRefused as error:
            refused = refused or error
    if not named:
        raise refused or TokenRefused("unknown")
    if len(named) > 1:
        raise TokenRefused("ambiguous")
    return named.pop()


def _named(claims: Mapping[str, Any], issuer: TrustedIssuer, tenant: Tenant) -> Vouched:
    if issuer.tenant_claim and claim_at(claims, issuer.tenant_claim) != tenant.slug:
        raise TokenRefused("tenant")
    groups = claim_at(claims, issuer.groups_claim) if issuer.groups_claim else None
    names = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    lines = [name for name in names[:_MOST_GROUPS] if isinstance(name, str) and name.isprintable()]
    fitting = [name for name in lines if 0 < len(name) <= _LONGEST_GROUP]
    return Vouched(name_at(claims, issuer.claim), tuple(sorted(set(fitting))), issuer.issuer)
