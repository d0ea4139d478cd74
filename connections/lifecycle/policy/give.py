"""Give an access grant. Its terms are checked, and stay as they are: ``revoke`` ends it."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from connections.journal import audit, events
from connections.lifecycle.policy.paths import check_pattern
from connections.models import AccessGrant, ApiClient, Connection, Status, SubjectKind, Tenant
from connections.refusals import InvalidRequest, NotFound, PolicyDenied
from providers.catalog.loader import load_catalog, meant_by

_METHOD = re.compile(r"[A-Z]{3,16}")
_NEVER_PROXIED = frozenset({"CONNECT", "TRACE"})


@dataclass(frozen=True, slots=True)
class Terms:
    """Who may use what, and for what: the fields are those of ``models.AccessGrant``."""

    subject_kind: SubjectKind
    subject: str
    connection_id: uuid.UUID | None = None
    provider: str = ""
    scopes: Sequence[str] | None = None
    methods: Sequence[str] | None = None
    paths: Sequence[str] | None = None
    allows_vend: bool = False
    needs_approval: bool = False
    expires_at: datetime | None = None
    granted_by: str = ""
    note: str = ""


def give(terms: Terms, *, tenant: Tenant, now: datetime, actor: audit.Actor) -> tuple[AccessGrant, bool]:
    """Give an access grant of ``tenant``'s. Return it, and whether it is new.

    A grant of the same terms that nobody has revoked is not given twice; it is whoever's who gave it last, and an
    operator's for good. One transaction, with an audit row and an event. Raises as ``check_terms``.
    """
    check_terms(terms, tenant=tenant, now=now, actor=actor)
    grant = AccessGrant(
        tenant=tenant,
        subject_kind=terms.subject_kind,
        subject=terms.subject,
        connection_id=terms.connection_id,
        provider=terms.provider,
        scopes=_each_once(terms.scopes),
        methods=_each_once(terms.methods),
        paths=_each_once(terms.paths),
        allows_vend=terms.allows_vend,
        needs_approval=terms.needs_approval,
        granted_by=terms.granted_by,
        given_by_client=actor.api_client_id,
        note=terms.note,
        expires_at=terms.expires_at,
        created_at=now,
    )
    grant.seal_terms()
    same = AccessGrant.objects.for_tenant(tenant.id).standing().filter(terms=grant.terms)
    if (known := same.first()) is not None:
        return _confirmed(known, actor=actor), False
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
            record_given(grant, actor=actor)
    except IntegrityError as error:
        if "one_access_grant_of_these_terms" not in str(error.__cause__):
            raise
        return _confirmed(same.get(), actor=actor), False  # another call was faster
    return grant, True


def _confirmed(known: AccessGrant, *, actor: audit.Actor) -> AccessGrant:
    """Return a grant that is given once more, by another than before with an audit row. One transaction at most."""
    if known.given_by_client is not None and known.given_by_client != actor.api_client_id:
        with transaction.atomic():
            known.confirm(actor.api_client_id)
            _record(known, actor=actor, detail={**known.told(), "again": True})
    return known


def record_given(grant: AccessGrant, *, actor: audit.Actor, **further: Any) -> None:
    """Record in the caller's transaction that a grant was given: an audit row, with ``further`` facts, and an event."""
    _record(grant, actor=actor, detail={**grant.told(), **further})
    events.emit_of_tenant(
        "access_grant.given", grant.tenant_id, connection_id=grant.connection_id, payload=grant.told()
    )


def _record(grant: AccessGrant, *, actor: audit.Actor, detail: dict[str, Any]) -> None:
    audit.record(
        "access_grant.given",
        actor=actor,
        tenant_id=grant.tenant_id,
        connection_id=grant.connection_id,
        scopes=grant.scopes or (),
        detail=detail,
    )


def check_terms(terms: Terms, *, tenant: Tenant, now: datetime, actor: audit.Actor) -> None:
    """Raise the refusal of a grant that cannot be given. A few queries.

    ``InvalidRequest`` names the field; ``NotFound`` is for a connection or an API client that is not the tenant's, and
    ``PolicyDenied`` for an API client that gives a grant to itself.
    """
    _check_limits(terms, now=now)
    _check_subject(terms, tenant=tenant, actor=actor)
    _check_target(terms, tenant=tenant)


def _check_limits(terms: Terms, *, now: datetime) -> None:
    """Raise ``InvalidRequest`` for terms that contradict themselves, or that no request could meet. No I/O."""
    if (terms.connection_id is None) == (not terms.provider):
        raise InvalidRequest("Name either a connection or a provider.", field="connection")
    if terms.expires_at is not None and terms.expires_at <= now:
        raise InvalidRequest("The grant would have expired already.", field="expires_at")
    for method in terms.methods or ():
        if not _METHOD.fullmatch(method) or method in _NEVER_PROXIED:
            raise InvalidRequest("A method is written in capitals, and neither CONNECT nor TRACE.", field="methods")
    for path in terms.paths or ():
        if (wrong := check_pattern(path)) is not None:
            raise InvalidRequest(wrong, field="paths")


def _check_subject(terms: Terms, *, tenant: Tenant, actor: audit.Actor) -> None:
    if not terms.subject or not terms.subject.isprintable():
        raise InvalidRequest("The subject is one line, of visible characters.", field="subject")
    if terms.subject_kind is not SubjectKind.API_CLIENT:
        return
    try:
        client_id = uuid.UUID(terms.subject)
    except ValueError:
        raise InvalidRequest("An API client is named by its id.", field="subject") from None
    if str(client_id) != terms.subject:
        raise InvalidRequest("An API client is named by its id, in small letters with hyphens.", field="subject")
    if client_id == actor.api_client_id:
        raise PolicyDenied("An API client gives no access grant to itself.", rule="own_grant")
    if not ApiClient.objects.filter(Q(tenant=tenant) | Q(tenant=None), id=client_id).exists():
        raise NotFound("There is no such API client.")


def _check_target(terms: Terms, *, tenant: Tenant) -> None:
    if terms.connection_id is not None:
        known = Connection.objects.for_callers_of(tenant.id).filter(id=terms.connection_id)
        if not known.exclude(status=Status.DISCONNECTED).exists():
            raise NotFound("There is no such connection.")
        return
    if terms.provider not in load_catalog():
        slug, _ = meant_by(terms.provider)
        meant = f": this alias stands for a style of {slug!r}." if slug != terms.provider else "."
        raise InvalidRequest(f"Name a provider of the catalogue by its slug{meant}", field="provider")


def _each_once(items: Sequence[str] | None) -> list[str] | None:
    return None if items is None else sorted(set(items))
