"""The API client that a workload's token is: a JWT of Kubernetes, a CI system, SPIFFE or any OpenID Connect issuer.

A token that was verified is kept by its digest for minutes (``ProvenToken``), and stands for its client meanwhile as a
key does: ``provision.callers`` and the statement of the vend look for both. So whatever comes after is one for both.
"""

from datetime import UTC, datetime, timedelta
from typing import NoReturn

from django.db.models import F, Q
from django.db.models.functions import Now

from connections.access.addresses import PATH_OF_AGENTS, address_of_agents
from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.journal import audit
from connections.journal.flood import Gate
from connections.lifecycle.identify.conditions import hold
from connections.lifecycle.identify.tokens import ReadToken, TokenRefused, read_token, verify
from connections.models import CallerRule, IssuerUse, ProvenToken
from connections.refusals import Unauthorized

STANDS_FOR = timedelta(minutes=5)
_KEYS_BEGIN = "lk_"
_MOST_RULES = 1000
_LONGEST_SUBJECT = 255

gate = Gate()


def is_token(bearer: str) -> bool:
    """Whether a bearer is no key, and has the form of a token. No I/O."""
    return "." in bearer and not bearer.startswith(_KEYS_BEGIN)


def prove_caller(token: str, *, address: str | None, at_mcp: bool = False) -> bytes:
    """Have ``token`` stand for the API client that it is, for as long as it lives: minutes at the most.

    Returns the digest by which it does. ``at_mcp``: for the endpoint of agents, whose address some issuers have as
    their audience. What is proven there is known by another digest, and those issuers are believed nowhere else: a host
    of agents keeps such tokens, and no tool of theirs vends.

    Two short queries, one for a token that was proven before; may fetch an issuer's keys (HTTP), and gives the thread's
    database connection back before. Raises ``Unauthorized``, always in the same words, with an audit row that says why
    (as many as ``journal.flood`` allows); and ``IssuerUnavailable``.
    """
    token_hash = digest(f"{PATH_OF_AGENTS} {token}" if at_mcp else token)
    if ProvenToken.objects.filter(token_hash=token_hash, expires_at__gt=Now()).exists():
        return token_hash
    now = database_now()
    try:
        read = read_token(token)
        rule = _rule_for(read, now=now, at_mcp=at_mcp)
    except TokenRefused as refused:
        refuse_token(refused.why, address=address)
    ends_at = min(now + STANDS_FOR, datetime.fromtimestamp(float(read.claims["exp"]), tz=UTC))
    proven = ProvenToken(
        token_hash=token_hash,
        client_id=rule.client_id,
        rule=rule,
        proof={"issuer": rule.issuer.issuer, "subject": _subject(read)},
        # A token whose clock runs late is believed within its issuer's leeway, for a moment.
        expires_at=max(ends_at, now + timedelta(seconds=1)),
    )
    ProvenToken.objects.bulk_create(
        [proven],
        update_conflicts=True,
        unique_fields=["token_hash"],
        update_fields=["client", "rule", "proof", "expires_at"],
    )
    return token_hash


def refuse_token(why: str, *, address: str | None) -> NoReturn:
    """Record that a caller's token is not believed, and raise ``Unauthorized``. One short query at most."""
    if (detail := gate.admit(address)) is not None:
        audit.record("caller_token.refused", decision=why, actor=audit.Actor(address=address), detail=detail)
    raise Unauthorized("The token is not one of an API client's.")


def _rule_for(read: ReadToken, *, now: datetime, at_mcp: bool) -> CallerRule:
    """Return the rule that makes the token an API client. Raises ``TokenRefused``, and if there are several clients.

    Rules are looked at before the signature, so that a token which is nobody's makes nobody fetch keys.
    """
    found = CallerRule.objects.select_related("issuer", "client").filter(
        issuer__use=IssuerUse.CALLER, issuer__issuer__in=read.issuers, issuer__audience__in=read.audiences
    )
    if not at_mcp:
        found = found.exclude(issuer__audience=address_of_agents())
    # What a tenant trusts makes no client of another tenant's, whatever is stored.
    found = found.filter(Q(issuer__tenant=None) | Q(issuer__tenant=F("client__tenant")))
    rules = [rule for rule in found[:_MOST_RULES] if hold(rule.conditions, read.claims)]
    if not rules:
        raise TokenRefused("unknown")
    verified: list[CallerRule] = []
    refused: TokenRefused | None = None
    outcomes: dict[object, TokenRefused | None] = {}
    for rule in rules:
        if rule.issuer_id not in outcomes:
            outcomes[rule.issuer_id] = None
            try:
                verify(read, rule.issuer, now=now)
            except TokenRefused as error:
                outcomes[rule.issuer_id] = error
        refused = refused or outcomes[rule.issuer_id]
        if outcomes[rule.issuer_id] is None:
            verified.append(rule)
    if not verified:
        raise refused or TokenRefused("unknown")
    if len({rule.client_id for rule in verified}) > 1:
        raise TokenRefused("ambiguous")
    return verified[0]


def _subject(read: ReadToken) -> str:
    subject = read.claims.get("sub")
    text = subject if isinstance(subject, str) else ""
    return "".join(mark for mark in text if mark.isprintable())[:_LONGEST_SUBJECT]
