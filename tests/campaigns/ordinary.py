"""The ordinary way in place of each detour that the product takes for speed, so that ``bench`` can tell what it gains.

``Ordinary`` says what a process does without one detour: other attributes, set by ``set_attributes`` before the process
serves. The list of the detours, each with its reason and its figure, is the docstring of ``connections.database``.
"""

import json
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

WITHOUT = "LATCHKEY_BENCH_WITHOUT"  # the environment variable that names a detour

Change = tuple[object, str, object]


@dataclass(frozen=True)
class Ordinary:
    """One detour left out. ``attributes`` are made once the apps are ready."""

    attributes: Callable[[], list[Change]]


def set_attributes(name: str) -> None:
    """Take the ordinary way in place of the detour ``name``, in this process, from now on. Call it with apps ready."""
    if name:
        for owner, attribute, value in {**ON_VENDS, **ON_PROXIED, **ON_REFRESHES}[name].attributes():
            setattr(owner, attribute, value)


def _everywhere(original: object, name: str, replacement: object) -> list[Change]:
    """Return the changes that put ``replacement`` wherever the product has imported ``original`` as ``name``."""
    modules = [module for key, module in sys.modules.items() if key.startswith(("connections", "config"))]
    return [(module, name, replacement) for module in modules if getattr(module, name, None) is original]


# --- The vend ---------------------------------------------------------------------------------------------------------
def _through_django() -> list[Change]:
    from config.web import front

    return [(front, "is_vend", lambda *_: False)]


def _one_at_a_time() -> list[Change]:
    from connections.api import vend_desk

    return [(vend_desk, "LARGEST_BATCH", 1)]


