"""Ask ``decide`` with the access grants that there are, and refuse in words that a caller can act on."""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import F

from connections.lifecycle.policy.decide import Denied, Rule, UseFacts, UseRequest, decide_use, needs_grant
from connections.models import AccessGrant
from connections.refusals import PolicyDenied

_DETAIL = {
    Rule.NO_USER: "No end user was named, and this client may not act without one.",
    Rule.OTHER_USER: "This connection belongs to another end user, and no access grant lets this one use it.",
    Rule.GRANT_NEEDED: "This connection is used under access grants only, and none of them is for this request.",
    Rule.GRANT_EXPIRED: "The access grant has expired: let a new one be given.",
    Rule.GRANT_SCOPES: "The access grant does not allow these scopes.",
    Rule.GRANT_METHOD: "The access grant does not allow this method.",
    Rule.GRANT_PATH: "The access grant does not allow this path.",
    Rule.GRANT_SCOPES_UNSEEN: "The access grant allows fewer scopes than the credential carries, and no request shows"
    " which it uses: let a grant be given that names paths.",
    Rule.PROXY_ONLY: "The access grant allows less than the credential can do, so the credential is not handed out: use"
    " the proxy, or let a grant be given that allows the vend.",
}


# Where several grants allow it, the one that names paths is told: for the proxy it counts for more.
_PATHS_FIRST = F("paths").asc(nulls_last=True)


def check_use(
    facts: UseFacts,
    request: UseRequest,
    *,
    tenant_id: uuid.UUID,
    connection_id: uuid.UUID,
    provider: str,
    now: datetime,
) -> uuid.UUID | None:
    """Return the id of the access grant under which ``request`` is allowed, or None where it needs none.

    No I/O where it needs none, else one query. Raises ``PolicyDenied``, with the members ``rule`` (a ``Rule``) and,
    where one came near to allowing it, ``grant`` (its id as text). Writes no audit row: the caller does.
    """
    if needs_grant(facts, request) is None:
        return None
    on_it = AccessGrant.objects.for_tenant(tenant_id).standing().on(connection_id, provider=provider)
    decision = decide_use(facts, request, on_it.order_by(_PATHS_FIRST, "created_at", "id"), now=now)
    if isinstance(decision, Denied):
        told: dict[str, Any] = {"rule": decision.rule.value}
        if decision.grant_id is not None:
            told["grant"] = str(decision.grant_id)
        raise PolicyDenied(_DETAIL[decision.rule], **told)
    return decision.grant_id
