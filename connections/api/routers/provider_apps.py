"""``/provider-apps`` and ``/shared-provider-apps``: our registrations at providers, their secrets and registrations.

A tenant's own are made at ``/tenants/{slug}/provider-apps``. By id, without ``tenant`` a tenant's client means one of
its tenant, and an operator-wide one a shared app. Their key pairs are in ``app_keys``.
"""

import uuid

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from connections.api.auth import Caller, caller_of, operator_of
from connections.api.conditional import as_seen, say_tag_of, unchanged
from connections.api.pages import Cursor, Limit, page_of
from connections.api.provider_apps import (
    ClientSecretIn,
    ClientSecretsOut,
    EndsOfSecretsIn,
    ProviderAppIn,
    ProviderAppOut,
    ProviderAppPage,
    RegisteredClientPage,
    RenewedOut,
    SecretSourceIn,
    SecretSourceOut,
    provider_app_out,
    registered_client_out,
    save_from,
    secret_source_out,
)
from connections.api.switches import SwitchesIn, turn_switches
from connections.api.texts import Owner, Slug, Text
from connections.database.clock import database_now
from connections.lifecycle.provision.client_secrets import (
    add_client_secret,
    fingerprints,
    remove_client_secret,
    set_end_of_others,
    set_expiry,
)
from connections.lifecycle.provision.secret_sources import leave_source, set_source
from connections.lifecycle.registration.renew import renew
from connections.models import Permission, ProviderApp, RegisteredClient
from connections.refusals import NotFound

router = Router(tags=["provider apps"])
shared = Router(tags=["provider apps"])


@shared.put("/{provider}", response=ProviderAppOut, summary="Make or change the shared provider app")
def put_shared_provider_app(
    request: HttpRequest, response: HttpResponse, provider: Slug, body: ProviderAppIn
) -> ProviderAppOut:
    """Have all tenants without one of their own use this registration at a provider. Operator-wide clients only."""
    caller = operator_of(request, may=Permission.APPS, conditional=True)
    saved = save_from(body, provider, tenant=None, actor=caller.actor, check=unchanged(request, provider_app_out))
    say_tag_of(response, saved.model_copy(update={"notice": ""}))
    return saved


@shared.get("", response=ProviderAppPage, summary="List the shared provider apps")
def list_shared_provider_apps(request: HttpRequest, cursor: Cursor | None = None, limit: Limit = 50) -> ProviderAppPage:
    """List the registrations that all tenants share, the newest first. Operator-wide clients only."""
    operator_of(request, may=Permission.APPS)
    page, following = page_of(ProviderApp.objects.filter(tenant=None), cursor, limit=limit)
    return ProviderAppPage(items=[provider_app_out(app) for app in page], next=following)


@router.get("/{app_id}", response=ProviderAppOut, summary="Show one provider app")
def get_provider_app(request: HttpRequest, app_id: uuid.UUID, tenant: Owner | None = None) -> ProviderAppOut:
    """Show one registration, without its secrets."""
    return provider_app_out(app_meant(caller_of(request, may=Permission.APPS), app_id, tenant))


@router.put("/{app_id}/switches", response=ProviderAppOut, summary="Suspend, resume, pause or unpause an app")
def put_provider_app_switches(
    request: HttpRequest, app_id: uuid.UUID, body: SwitchesIn, tenant: Owner | None = None
) -> ProviderAppOut:
    """Switch the app off, or on again: suspended, none of its connections vends; paused, none is refreshed or probed.

    Only an operator-wide client takes the kill switch back.
    """
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    app, seen = app_meant(caller, app_id, tenant), unchanged(request, provider_app_out)
    turn_switches(app, body, caller=caller, now=database_now(), check=seen)
    return provider_app_out(app)


@router.get("/{app_id}/client-secrets", response=ClientSecretsOut, summary="Tell an app's client secrets apart")
def get_client_secrets(request: HttpRequest, app_id: uuid.UUID, tenant: Owner | None = None) -> ClientSecretsOut:
    """Show a fingerprint of each client secret, the preferred first; no secret is ever shown."""
    return _client_secrets_out(app_meant(caller_of(request, may=Permission.APPS), app_id, tenant))


@router.post("/{app_id}/client-secrets", response={201: ClientSecretsOut}, summary="Add a client secret")
def add_app_client_secret(
    request: HttpRequest, app_id: uuid.UUID, body: ClientSecretIn, tenant: Owner | None = None
) -> Status[ClientSecretsOut]:
    """Add the new secret before you retire the old one at the provider: both are tried, so a rotation is no outage."""
    caller = caller_of(request, may=Permission.APPS)
    app = app_meant(caller, app_id, tenant)
    add_client_secret(
        app,
        body.client_secret.get_secret_value(),
        preferred=body.preferred,
        others_end_at=body.others_end_at,
        expires_at=body.expires_at,
        now=database_now(),
        actor=caller.actor,
    )
    return Status(201, _client_secrets_out(app))


