"""A tenant that has one of each thing which a path of the API can name, and what is stored of it.

A path that names something of a new kind needs a line in ``NAMED``; ``tests/connections/api/test_matrix.py`` says so.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

from django.apps import apps
from django.db import models

from connections.brand.profile import BrandProfile
from connections.database.clock import database_now
from connections.journal import events
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.brands import save_brand
from connections.lifecycle.webhooks.endpoints import Terms, add_endpoint
from connections.models import (
    Approval,
    BulkJob,
    CallerRule,
    ImportRun,
    ManagementSession,
    Offboarding,
    OutboxEvent,
    ProviderApp,
    Tenant,
    TenantDomain,
    TrustedIssuer,
    WebhookDelivery,
)
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection, rows_as_text, rows_of
from tests.factories import make_caller, make_tenant
from tests.flows import EndUser

# A mark in whatever texts the victim has. An answer to a stranger that holds it has let something out.
MARK = "7f3a9c"
SLUG = f"victim-{MARK}"
PERSON = f"person-{MARK}"


@dataclass(frozen=True)
class Victim:
    """The tenant, and the id of one row of each kind."""

    tenant: Tenant
    ids: dict[str, str] = field(default_factory=dict)


def make_victim(mark: str = MARK) -> Victim:
    """Make the tenant and its things. ``mark`` is in their texts: another one makes another victim."""
    slug, person = f"victim-{mark}", f"person-{mark}"
    tenant, now = make_tenant(slug, name=f"Victim {mark}"), database_now()
    connection = make_connection(tenant, end_user=person, label=f"label {mark}", metadata={"note": mark})
    backend = make_caller(tenant, f"backend {mark}")
    session = EndUser(person, backend, tenant=slug).invite()
    grant = let(connection, f"friend-{mark}", note=mark)
    offboarding = Offboarding.objects.create(
        tenant=tenant, end_user=f"zoe-{mark}", mode="offboard", ordered_at=now, done_at=now
    )
    approval = Approval.objects.create(
        tenant=tenant,
        grant=grant,
        connection=connection,
        api_client_id=backend.client.id,
        action="vend",
        asked=b"asked",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    domain = TenantDomain.objects.create(tenant=tenant, host=f"{mark}.example")
    save_brand(tenant, BrandProfile(support_url=f"https://{mark}.example/help"), actor=SYSTEM)
    visit = ManagementSession.objects.create(
        tenant=tenant, api_client=backend.client, end_user=person, token_hash=f"visit {mark}".encode(), expires_at=now
    )
    own_app = ProviderApp.objects.create(
        tenant=tenant, provider="hubspot", auth_style="oauth2_authorization_code", name=mark
    )
    key_id = backend.client.keys.get().id  # for a key pair as well: paths name both in the same way
    own_app.keys.create(id=key_id, kid=mark, algorithm="ES256", public_key=mark, signs_from=now)
    registered = own_app.registered_clients.create(issuer=f"https://{mark}.example", way="dynamic", looked_at=now)
    issuer = TrustedIssuer.objects.create(
        tenant=tenant, use="caller", issuer=f"https://{mark}.example", audience=mark, algorithms=["RS256"]
    )
    events.emit("connection.connected", connection)
    terms = Terms(f"http://127.0.0.1:9/{mark}")  # nobody listens there
    hook = add_endpoint(terms, tenant=tenant, now=now, actor=SYSTEM).endpoint
    told = OutboxEvent.objects.latest("id")
    delivery = WebhookDelivery.objects.create(endpoint=hook, event=told, lane=connection.id)
    run = ImportRun.objects.create(tenant=tenant, created_at=now, parts=1, options={"dry_run": True})
    job = BulkJob.objects.create(act="export", tenant=tenant, operator=mark, total=1, ordered_at=now)
    job.rows.create(connection=connection, detail=mark)
    ids = {
        "person": person,
        "job": str(job.id),
        "import": str(run.id),
        "connection": str(connection.id),
        "session": str(session.id),
        "grant": str(grant.id),
        "approval": str(approval.id),
        "offboarding": str(offboarding.id),
        "api_client": str(backend.client.id),
        "provider_app": str(connection.provider_app_id),
        "key": str(key_id),
        "own_app": str(own_app.id),
        "visit": str(visit.id),
        "incident": str(own_app.incidents.create(kind="many_failures", at=mark, opened_at=now, last_seen_at=now).id),
        "registered": str(registered.id),
        "issuer": str(issuer.id),
        "rule": str(CallerRule.objects.create(issuer=issuer, client=backend.client, conditions=[{"claim": mark}]).id),
        "hook": str(hook.id),
        "delivery": str(delivery.id),
        "host": domain.host,
    }
    return Victim(tenant, ids)


def _id(kind: str) -> Callable[[Victim], str]:
    return lambda victim: victim.ids[kind]


# What a place in a path is filled with to name the victim's. By the collection, since names come twice.
NAMED: dict[str, Callable[[Victim], str]] = {
    "imports/{import_id}": _id("import"),
    "bulk-jobs/{job_id}": _id("job"),
    "tenants/{slug}": lambda victim: victim.tenant.slug,
    "connections/{connection_id}": _id("connection"),
    "connect-sessions/{session_id}": _id("session"),
    "access-grants/{grant_id}": _id("grant"),
    "approvals/{approval_id}": _id("approval"),
    "offboardings/{offboarding_id}": _id("offboarding"),
    "end-users/{end_user}": _id("person"),
    "domains/{host}": _id("host"),
    "management-sessions/{session_id}": _id("visit"),
    "provider-apps/{app_id}": _id("own_app"),
    "client-secrets/{fingerprint}": _id("own_app"),
    "push-secrets/{fingerprint}": _id("own_app"),
    "incidents/{incident_id}": _id("incident"),
    "registered-clients/{registered_id}": _id("registered"),
    "api-clients/{client_id}": _id("api_client"),
    "keys/{key_id}": _id("key"),
    "trusted-issuers/{issuer_id}": _id("issuer"),
    "rules/{rule_id}": _id("rule"),
    "webhook-endpoints/{endpoint_id}": _id("hook"),
    "deliveries/{delivery_id}": _id("delivery"),
}
# Places that name nothing of a tenant's: the same value for everybody.
SHARED = {
    "own-providers/{own_slug}": "nobodys",
    "providers/{slug}": "sandbox",
    "shared-provider-apps/{provider}": "sandbox",
    "provider-apps/{provider}": "sandbox",
    "proxy/{path}": "a/b",
}


def unknown_of(place: str) -> str:
    """Return what a place is filled with to name what does not exist."""
    if place in SHARED:
        return SHARED[place]
    name = f"unknown-{uuid.uuid4().hex[:6]}"
    return str(uuid.uuid4()) if place.endswith("_id}") else f"{name}.example" if place.endswith("{host}") else name


def stored_of(tenant: Tenant) -> list[tuple[str, str]]:
    """Return every row of every table that belongs to ``tenant``, as text: a new table is among them by itself."""
    parts = _statements_of_tenant()
    return rows_of(parts, [tenant.pk] * len(parts))


@cache
def _statements_of_tenant() -> tuple[str, ...]:
    """Return what selects each table's rows of a tenant, whose key is the one parameter of each statement."""
    anyone, parts = uuid.UUID(int=0), []
    for table in apps.get_app_config("connections").get_models():
        if way := _way_to_tenant(table, frozenset()):
            keys, _ = table._default_manager.filter(**{way: anyone}).order_by().values("pk").query.sql_with_params()
            parts.append(rows_as_text(table, f"{table._meta.pk.column} IN ({keys})"))
    return tuple(parts)


def _way_to_tenant(table: type[models.Model], seen: frozenset[type[models.Model]]) -> str:
    """Return the lookup that leads from a row to its tenant's key, or "" where none does."""
    if table is Tenant:
        return "pk"
    ways = []
    for column in table._meta.get_fields():
        if not isinstance(column, models.ForeignKey):
            continue
        further = column.related_model
        if isinstance(further, str) or further in seen | {table}:
            continue
        if way := _way_to_tenant(further, seen | {table}):
            ways.append(f"{column.name}__{way}")
    return min(ways, key=lambda way: way.count("__"), default="")
