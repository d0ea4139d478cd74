"""Receive what stands beside the connections of an exit bundle: provider apps, and access grants.

Apps come first, since connections name them; grants last, since they name connections.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from connections.access.secrets import seal_client_secrets
from connections.access.targets import registrar_of
from connections.database.clock import in_utc
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.policy.give import Terms, check_terms, record_given
from connections.lifecycle.port.hand_out import APP_COLUMNS, APP_SWITCHES, GRANT_COLUMNS, SECRETS_END
from connections.models import AccessGrant, Connection, ProviderApp, SubjectKind, Tenant
from connections.refusals import Refusal


def apps_here(
    described: Sequence[Mapping[str, Any]], tenant: Tenant, *, actor: audit.Actor
) -> tuple[dict[str, ProviderApp], list[str]]:
    """Return the app here for each app of the bundle, by its id there, and the names of those without secrets.

    A shared app here of the same registration is taken; else the tenant gets one of its own.
    """
    found: dict[str, ProviderApp] = {}
    without = []
    for one in described:
        same = ProviderApp.objects.filter(provider=one["provider"], auth_style=one["auth_style"])
        app = same.filter(Q(tenant=tenant) | Q(tenant=None), client_id=one["client_id"]).order_by("tenant").first()
        if app is None and not same.filter(tenant=tenant).exists():
            app = _make_app(one, tenant, actor=actor)
        if app is not None:
            found[one["id"]] = app
            if app.secrets is None and app.client_id:
                without.append(app.name)
    return found, without


def _make_app(one: Mapping[str, Any], tenant: Tenant, *, actor: audit.Actor) -> ProviderApp:
    app_id = uuid.UUID(one["id"])
    app = ProviderApp(tenant=tenant, **{name: one[name] for name in APP_COLUMNS})
    for name in APP_SWITCHES:
        setattr(app, name, moment(one.get(name)))  # bundles of earlier versions have none
    if not ProviderApp.objects.filter(id=app_id).exists():
        app.id = app_id
    with short_transaction():
        app.save(force_insert=True)
        if one["client_secrets"]:
            app.secrets = seal_client_secrets(app, one["client_secrets"], registrar=registrar_of(app))
            for name, ends_at in (one.get("secrets_end") or {}).items():  # bundles of earlier versions have none
                setattr(app, name, moment(ends_at))
            app.save(update_fields=["secrets", *SECRETS_END])
        audit.record("provider_app.saved", actor=actor, tenant_id=tenant.id, detail={"provider_app": str(app.id)})
    return ProviderApp.objects.get(id=app.id)


def store_grants(
    described: Sequence[Mapping[str, Any]], tenant: Tenant, *, actor: audit.Actor
) -> Iterator[tuple[str, str]]:
    """Store the access grants that may be given here, and yield the ids of the others, each with a sentence."""
    here = set(map(str, Connection.objects.for_tenant(tenant.id).values_list("id", flat=True)))
    there = set(map(str, AccessGrant.objects.for_tenant(tenant.id).values_list("id", flat=True)))
    for one in described:
        if one["id"] in there or (one["connection_id"] is not None and one["connection_id"] not in here):
            continue
        with short_transaction() as now:
            grant = AccessGrant(tenant=tenant, **{name: one[name] for name in GRANT_COLUMNS})
            for name in ("expires_at", "created_at"):
                setattr(grant, name, moment(one[name]))
            if grant.subject_kind == SubjectKind.API_CLIENT or AccessGrant.objects.filter(id=grant.id).exists():
                yield str(grant.id), "An access grant of an API client, or of an id that is in use here."
                continue
            if grant.expires_at is not None and grant.expires_at <= now:
                continue
            try:
                check_terms(_terms_of(grant), tenant=tenant, now=now, actor=actor)
            except Refusal as refusal:
                yield str(grant.id), f"An access grant that cannot be given here: {refusal.detail}"
                continue
            grant.seal_terms()
            grant.save(force_insert=True)
            record_given(grant, actor=actor, imported=True)


def _terms_of(grant: AccessGrant) -> Terms:
    kept = {name: getattr(grant, name) for name in Terms.__slots__ if name not in ("subject_kind", "connection_id")}
    connection_id = None if grant.connection_id is None else uuid.UUID(str(grant.connection_id))
    return Terms(subject_kind=SubjectKind(grant.subject_kind), connection_id=connection_id, **kept)


def moment(value: str | None) -> datetime | None:
    """Return a moment of a bundle in UTC. Raises ``ValueError``."""
    return None if value is None else in_utc(datetime.fromisoformat(value))