@router.put("/{app_id}/client-secrets/end", response=ClientSecretsOut, summary="Say when an app's old secrets end")
def put_client_secrets_end(
    request: HttpRequest, app_id: uuid.UUID, body: EndsOfSecretsIn, tenant: Owner | None = None
) -> ClientSecretsOut:
    """Have all client secrets but the preferred one destroyed then; they are tried until then where it is refused.

    With ``expires_at``, note when the provider lets the preferred one expire: the forecast tells of it.
    """
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    with as_seen(request, app_meant(caller, app_id, tenant), _client_secrets_out) as app:
        now = database_now()
        set_end_of_others(app, body.others_end_at, now=now, actor=caller.actor)
        if "expires_at" in body.model_fields_set:
            set_expiry(app, body.expires_at, now=now, actor=caller.actor)
    return _client_secrets_out(app)


@router.get(
    "/{app_id}/client-secrets/source", response=SecretSourceOut, summary="Show from where an app's secret is read"
)
def get_client_secret_source(request: HttpRequest, app_id: uuid.UUID, tenant: Owner | None = None) -> SecretSourceOut:
    """Show from where the client secret is read, and since when it cannot be. Operator-wide clients only."""
    return secret_source_out(app_meant(operator_of(request, may=Permission.APPS), app_id, tenant))


@router.put(
    "/{app_id}/client-secrets/source", response=SecretSourceOut, summary="Say from where an app's secret is read"
)
def put_client_secret_source(
    request: HttpRequest, app_id: uuid.UUID, body: SecretSourceIn, tenant: Owner | None = None
) -> SecretSourceOut:
    """Have the client secret read from where the operator keeps it, now and whenever it changes.

    The secrets before it stay for a week. The same source once more reads it at once. Operator-wide clients only.
    """
    caller = operator_of(request, may=Permission.APPS)
    app = app_meant(caller, app_id, tenant)
    if body.client_secret_from is None:
        leave_source(app, actor=caller.actor)
    else:
        set_source(app, body.client_secret_from, actor=caller.actor)
    return secret_source_out(app)


@router.delete("/{app_id}/client-secrets/{fingerprint}", response=ClientSecretsOut, summary="Retire a client secret")
def retire_client_secret(
    request: HttpRequest, app_id: uuid.UUID, fingerprint: Text, tenant: Owner | None = None
) -> ClientSecretsOut:
    """Destroy the secret with this fingerprint."""
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    with as_seen(request, app_meant(caller, app_id, tenant), _client_secrets_out) as app:
        remove_client_secret(app, fingerprint, actor=caller.actor)
    return _client_secrets_out(app)


@router.get(
    "/{app_id}/registered-clients", response=RegisteredClientPage, summary="List what an app has registered itself"
)
def list_registered_clients(
    request: HttpRequest,
    app_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> RegisteredClientPage:
    """List the clients that the app has registered without hands, one an authorization server, the newest first."""
    app = app_meant(caller_of(request, may=Permission.APPS), app_id, tenant)
    found = RegisteredClient.objects.filter(provider_app=app).defer("secrets", "management")
    page, following = page_of(found, cursor, limit=limit)
    return RegisteredClientPage(items=[registered_client_out(row) for row in page], next=following)


@router.post(
    "/{app_id}/registered-clients/{registered_id}/renew", response=RenewedOut, summary="Renew a registration now"
)
def renew_registered_client(
    request: HttpRequest, app_id: uuid.UUID, registered_id: uuid.UUID, tenant: Owner | None = None
) -> RenewedOut:
    """Renew a registration at its server, or make another in its place; by itself that is done before its end."""
    caller = caller_of(request, may=Permission.APPS)
    app = app_meant(caller, app_id, tenant)
    if not RegisteredClient.objects.filter(provider_app=app, id=registered_id).exists():
        raise NotFound("The app has no such registration.")
    renewed = renew(registered_id, actor=caller.actor)
    return RenewedOut(replaced=renewed.is_new, client=registered_client_out(renewed.client))


def app_meant(caller: Caller, app_id: uuid.UUID, slug: str | None) -> ProviderApp:
    """Return one app of the owner whom the call is about. Raises ``NotFound``, always in the same words."""
    found = ProviderApp.objects.select_related("tenant").filter(tenant=caller.owner(slug), id=app_id).first()
    if found is None:
        raise NotFound("There is no such provider app.")
    return found


def _client_secrets_out(app: ProviderApp) -> ClientSecretsOut:
    return ClientSecretsOut(
        fingerprints=fingerprints(app), others_end_at=app.other_secrets_end_at, expires_at=app.secret_expires_at
    )
