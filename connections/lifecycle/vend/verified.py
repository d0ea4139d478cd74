"""For whom a vend is, by tokens: the end user and the agent, verified before anything is decided.

What the caller says beside a token has to be the same. A token for the end user also says in which groups they are, so
none may be named beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.identify.parties import Vouched, vouched_for
from connections.lifecycle.identify.tokens import TokenRefused
from connections.lifecycle.provision.callers import (
    Known,
    check_permission,
    check_stopped,
    known_by,
    refuse_key,
    tenant_meant,
)
from connections.lifecycle.vend.order import is_everybody_verified
from connections.models import IssuerUse, Permission, Tenant
from connections.refusals import IdentityTokenRefused, InvalidRequest, NotFound, Refusal


@dataclass(frozen=True, slots=True)
class Parties:
    """For whom a call is made: as the caller says, and for those with an issuer as the issuer says too."""

    end_user: str | None = None
    groups: Sequence[str] = ()
    agent: str = ""
    end_user_issuer: str = ""
    agent_issuer: str = ""

    @property
    def is_verified(self) -> bool:
        """Whether everybody who is named was verified: an end user, and the agent if there is one."""
        return is_everybody_verified(
            end_user_issuer=self.end_user_issuer, agent=self.agent, agent_issuer=self.agent_issuer
        )


@dataclass(frozen=True, slots=True)
class IdentityTokens:
    """The tokens that name the end user and the agent; "" for none. ``fields`` are their names in the request.

    ``exchanged`` is the token that the provider exchanges, so that the credential acts for whomever that names.
    """

    end_user: str = ""
    agent: str = ""
    exchanged: str = field(default="", repr=False)
    fields: Sequence[str] = ("end_user_token", "agent_token", "subject_token")


def verified_parties(
    said: Parties,
    tokens: IdentityTokens,
    *,
    key_hash: bytes,
    tenant: str | None,
    asker: audit.Actor,
    may: Permission = Permission.VEND,
    action: str = "credential.vend",
) -> Parties:
    """Return for whom the call is, with what ``tokens`` say in the place of what the caller has ``said``.

    A few queries; may fetch issuers' keys (HTTP), and gives the thread's database connection back before. Raises
    ``IdentityTokenRefused`` in the same words whatever is wrong with a token, ``IssuerUnavailable``, ``InvalidRequest``
    where caller and token say different things, ``NotFound`` for another's tenant, and as a vend for the client itself.
    Where the client has to prove for whom it calls, what is exchanged has to name the verified end user too. Each
    refusal leaves an audit row of this ``action``.
    """
    known = known_by(key_hash, address=asker.address)
    if known is None:
        refuse_key(key_hash, address=asker.address)
    owner = known.client.tenant
    try:
        owner = _tenant_of(known, tenant, may=may)
        parties = said
        if tokens.end_user:
            parties = _with_end_user(parties, _vouched(tokens, 0, owner))
        if tokens.agent:
            parties = _with_agent(parties, _vouched(tokens, 1, owner))
        if known.client.demands_verified and tokens.end_user and tokens.exchanged not in ("", tokens.end_user):
            _check_exchanged(parties, _vouched(tokens, 2, owner))
    except (Refusal, _Disbelieved) as refused:
        detail = {"why": refused.why, "token": refused.field} if isinstance(refused, _Disbelieved) else {}
        refusal = refused.refusal() if isinstance(refused, _Disbelieved) else refused
        audit.record(
            action,
            decision=refusal.code,
            actor=replace(asker, api_client_id=known.client.id, proof=known.proof),
            tenant_id=owner.id if owner else None,
            detail=detail,
        )
        raise refusal from None
    return parties


class _Disbelieved(Exception):
    """The token in ``field`` is not believed; ``why`` is for the audit trail alone."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why

    def refusal(self) -> IdentityTokenRefused:
        return IdentityTokenRefused(
            "The token is not believed: its issuer, audience, lifetime and signature have to be those that are trusted"
            " for this tenant.",
            field=self.field,
        )


def _tenant_of(known: Known, slug: str | None, *, may: Permission) -> Tenant:
    check_stopped(known.client)
    check_permission(known.client.permissions, may=may)
    tenant = tenant_meant(known.client, slug)
    if tenant is None:
        raise NotFound("There is no such connection.")
    return tenant


def _vouched(tokens: IdentityTokens, number: int, tenant: Tenant) -> Vouched:
    token, use = (
        (tokens.end_user, IssuerUse.END_USER),
        (tokens.agent, IssuerUse.AGENT),
        (tokens.exchanged, IssuerUse.END_USER),
    )[number]
    try:
        return vouched_for(token, use=use, tenant=tenant, now=database_now())
    except TokenRefused as refused:
        raise _Disbelieved(tokens.fields[number], refused.why) from None


def _with_end_user(said: Parties, vouched: Vouched) -> Parties:
    if said.end_user not in (None, vouched.name):
        raise InvalidRequest("The token names another end user than the request.", field="end_user")
    if said.groups:
        raise InvalidRequest("The groups of a verified end user are those that the token names.", field="groups")
    return replace(said, end_user=vouched.name, groups=vouched.groups, end_user_issuer=vouched.issuer)


def _check_exchanged(parties: Parties, vouched: Vouched) -> None:
    if vouched.name != parties.end_user:
        raise InvalidRequest("This token is of another end user than the one who is verified.", field="subject_token")


def _with_agent(said: Parties, vouched: Vouched) -> Parties:
    if said.agent not in ("", vouched.name):
        raise InvalidRequest("The token names another agent than the request.", field="agent")
    return replace(said, agent=vouched.name, agent_issuer=vouched.issuer)
