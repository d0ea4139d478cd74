"""``/trusted-issuers``: whose tokens are believed, and which of them are which API client.

Without ``tenant`` a tenant's client means what its tenant trusts, and an operator-wide one what the operator trusts.
"""

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.api_clients import (
    CallerRuleIn,
    CallerRuleOut,
    CallerRulePage,
    IssuerIn,
    IssuerOut,
    IssuerPage,
    IssuerTerms,
    caller_rule_out,
    issuer_out,
)
from connections.api.auth import Caller, caller_of
from connections.api.conditional import as_seen
from connections.api.pages import Cursor, Limit, page_of
from connections.api.texts import Owner
from connections.lifecycle.provision.trusted_issuers import (
    add_caller_rule,
    distrust_issuer,
    remove_caller_rule,
    trust_issuer,
    trust_new_issuer,
)
from connections.models import ApiClient, CallerRule, IssuerUse, Permission, TrustedIssuer
from connections.refusals import NotFound

router = Router(tags=["trusted issuers"])


@router.post("", response={200: IssuerOut, 201: IssuerOut}, summary="Trust an issuer")
def create_trusted_issuer(request: HttpRequest, body: IssuerIn, tenant: Owner | None = None) -> Status[IssuerOut]:
    """Believe the tokens of an issuer, for one use and one audience. One trusted on these very terms is returned (200).

    `caller` tokens are API clients, by the issuer's rules: operator-wide clients only. `end_user` and `agent` tokens
    say for whom and as what a client calls.
    """
    caller = caller_of(request, may=Permission.CALLERS)
    row, is_new = trust_new_issuer(
        body.trust(use=body.use, issuer=body.issuer, audience=body.audience),
        tenant=caller.owner(tenant),
        within=caller.client,
        actor=caller.actor,
    )
    return Status(201 if is_new else 200, issuer_out(row))


@router.get("", response=IssuerPage, summary="List trusted issuers")
def list_trusted_issuers(
    request: HttpRequest,
    tenant: Owner | None = None,
    use: IssuerUse | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> IssuerPage:
    """List whom a tenant or the operator trusts, the newest first."""
    caller = caller_of(request, may=Permission.CALLERS)
    found = TrustedIssuer.objects.select_related("tenant").filter(tenant=caller.owner(tenant))
    found = found if use is None else found.filter(use=use)
    page, following = page_of(found, cursor, limit=limit)
    return IssuerPage(items=[issuer_out(row) for row in page], next=following)


@router.get("/{issuer_id}", response=IssuerOut, summary="Show one trusted issuer")
def get_trusted_issuer(request: HttpRequest, issuer_id: uuid.UUID, tenant: Owner | None = None) -> IssuerOut:
    """Show on which terms an issuer is trusted."""
    return issuer_out(_issuer(caller_of(request, may=Permission.CALLERS), issuer_id, tenant))


@router.put("/{issuer_id}", response=IssuerOut, summary="Change the terms of trust")
def put_trusted_issuer(
    request: HttpRequest, issuer_id: uuid.UUID, body: IssuerTerms, tenant: Owner | None = None
) -> IssuerOut:
    """Replace how the issuer's tokens are checked. What was proven by them has to be proven again."""
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    with as_seen(request, _issuer(caller, issuer_id, tenant), issuer_out) as row:
        trust = body.trust(use=row.use, issuer=row.issuer, audience=row.audience)
        return issuer_out(trust_issuer(trust, tenant=row.tenant, within=caller.client, actor=caller.actor))


@router.delete("/{issuer_id}", response={204: None}, summary="End the trust in an issuer")
def delete_trusted_issuer(request: HttpRequest, issuer_id: uuid.UUID, tenant: Owner | None = None) -> Status[None]:
    """Believe its tokens no more, from the next call on. Its rules are deleted."""
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    with as_seen(request, _issuer(caller, issuer_id, tenant), issuer_out) as row:
        distrust_issuer(row, actor=caller.actor)
    return Status(204, None)


@router.post("/{issuer_id}/rules", response={201: CallerRuleOut}, summary="Add a caller rule")
def create_caller_rule(
    request: HttpRequest, issuer_id: uuid.UUID, body: CallerRuleIn, tenant: Owner | None = None
) -> Status[CallerRuleOut]:
    """Have the tokens for which all conditions hold be one API client. A rule that is there is not made twice.

    Operator-wide clients only, and for no client that may do more than yourself.
    """
    caller = caller_of(request, may=Permission.CALLERS)
    issuer = _issuer(caller, issuer_id, tenant)
    # What is another tenant's is as unknown to a tenant's client as what is not there.
    theirs = {} if caller.client.tenant_id is None else {"tenant_id": caller.client.tenant_id}
    client = ApiClient.objects.filter(id=body.client, **theirs).first()
    if client is None:
        raise NotFound("There is no such API client.")
    rule = add_caller_rule(issuer, client, body.stored_conditions(), within=caller.client, actor=caller.actor)
    return Status(201, caller_rule_out(rule))


@router.get("/{issuer_id}/rules", response=CallerRulePage, summary="List an issuer's caller rules")
def list_caller_rules(
    request: HttpRequest,
    issuer_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> CallerRulePage:
    """List which tokens of the issuer are which API client, the newest rule first."""
    issuer = _issuer(caller_of(request, may=Permission.CALLERS), issuer_id, tenant)
    found = CallerRule.objects.filter(issuer=issuer)
    page, following = page_of(found, cursor, limit=limit)
    return CallerRulePage(items=[caller_rule_out(row) for row in page], next=following)


@router.get("/{issuer_id}/rules/{rule_id}", response=CallerRuleOut, summary="Show one caller rule")
def get_caller_rule(
    request: HttpRequest, issuer_id: uuid.UUID, rule_id: uuid.UUID, tenant: Owner | None = None
) -> CallerRuleOut:
    """Show one rule: which tokens are which API client."""
    issuer = _issuer(caller_of(request, may=Permission.CALLERS), issuer_id, tenant)
    return caller_rule_out(_rule(issuer, rule_id))


@router.delete("/{issuer_id}/rules/{rule_id}", response={204: None}, summary="Remove a caller rule")
def delete_caller_rule(
    request: HttpRequest, issuer_id: uuid.UUID, rule_id: uuid.UUID, tenant: Owner | None = None
) -> Status[None]:
    """Remove a rule: its tokens are that client no more, from the next call on."""
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    with as_seen(request, _rule(_issuer(caller, issuer_id, tenant), rule_id), caller_rule_out) as rule:
        remove_caller_rule(rule, actor=caller.actor)
    return Status(204, None)


def _issuer(caller: Caller, issuer_id: uuid.UUID, slug: str | None) -> TrustedIssuer:
    """Return one issuer that the owner trusts whom the call is about. Raises ``NotFound``, always in the same words."""
    found = TrustedIssuer.objects.select_related("tenant").filter(tenant=caller.owner(slug), id=issuer_id).first()
    if found is None:
        raise NotFound("There is no such trusted issuer.")
    return found


def _rule(issuer: TrustedIssuer, rule_id: uuid.UUID) -> CallerRule:
    found = CallerRule.objects.select_related("client").filter(issuer=issuer, id=rule_id).first()
    if found is None:
        raise NotFound("The issuer has no such rule.")
    return found
