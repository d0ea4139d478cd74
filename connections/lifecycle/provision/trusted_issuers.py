"""Trusted issuers: whose tokens are believed, and which of their tokens are which API client.

Who may change this may let somebody in. So operators do, and operator-wide API clients within their own reach
(``provision.reach``). A tenant's client trusts issuers of its own end users and agents, and none of callers: a token of
the operator's could then be two clients at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from connections.journal import audit
from connections.lifecycle.identify.conditions import check_conditions
from connections.lifecycle.policy.reach import check_reach, note_hand
from connections.models import ApiClient, CallerRule, IssuerUse, ProvenToken, Tenant, TrustedIssuer
from connections.models.mutators import differs
from connections.refusals import InvalidRequest, NotFound, PermissionDenied
from providers.egress import may_call
from providers.oauth.issuer_keys import ALGORITHMS, usable_keys

DEFAULT_ALGORITHMS = ("RS256", "ES256", "EdDSA")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MOST_KEYS = 50
_MOST_RULES = 200


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe, and for what: the fields are those of ``models.TrustedIssuer``."""

    use: IssuerUse
    issuer: str
    audience: str
    keys: Sequence[Mapping[str, Any]] | None = None
    jwks_url: str = ""
    algorithms: Sequence[str] = DEFAULT_ALGORITHMS
    claim: str = "sub"
    groups_claim: str = ""
    tenant_claim: str = ""
    max_lifetime_seconds: int = 3600
    leeway_seconds: int = 30

    def terms(self) -> dict[str, Any]:
        """Return what may change of an issuer that is trusted already."""
        return {
            "keys": None if self.keys is None else [dict(key) for key in self.keys],
            "jwks_url": self.jwks_url,
            "algorithms": list(dict.fromkeys(self.algorithms)),
            "claim": self.claim,
            "groups_claim": self.groups_claim,
            "tenant_claim": self.tenant_claim,
            "max_lifetime_seconds": self.max_lifetime_seconds,
            "leeway_seconds": self.leeway_seconds,
        }


def trust_issuer(
    trust: Trust, *, tenant: Tenant | None, within: ApiClient | None = None, actor: audit.Actor
) -> TrustedIssuer:
    """Have the tokens of an issuer believed by ``tenant`` (None: by the operator), or change on which terms.

    One issuer is trusted once for a use and an audience. What was proven by it has to be proven again. Where nothing
    changes, nothing is written. One transaction with an audit row. Raises ``InvalidRequest``, which names the field,
    and ``PermissionDenied`` for what is beyond ``within``. Makes no request.
    """
    check_trust(trust, tenant=tenant)
    _check_bounds(trust.use, within=within)
    terms = trust.terms()
    with transaction.atomic():
        row, is_new = TrustedIssuer.objects.get_or_create(
            tenant=tenant, use=trust.use, issuer=trust.issuer, audience=trust.audience, defaults=terms
        )
        for rule in row.rules.select_related("client"):
            check_reach(rule.client, within=within)  # whoever says which keys are believed can be that client
        for column, value in terms.items():
            setattr(row, column, value)
        if not is_new and not differs(row, *terms):
            return row
        row.save(update_fields=list(terms))
        for rule in row.rules.select_related("client"):
            note_hand(rule.client, within=within)
        ProvenToken.objects.filter(rule__issuer=row).delete()
        audit.record("issuer.trusted", actor=actor, tenant_id=row.tenant_id, detail=_told(row))
    return row


def trust_new_issuer(
    trust: Trust, *, tenant: Tenant | None, within: ApiClient | None = None, actor: audit.Actor
) -> tuple[TrustedIssuer, bool]:
    """Have the tokens of an issuer believed; return it, and whether it is new. One of these very terms is returned.

    The parameters and the refusals are those of ``trust_issuer``; ``InvalidRequest`` also where the issuer is trusted
    for this use and audience on other terms.
    """
    named = {"tenant": tenant, "use": trust.use, "issuer": trust.issuer, "audience": trust.audience}
    known = TrustedIssuer.objects.filter(**named).first()
    if known is not None and any(getattr(known, column) != value for column, value in trust.terms().items()):
        raise InvalidRequest(
            "This issuer is trusted for this use and audience already, on other terms.", field="issuer"
        )
    return trust_issuer(trust, tenant=tenant, within=within, actor=actor), known is None


def distrust_issuer(row: TrustedIssuer, *, actor: audit.Actor) -> None:
    """Believe an issuer no more, nor what was proven by it. One transaction with an audit row."""
    with transaction.atomic():
        told = _told(row)
        TrustedIssuer.objects.filter(id=row.id).delete()
        audit.record("issuer.distrusted", actor=actor, tenant_id=row.tenant_id, detail=told)


def add_caller_rule(
    issuer: TrustedIssuer,
    client: ApiClient,
    conditions: Sequence[Mapping[str, Any]],
    *,
    within: ApiClient | None = None,
    actor: audit.Actor,
) -> CallerRule:
    """Have the tokens of ``issuer`` for which all ``conditions`` hold be ``client``. One transaction, an audit row.

    A rule that is there already is not made twice. Raises ``InvalidRequest``, ``NotFound`` for another tenant's client,
    and ``PermissionDenied`` where ``client`` may do more than ``within``.
    """
    _check_bounds(IssuerUse.CALLER, within=within)
    check_reach(client, within=within)
    wanted = [dict(condition) for condition in conditions]
    check_rule(issuer, client, wanted)
    with transaction.atomic():
        rule, is_new = CallerRule.objects.get_or_create(issuer=issuer, client=client, conditions=wanted)
        if is_new:
            note_hand(client, within=within)
            audit.record("caller_rule.added", actor=actor, tenant_id=client.tenant_id, detail=_told_rule(rule))
    return rule