def _unprepared() -> list[Change]:
    from django.db import connection

    from connections.database import prepared
    from connections.lifecycle.credentials import promote  # noqa: F401 (all that import it)
    from connections.lifecycle.refresh import claim, settle  # noqa: F401 (where it is called)
    from connections.lifecycle.vend import query  # noqa: F401 (likewise)

    def fetch(statement: str, parameters: Mapping[str, Any], row: type[Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            values = cursor.fetchone()
            return values and row(**dict(zip((column.name for column in cursor.description), values, strict=True)))

    def fetch_all(statement: str, parameters: Mapping[str, Any], row: type[Any]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            names = [column.name for column in cursor.description]
            return [row(**dict(zip(names, values, strict=True))) for values in cursor.fetchall()]

    def execute(statement: str, parameters: Mapping[str, Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)

    return [
        *_everywhere(prepared.fetch_prepared, "fetch_prepared", fetch),
        *_everywhere(prepared.fetch_all_prepared, "fetch_all_prepared", fetch_all),
        *_everywhere(prepared.execute_prepared, "execute_prepared", execute),
    ]


def _vend_by_orm() -> list[Change]:
    from connections.lifecycle.vend import vend

    return [(vend, "run_vend_statement", vend_by_orm)]


def vend_by_orm(orders: Sequence[Any]) -> list[Any]:
    """Do what the statement of a vend does for these orders, one after the other."""
    return [_vend_one_by_orm(number, order) for number, order in enumerate(orders)]


def _vend_one_by_orm(number: int, order: Any) -> Any:
    """Do what the statement of a vend does, as one would with Django's ORM and the policy."""
    from django.db.models import Q
    from django.utils import timezone

    from connections.lifecycle.vend.query import VendRow
    from connections.lifecycle.vend.rules import Vend, VendRequest, decide_vend
    from connections.models import ApiKey, AuditEvent, Connection, CredentialVersion, Permission

    now = timezone.now()
    key = (
        ApiKey.objects.select_related("client__tenant")
        .filter(key_hash=order.key_hash, revoked_at=None, expires_at__gt=now)
        .first()
    )
    if key is None:
        return None
    client = key.client
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields(VendRow) if field.default is MISSING)
    values |= {
        "number": number,
        "now": now,
        "client_id": client.id,
        "permissions": client.permissions,
        "is_client_suspended": client.suspended_at is not None,
        "demands_verified": client.demands_verified,
    }
    owner = client.tenant.slug if client.tenant is not None else order.tenant
    connection = (
        Connection.objects.select_related("tenant", "provider_app")
        .filter(id=order.connection_id, tenant__slug=owner)
        .filter(Q() if order.tenant is None else Q(tenant__slug=order.tenant))
        .first()
    )
    if connection is None:
        return VendRow(**values)
    app = connection.provider_app
    version = CredentialVersion.objects.select_related("data_key").filter(Q(id=connection.current_version_id)).first()
    missing = connection.scopes.filter(is_requested=True, is_granted=False).order_by("name")
    values |= {name: getattr(connection, name) for name in values if hasattr(connection, name)}
    values |= {
        "connection_id": connection.id,
        "params": json.dumps(connection.params),
        "reconnect_url": connection.tenant.reconnect_url,
        "app_id": app.id,
        "auth_style": app.auth_style,
        "app_params": json.dumps(app.params),
        "discovered": json.dumps(app.discovered),
        "is_suspended": connection.is_suspended,
        "missing_scopes": list(missing.values_list("name", flat=True)),
    }
    if version is not None:
        values |= {
            "version_id": version.id,
            "secrets": version.secrets.stored,
            "scopes": version.scopes,
            "is_refreshable": version.is_refreshable,
            "access_expires_at": version.access_expires_at,
            "lifetime_seconds": version.lifetime_seconds,
            "fingerprint": version.fingerprint,
            "data_key_id": version.data_key.id,
            "kek_id": version.data_key.kek_id,
            "wrapped": bytes(version.data_key.wrapped),
        }
    of_the_row = {name: value for name, value in values.items() if name in VendRow.__slots__}
    row = VendRow(**of_the_row)
    request = VendRequest(
        end_user=order.end_user,
        scopes=order.scopes,
        min_ttl_seconds=order.min_ttl_seconds,
        may_act_without_user=Permission.VEND_WITHOUT_USER in client.permissions,
    )
    if Permission.VEND not in client.permissions or decide_vend(row.facts(), request, now=now) != Vend():
        return row
    audited = AuditEvent.objects.create(
        action="credential.vend",
        decision="allowed",
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        credential_version_id=row.version_id,
        api_client_id=client.id,
        subject=order.end_user or "",
        agent=order.agent,
        purpose=order.purpose,
        scopes=list(order.scopes),
        address=order.address,
        fingerprint=row.fingerprint,
    )
    return VendRow(**of_the_row | {"audit_id": audited.id})


def _noticed_each_time() -> list[Change]:
    from connections.lifecycle.vend import query

    return [(query, "_STATEMENT", query._STATEMENT.replace("interval '5 minutes'", "interval '0'"))]


def _resolved_anew() -> list[Change]:
    from connections.lifecycle.vend import opening

    return [(opening, "_target", opening._target.__wrapped__)]


def _parsed_anew() -> list[Change]:
    from providers.catalog import template

    return [(template, "_parts", template._parts.__wrapped__)]


def _looked_at_anew() -> list[Change]:
    from providers.catalog import loader

    return [(loader, "_LOOK_AGAIN_SECONDS", 0.0)]


# --- The refresh ------------------------------------------------------------------------------------------------------
def _claimed_by_the_rules() -> list[Change]:
    from connections.lifecycle.refresh import claim, together  # noqa: F401 (where it is called)

    return _everywhere(claim.claim_plainly, "claim_plainly", lambda *_, **__: [])


def _promoted_by_the_rules() -> list[Change]:
    from connections.lifecycle.refresh import arrivals

    return [(arrivals, "promote_plainly", lambda _: set())]


def _claimed_apart() -> list[Change]:
    from connections.lifecycle.refresh.helpers import Helpers

    return [(Helpers, "take", lambda *_: 0)]


def _stored_apart() -> list[Change]:
    from connections.lifecycle.credentials.promote import promote_plainly
    from connections.lifecycle.credentials.store import store_received
    from connections.lifecycle.refresh import arrivals, settle  # noqa: F401 (where it is called)

    def store_and_promote(sealed: Any, *, lifetimes: Any) -> bool:
        store_received(sealed)
        return lifetimes is not None and bool(promote_plainly([(sealed, lifetimes)]))

    return _everywhere(arrivals.store_and_promote, "store_and_promote", store_and_promote)


def _app_by_orm() -> list[Change]:
    from connections import tasks  # noqa: F401 (where it is called)
    from connections.lifecycle.refresh import claim_query, refresh  # noqa: F401 (likewise)
    from connections.models import Connection

    def find_apps(*connection_ids: uuid.UUID) -> dict[uuid.UUID, Any]:
        columns = ("id", "provider_app_id", "provider", "tenant_id", "party")
        found = Connection.objects.filter(id__in=connection_ids).values_list(*columns)
        return {row[0]: claim_query.AppRow(*row) for row in found}

    return _everywhere(claim_query.find_apps, "find_apps", find_apps)


def _told_each_time() -> list[Change]:
    from connections.lifecycle.throttle import admission, scripts

    def tell(party_id: uuid.UUID, server: admission.Server) -> None:
        admission._run(scripts.ANSWERED, party_id, server)

    return [(admission, "_note_answer", tell)]


def _stored_by_orm() -> list[Change]:
    from django.db import transaction

    from connections.lifecycle.credentials import store
    from connections.lifecycle.credentials.versions import row_of
    from connections.lifecycle.refresh import arrivals  # noqa: F401 (where it is called)
    from connections.models import AttemptState, RefreshAttempt

    def insert_all(sealed: Sequence[Any]) -> set[uuid.UUID]:
        for version in sealed:
            insert(version)
        return {version.id for version in sealed}

    def insert(sealed: Any) -> None:
        storable = (AttemptState.SENT, AttemptState.IN_DOUBT, AttemptState.SUPERSEDED)
        with transaction.atomic():
            RefreshAttempt.objects.filter(id=sealed.attempt_id, state__in=storable).update(state=AttemptState.RECEIVED)
            row_of(sealed).save(force_insert=True)

    return _everywhere(store.store_free, "store_free", insert_all)


def _client_each_time() -> list[Change]:
    from config import broker

    def create_client(channel: Any, asynchronous: bool = False) -> Any:
        channel._kept = None
        return kept(channel, asynchronous)

    kept = broker.Channel._create_client
    return [(broker.Channel, "_create_client", create_client)]


def _one_a_message() -> list[Change]:
    from connections.lifecycle import sweep

    return [(sweep, "MOST_TOGETHER", 1)]


# --- The proxied call -------------------------------------------------------------------------------------------------
def _audited_by_orm() -> list[Change]:
    from connections.journal import audit
    from connections.models import AuditEvent

    def record(action: str, *, connection: Any = None, actor: Any = audit.SYSTEM, **facts: Any) -> Any:
        about = facts if connection is None else {"tenant_id": connection.tenant_id, "connection_id": connection.id}
        return AuditEvent.objects.create(
            action=action,
            decision=facts.get("decision", audit.ALLOWED),
            tenant_id=about.get("tenant_id"),
            connection_id=about.get("connection_id"),
            credential_version_id=facts.get("version_id"),
            api_client_id=actor.api_client_id,
            operator=actor.operator,
            subject=actor.subject,
            agent=actor.agent,
            purpose=actor.purpose,
            address=actor.address,
            scopes=[*facts.get("scopes", ())],
            fingerprint=facts.get("fingerprint"),
            detail={**(facts.get("detail") or {}), **({} if actor.proof is None else {"caller": dict(actor.proof)})},
        )

    return [(audit, "record", record)]


ON_VENDS = {
    "front": Ordinary(_through_django),
    "batches": Ordinary(_one_at_a_time),
    "prepared": Ordinary(_unprepared),
    "vend_statement": Ordinary(_vend_by_orm),
    "noticed": Ordinary(_noticed_each_time),
    "target": Ordinary(_resolved_anew),
    "template": Ordinary(_parsed_anew),
    "catalogue": Ordinary(_looked_at_anew),
}
ON_PROXIED = {"audit_row": Ordinary(_audited_by_orm)}
ON_REFRESHES = {
    "plain_claim": Ordinary(_claimed_by_the_rules),
    "plain_promotion": Ordinary(_promoted_by_the_rules),
    "store_statement": Ordinary(_stored_by_orm),
    "claimed_together": Ordinary(_claimed_apart),
    "stored_together": Ordinary(_stored_apart),
    "find_apps": Ordinary(_app_by_orm),
    "calm": Ordinary(_told_each_time),
    "refresh_prepared": Ordinary(_unprepared),
    "broker_client": Ordinary(_client_each_time),
    "together": Ordinary(_one_a_message),
}
