"""Caller, subject, grant and action: each row makes a vend, a read and a write, and is printed (``tests/uses.py``)."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.revoke import revoke_grant
from connections.models import (
    AccessGrant,
    ApiClient,
    AuditEvent,
    Connection,
    OwnerKind,
    Permission,
    SubjectKind,
    Tenant,
)
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, upstream
from tests.uses import PROPERTY

__all__ = ["upstream"]

BOTH = (Permission.VEND, Permission.PROXY)
CALLERS: dict[str, tuple[Permission, ...]] = {
    "backend": BOTH,
    "robot": (*BOTH, Permission.VEND_WITHOUT_USER),
    "vends only": (Permission.VEND,),
    "proxies only": (Permission.PROXY,),
    "globex's": (*BOTH, Permission.VEND_WITHOUT_USER),
}
SUBJECTS: dict[str, dict[str, Any]] = {
    "alice": {"end_user": "alice"},
    "bob": {"end_user": "bob"},
    "nobody": {},
    "bob in sales": {"end_user": "bob", "groups": ["sales"]},
    "agent crm": {"agent": "crm"},
    "agent crm for bob": {"end_user": "bob", "agent": "crm"},
}
CONNECTIONS: dict[str, dict[str, Any]] = {
    "alice's": {},
    "alice's, grants only": {"grants_only": True},
    "shared": {"owner": OwnerKind.TENANT},
    "shared, grants only": {"owner": OwnerKind.TENANT, "grants_only": True},
}


def expired(connection: Connection) -> None:
    then = database_now() - timedelta(hours=1)
    AccessGrant.objects.filter(id=let(connection).id).update(created_at=then, expires_at=then + timedelta(minutes=1))


def revoked(connection: Connection) -> None:
    revoke_grant(let(connection).id, now=database_now(), actor=SYSTEM)


def on_another(connection: Connection) -> None:
    let(make_connection(connection.tenant, end_user="carol", app=connection.provider_app))


Give = Callable[[Connection], object]
GRANTS: dict[str, Give] = {
    "none": lambda connection: None,
    "to alice": lambda connection: let(connection, "alice"),
    "to bob": let,
    "to bob, on the provider": lambda connection: let(connection, provider="sandbox"),
    "to bob, on another": on_another,
    "to bob, readonly": lambda connection: let(connection, methods=["GET", "HEAD"]),
    "to bob, readonly, may hold": lambda connection: let(connection, methods=["GET", "HEAD"], allows_vend=True),
    "to bob, /contacts/*": lambda connection: let(connection, paths=["/contacts/*"]),
    "to bob, /deals/**": lambda connection: let(connection, paths=["/deals/**"]),
    "to bob, no methods": lambda connection: let(connection, methods=[]),
    "to bob, fewer scopes": lambda connection: let(connection, scopes=["profile.read"]),
    "to bob, fewer scopes, /**": lambda connection: let(connection, scopes=["profile.read"], paths=["/**"]),
    "to bob, all its scopes": lambda connection: let(connection, scopes=["profile.read", "files.read"]),
    "to bob, for a minute": lambda connection: let(connection, expires_at=in_seconds(60)),
    "to bob, for a day": lambda connection: let(connection, expires_at=in_seconds(86_400)),
    "to bob, expired": expired,
    "to bob, revoked": revoked,
    "to bob, if approved": lambda connection: let(connection, needs_approval=True),
    "to bob, readonly, if approved": lambda connection: let(connection, needs_approval=True, methods=["GET", "HEAD"]),
    "to sales": lambda connection: let(connection, "sales", SubjectKind.GROUP),
    "to agent crm": lambda connection: let(connection, "crm", SubjectKind.AGENT),
    "to agent bob": lambda connection: let(connection, "bob", SubjectKind.AGENT),
    "to the caller": lambda connection: let(
        connection, str(ApiClient.objects.get(name="caller").id), SubjectKind.API_CLIENT
    ),
    "to another client": lambda connection: let(
        connection, str(make_caller(connection.tenant, "another").client.id), SubjectKind.API_CLIENT
    ),
}
YES = ("yes", "yes", "yes")


def no(rule: str) -> tuple[str, str, str]:
    return (rule, rule, rule)


ROWS: list[tuple[str, str, str, str, tuple[str, str, str]]] = [
    # The owner, and nobody else, without a grant.
    ("backend", "alice", "alice's", "none", YES),
    ("backend", "bob", "alice's", "none", no("other_user")),
    ("backend", "nobody", "alice's", "none", no("no_user")),
    ("backend", "agent crm", "alice's", "none", no("no_user")),
    ("robot", "nobody", "alice's", "none", YES),
    ("robot", "bob", "alice's", "none", no("other_user")),
    ("backend", "bob", "shared", "none", YES),
    ("backend", "nobody", "shared", "none", no("no_user")),
    ("robot", "nobody", "shared", "none", YES),
    # What a client may not do, no grant lets it do.
    ("vends only", "alice", "alice's", "none", ("yes", "permission_denied", "permission_denied")),
    ("proxies only", "alice", "alice's", "none", ("permission_denied", "yes", "yes")),
    ("vends only", "bob", "alice's", "to bob", ("yes", "permission_denied", "permission_denied")),
    ("proxies only", "bob", "alice's", "to bob", ("permission_denied", "yes", "yes")),
    ("globex's", "alice", "alice's", "none", no("not_found")),
    ("globex's", "bob", "alice's", "to bob", no("not_found")),
    # A grant is for its subject, and on its connection.
    ("backend", "bob", "alice's", "to bob", YES),
    ("backend", "alice", "alice's", "to bob", YES),
    ("backend", "nobody", "alice's", "to bob", no("no_user")),
    ("backend", "bob", "alice's", "to alice", no("other_user")),
    ("backend", "bob", "alice's", "to bob, on the provider", YES),
    ("backend", "bob", "alice's", "to bob, on another", no("other_user")),
    ("backend", "bob in sales", "alice's", "to sales", YES),
    ("backend", "bob", "alice's", "to sales", no("other_user")),
    ("backend", "agent crm", "alice's", "to agent crm", YES),
    ("backend", "agent crm for bob", "alice's", "to agent crm", YES),
    ("backend", "bob", "alice's", "to agent bob", no("other_user")),
    ("backend", "nobody", "alice's", "to the caller", YES),
    ("backend", "bob", "alice's", "to the caller", YES),
    ("backend", "nobody", "alice's", "to another client", no("no_user")),
    # Within its limits, and until its end. A credential that can do more is not handed out.
    ("backend", "bob", "alice's", "to bob, readonly", ("proxy_only", "yes", "grant_method")),
    ("backend", "bob", "alice's", "to bob, readonly, may hold", ("yes", "yes", "grant_method")),
    ("backend", "bob", "alice's", "to bob, /contacts/*", ("proxy_only", "yes", "yes")),
    ("backend", "bob", "alice's", "to bob, /deals/**", ("proxy_only", "grant_path", "grant_path")),
    ("backend", "bob", "alice's", "to bob, no methods", ("proxy_only", "grant_method", "grant_method")),
    ("backend", "bob", "alice's", "to bob, fewer scopes", ("proxy_only", "grant_scopes_unseen", "grant_scopes_unseen")),
    ("backend", "bob", "alice's", "to bob, fewer scopes, /**", ("proxy_only", "yes", "yes")),
    ("backend", "bob", "alice's", "to bob, all its scopes", YES),
    ("backend", "bob", "alice's", "to bob, for a minute", ("proxy_only", "yes", "yes")),
    ("backend", "bob", "alice's", "to bob, for a day", YES),
    ("backend", "bob", "alice's", "to bob, expired", no("grant_expired")),
    ("backend", "bob", "alice's", "to bob, revoked", no("other_user")),
    ("backend", "bob", "alice's", "to bob, if approved", no("approval_required")),
    (
        *("backend", "bob", "alice's", "to bob, readonly, if approved"),
        ("proxy_only", "approval_required", "grant_method"),
    ),
    # A connection for grants only needs one of everybody.
    ("backend", "alice", "alice's, grants only", "none", no("grant_needed")),
    ("robot", "nobody", "alice's, grants only", "none", no("grant_needed")),
    ("backend", "alice", "alice's, grants only", "to alice", YES),
    ("backend", "bob", "shared, grants only", "none", no("grant_needed")),
    ("backend", "bob", "shared, grants only", "to bob", YES),
    ("backend", "bob", "shared, grants only", "to bob, readonly", ("proxy_only", "yes", "grant_method")),
    ("robot", "nobody", "shared, grants only", "to bob", no("grant_needed")),
]


@pytest.mark.parametrize(
    ("caller", "subject", "connection", "grant", "expected"),
    ROWS,
    ids=[f"{number:02}" for number, _ in enumerate(ROWS)],
)
def test_a_row_of_the_matrix(
    caller: str,
    subject: str,
    connection: str,
    grant: str,
    expected: tuple[str, str, str],
    upstream: Upstream,
    db: None,
    record_property: Callable[[str, object], None],
) -> None:
    acme = make_tenant("acme")
    theirs = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}), **CONNECTIONS[connection])
    whose = make_tenant("globex") if caller == "globex's" else acme
    asks = caller_with(whose, CALLERS[caller])
    GRANTS[grant](theirs)
    came = (
        vended(asks, theirs, SUBJECTS[subject]),
        sent(asks, theirs, SUBJECTS[subject], "GET"),
        sent(asks, theirs, SUBJECTS[subject], "POST"),
    )
    record_property(PROPERTY, (caller, subject, connection, grant, *came))
    assert came == expected
    assert len(upstream.seen) == came[1:].count("yes"), "what is denied does not leave the house"


def test_each_kind_of_caller_subject_connection_and_grant_has_a_row() -> None:
    for column, kinds in enumerate((CALLERS, SUBJECTS, CONNECTIONS, GRANTS)):
        assert {row[column] for row in ROWS} == set(kinds)


def caller_with(tenant: Tenant, permissions: tuple[Permission, ...]) -> Caller:
    """Make a client whose own rules allow every proxied request, so that only people and grants decide."""
    caller = make_caller(tenant, "caller", permissions)
    ApiClient.objects.filter(id=caller.client.id).update(proxy_rules=["* * /**"])
    return caller


def vended(caller: Caller, connection: Connection, subject: dict[str, Any]) -> str:
    answer = call(caller, "POST", f"/connections/{connection.id}/credential", subject)
    return outcome("credential.vend", answer.status_code, answer.json(), caller.client.id)


def sent(caller: Caller, connection: Connection, subject: dict[str, Any], method: str) -> str:
    headers = {"Latchkey-Agent": subject.get("agent", ""), "Latchkey-Groups": ",".join(subject.get("groups", []))}
    reply = proxied(
        caller,
        method,
        address_of(connection, "contacts/7"),
        end_user=subject.get("end_user"),
        headers={name: value for name, value in headers.items() if value},
    )
    told = {} if reply.status == 200 else reply.json()
    return outcome("connection.proxy", reply.status, told, caller.client.id)


def outcome(action: str, status: int, told: dict[str, Any], client_id: uuid.UUID) -> str:
    """Return "yes", or by which rule or with which code it was denied, as the answer and the audit trail say alike."""
    row = AuditEvent.objects.filter(action=action, api_client_id=client_id).first()
    assert row is not None
    if status == 200:
        assert row.decision == "allowed"
        return "yes"
    assert row.decision == told["code"]
    assert row.detail.get("rule") == told.get("rule")
    said: str = told.get("rule", told["code"])
    return said
