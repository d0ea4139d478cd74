"""``/provider-apps/{app_id}/push…``: what providers tell us by themselves, and the secrets by which that is known."""

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import caller_of
from connections.api.conditional import as_seen
from connections.api.pages import Cursor, Limit, page_of
from connections.api.pushes import (
    PushOut,
    PushSecretIn,
    PushSecretsOut,
    ReceivedPushPage,
    push_out,
    received_push_out,
)
from connections.api.routers.provider_apps import app_meant
from connections.api.texts import Owner, Text
from connections.lifecycle.provision.push_secrets import add_push_secret, push_fingerprints, retire_push_secret
from connections.models import Permission, ProviderApp, ReceivedPush

router = Router(tags=["provider apps"])


@router.get("/{app_id}/push", response=PushOut, summary="Show how the provider pushes to an app")
def get_push(request: HttpRequest, app_id: uuid.UUID, tenant: Owner | None = None) -> PushOut:
    """Show the address to register at the provider, what proves a push, and when the last one came."""
    return push_out(app_meant(caller_of(request, may=Permission.APPS), app_id, tenant))


@router.get("/{app_id}/pushes", response=ReceivedPushPage, summary="List what the provider has pushed")
def list_pushes(
    request: HttpRequest,
    app_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ReceivedPushPage:
    """List the pushes that came, refused ones among them, the newest first. Of what they said only types are kept."""
    app = app_meant(caller_of(request, may=Permission.APPS), app_id, tenant)
    found = ReceivedPush.objects.filter(provider_app=app)
    page, following = page_of(found, cursor, limit=limit, newest_by="received_at")
    return ReceivedPushPage(items=[received_push_out(row) for row in page], next=following)


@router.get("/{app_id}/push-secrets", response=PushSecretsOut, summary="Tell an app's push secrets apart")
def get_push_secrets(request: HttpRequest, app_id: uuid.UUID, tenant: Owner | None = None) -> PushSecretsOut:
    """Show a fingerprint of each push secret, the newest first; no secret is ever shown."""
    return _push_secrets_out(app_meant(caller_of(request, may=Permission.APPS), app_id, tenant))


@router.post("/{app_id}/push-secrets", response={201: PushSecretsOut}, summary="Add a push secret")
def add_app_push_secret(
    request: HttpRequest, app_id: uuid.UUID, body: PushSecretIn, tenant: Owner | None = None
) -> Status[PushSecretsOut]:
    """Have pushes be known by this secret from now on. The one before it stays known, so a rotation loses none."""
    caller = caller_of(request, may=Permission.APPS)
    app = app_meant(caller, app_id, tenant)
    add_push_secret(app, body.secret.get_secret_value(), actor=caller.actor)
    return Status(201, _push_secrets_out(app))


@router.delete("/{app_id}/push-secrets/{fingerprint}", response=PushSecretsOut, summary="Retire a push secret")
def retire_app_push_secret(
    request: HttpRequest, app_id: uuid.UUID, fingerprint: Text, tenant: Owner | None = None
) -> PushSecretsOut:
    """Destroy the secret with this fingerprint: what is signed with it is refused from now on."""
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    with as_seen(request, app_meant(caller, app_id, tenant), _push_secrets_out) as app:
        retire_push_secret(app, fingerprint, actor=caller.actor)
    return _push_secrets_out(app)


def _push_secrets_out(app: ProviderApp) -> PushSecretsOut:
    return PushSecretsOut(fingerprints=push_fingerprints(app))