def remove_caller_rule(rule: CallerRule, *, actor: audit.Actor) -> None:
    """Remove a rule: its tokens are that client no more, from the next call on. One transaction with an audit row."""
    with transaction.atomic():
        told, tenant_id = _told_rule(rule), rule.client.tenant_id
        CallerRule.objects.filter(id=rule.id).delete()
        audit.record("caller_rule.removed", actor=actor, tenant_id=tenant_id, detail=told)


def _check_bounds(use: str, *, within: ApiClient | None) -> None:
    """Raise ``PermissionDenied`` where the client ``within`` may not say whose tokens of this use are believed."""
    if within is None:
        return
    if use == IssuerUse.CALLER and within.tenant_id is not None:
        raise PermissionDenied("Only an operator-wide API client may say which tokens are API clients.")
    if use != IssuerUse.CALLER and within.demands_verified:
        raise PermissionDenied("An API client that has to prove for whom it calls cannot say whose proof counts.")


def check_trust(trust: Trust, *, tenant: Tenant | None) -> None:
    """Raise ``InvalidRequest`` for an issuer that cannot be trusted like this. No I/O."""
    _check_issuer(trust)
    if not 0 < len(trust.audience) <= 500 or not trust.audience.isprintable():
        raise InvalidRequest("Name the audience that its tokens must have: yours, and nobody else's.", field="audience")
    if not trust.algorithms or not set(trust.algorithms) <= {*ALGORITHMS}:
        raise InvalidRequest(f"Choose among {', '.join(ALGORITHMS)}: no shared key is trusted.", field="algorithms")
    if not 60 <= trust.max_lifetime_seconds <= 86_400:
        raise InvalidRequest("A token may live for 60 to 86400 seconds.", field="max_lifetime_seconds")
    if not 0 <= trust.leeway_seconds <= 300:
        raise InvalidRequest("Clocks may differ by up to 300 seconds.", field="leeway_seconds")
    for name in ("claim", "groups_claim", "tenant_claim"):
        if not len(getattr(trust, name)) <= 200:
            raise InvalidRequest("A claim has a name of up to 200 characters.", field=name)
    if not trust.claim:
        raise InvalidRequest("Name the claim that holds the id.", field="claim")
    if trust.use is IssuerUse.END_USER and tenant is None and not trust.tenant_claim:
        raise InvalidRequest(
            "An issuer for the end users of all tenants needs a claim that names the tenant.", field="tenant_claim"
        )


def _check_issuer(trust: Trust) -> None:
    """Raise ``InvalidRequest`` unless the issuer has a name, and keys in one way. No I/O."""
    try:
        parts = urlsplit(trust.issuer)
    except ValueError:
        parts = urlsplit("")
    if len(trust.issuer) > 500 or not trust.issuer.isprintable() or not (parts.scheme and parts.netloc):
        raise InvalidRequest("An issuer is a URL, exactly as its tokens write it.", field="issuer")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidRequest("An issuer has no user name, query or fragment.", field="issuer")
    if trust.keys is not None and trust.jwks_url:
        raise InvalidRequest("Give either the keys or their address.", field="keys")
    if trust.keys is not None:
        check_keys(trust.keys, field="keys")
    elif trust.jwks_url:
        check_address(trust.jwks_url, field="jwks_url")
    elif parts.scheme == "spiffe":
        raise InvalidRequest("A trust domain has no metadata: give its keys, or their address.", field="jwks_url")
    else:
        check_address(trust.issuer, field="issuer")


def check_keys(keys: Sequence[Mapping[str, Any]], *, field: str) -> None:
    """Raise ``InvalidRequest`` unless these are public keys (JWKs) with which a signature can be checked. No I/O."""
    if not 0 < len(keys) <= _MOST_KEYS:
        raise InvalidRequest(f"Give 1 to {_MOST_KEYS} keys.", field=field)
    if any(_PRIVATE & set(key) for key in keys):
        raise InvalidRequest("There is a private or a shared key among them: give the public halves.", field=field)
    if usable_keys(keys) != len(keys):
        raise InvalidRequest(
            "One of the keys cannot be used: RSA of 2048 bits or more, P-256 to P-521, Ed25519.", field=field
        )


def check_address(url: str, *, field: str) -> None:
    """Raise ``InvalidRequest`` unless this address may be called. No I/O."""
    if len(url) > 1000 or not may_call(url):
        raise InvalidRequest("This address may not be called from here: it has to be public, and https.", field=field)


def check_rule(issuer: TrustedIssuer, client: ApiClient, conditions: Any) -> None:
    """Check a rule before it is stored. One query.

    Raises ``NotFound`` if ``client`` is not of the issuer's tenant, and ``InvalidRequest`` for all else that is wrong.
    """
    if issuer.use != IssuerUse.CALLER:
        raise InvalidRequest("Only an issuer of callers has rules.", field="issuer")
    if issuer.tenant_id is not None and issuer.tenant_id != client.tenant_id:
        raise NotFound("There is no such API client.")
    check_conditions(conditions)
    if issuer.rules.count() >= _MOST_RULES:
        raise InvalidRequest(f"An issuer has up to {_MOST_RULES} rules.", field="conditions")


def _told(row: TrustedIssuer) -> dict[str, Any]:
    return {"trusted_issuer": str(row.id), "use": str(row.use), "issuer": row.issuer, "audience": row.audience}


def _told_rule(rule: CallerRule) -> dict[str, Any]:
    return {
        "caller_rule": str(rule.id),
        "trusted_issuer": str(rule.issuer_id),
        "api_client": str(rule.client_id),
        "conditions": rule.conditions,
    }
