"""Ask ``decide`` with the access grants that there are, and refuse in words that a caller can act on."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F

from connections.lifecycle.policy.approve import ask, give_back, spend
from connections.lifecycle.policy.decide import Denied, Rule, UseFacts, UseRequest, decide_use, is_proven, needs_grant
from connections.lifecycle.policy.reach import of_one_hand
from connections.models import AccessGrant, ApiClient, Permission
from connections.refusals import ApprovalRequired, PolicyDenied

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
    Rule.OWN_GRANT: "No API client lets itself in: this access grant was given by it, or by a client that it could be."
    " Let an operator or another client give it, give it with needs_approval, or prove by a token for whom you call.",
}


# Where several grants allow it, one that needs no approval is told, and one that names paths: the proxy looks for that.
_BEST_FIRST = ("needs_approval", F("paths").asc(nulls_last=True), "created_at", "id")


@dataclass(frozen=True, slots=True)
class Access:
    """That a use is allowed: under the access grant ``grant_id`` (None where it needs none), and with an approval.

    Where ``approval_id`` is set, ``approve.spend`` it when the use is recorded. ``any_method``: it would be allowed for
    any other method, too.
    """

    grant_id: uuid.UUID | None = None
    approval_id: uuid.UUID | None = None
    any_method: bool = True

    def told(self) -> dict[str, Any]:
        """Return what an audit row says of it: ``grant`` and ``approval``, where there are any."""
        ids = {"grant": self.grant_id, "approval": self.approval_id}
        return {name: str(id_) for name, id_ in ids.items() if id_ is not None}

    def spend(self, *, now: datetime) -> None:
        """Use up an approval that is good for one time, if there is one. Raises ``ApprovalRequired`` if it is gone."""
        if self.approval_id is not None and not spend(self.approval_id, now=now):
            raise ApprovalRequired("The approval was used meanwhile: repeat the request to ask anew.", **self.told())

    def give_back(self, *, used_at: datetime) -> None:
        """Undo what ``spend`` did at ``used_at``: nothing was done under the approval."""
        if self.approval_id is not None:
            give_back(self.approval_id, used_at=used_at)


NO_GRANT = Access()


def check_use(
    facts: UseFacts,
    request: UseRequest,
    *,
    tenant_id: uuid.UUID,
    connection_id: uuid.UUID,
    provider: str,
    now: datetime,
    is_repeat: bool = False,
) -> Access:
    """Return what allows ``request``. No I/O where it needs no access grant, else a query.

    A few more for an approval, or where a client has given a grant that counts only if another has.

    Raises ``PolicyDenied``, with the members ``rule`` (a ``Rule``) and, where one came near to allowing it, ``grant``
    (its id as text); and ``ApprovalRequired``, having asked for the approval. Writes no audit row of the use: the
    caller does. ``is_repeat`` as for ``approve.ask``.
    """
    if needs_grant(facts, request) is None:
        return NO_GRANT
    on_it = AccessGrant.objects.for_tenant(tenant_id).standing().on(connection_id, provider=provider)
    grants = {grant.id: grant for grant in on_it.order_by(*_BEST_FIRST)}
    own = _own(grants.values(), request)
    decision = decide_use(facts, request, grants.values(), own=own, now=now)
    if isinstance(decision, Denied):
        told: dict[str, Any] = {"rule": decision.rule.value}
        if decision.grant_id is not None:
            told["grant"] = str(decision.grant_id)
        raise PolicyDenied(_DETAIL[decision.rule], **told)
    if decision.grant_id is None or not grants[decision.grant_id].needs_approval:
        is_bound = decision.grant_id is not None and grants[decision.grant_id].methods is not None
        return Access(decision.grant_id, any_method=not is_bound)
    approval = ask(grants[decision.grant_id], request, connection_id=connection_id, now=now, is_repeat=is_repeat)
    is_spent = approval.is_once and approval.used_at is not None
    return Access(decision.grant_id, None if is_spent else approval.id, any_method=False)


def _own(grants: Iterable[AccessGrant], request: UseRequest) -> set[uuid.UUID]:
    """Return the ids of the grants that count as given by who asks. No I/O where operators gave them all.

    What a client gave itself counts as another's where a token proves that it is for the grant's subject: unless the
    client may say itself whose tokens are believed.
    """
    given = {grant.id: grant for grant in grants if grant.given_by_client is not None}
    client = ApiClient.objects.filter(id=request.client_id).first() if given else None
    if client is None:
        return set()
    hands = of_one_hand(client, {grant.given_by_client for grant in given.values() if grant.given_by_client})
    may_be_proven = Permission.CALLERS not in client.permissions
    return {
        id_
        for id_, grant in given.items()
        if grant.given_by_client in hands
        and not (may_be_proven and grant.given_by_client == client.id and is_proven(grant, request))
    }
