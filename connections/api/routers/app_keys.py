"""``/provider-apps/{app_id}/keys``: the key pairs with which a provider app signs."""

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import Caller, caller_of
from connections.api.conditional import as_seen
from connections.api.pages import Cursor, Limit, page_of
from connections.api.provider_apps import AppKeyIn, AppKeyOut, AppKeyPage, CertificatesIn, app_key_out
from connections.api.routers.provider_apps import app_meant
from connections.api.texts import Owner
from connections.lifecycle.provision.app_keys import bring_key, certify_key, make_key, withdraw_key
from connections.models import AppKey, Permission
from connections.refusals import NotFound

router = Router(tags=["provider apps"])


@router.get("/{app_id}/keys", response=AppKeyPage, summary="List an app's key pairs")
def list_app_keys(
    request: HttpRequest,
    app_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> AppKeyPage:
    """List the public halves, those that were taken back too, the newest first."""
    app = app_meant(caller_of(request, may=Permission.APPS), app_id, tenant)
    page, following = page_of(AppKey.objects.filter(provider_app=app).defer("private_key"), cursor, limit=limit)
    return AppKeyPage(items=[app_key_out(row) for row in page], next=following)


@router.post("/{app_id}/keys", response={201: AppKeyOut}, summary="Make or bring a key pair")
def create_app_key(
    request: HttpRequest, app_id: uuid.UUID, body: AppKeyIn, tenant: Owner | None = None
) -> Status[AppKeyOut]:
    """Make a key pair, or take over one; it is published at once, and signs once providers may know it."""
    caller = caller_of(request, may=Permission.APPS)
    app = app_meant(caller, app_id, tenant)
    if body.private_key is None:
        row = make_key(app, body.algorithm, kid=body.kid, rotation=body.rotation(), actor=caller.actor)
        if body.certificates.strip():
            certify_key(row, body.certificates, actor=caller.actor)
        return Status(201, app_key_out(row))
    row = bring_key(
        app,
        body.private_key.get_secret_value(),
        body.algorithm,
        passphrase="" if body.passphrase is None else body.passphrase.get_secret_value(),
        certificates=body.certificates,
        kid=body.kid,
        rotation=body.rotation(),
        actor=caller.actor,
    )
    return Status(201, app_key_out(row))


@router.get("/{app_id}/keys/{key_id}", response=AppKeyOut, summary="Show one key pair")
def get_app_key(request: HttpRequest, app_id: uuid.UUID, key_id: uuid.UUID, tenant: Owner | None = None) -> AppKeyOut:
    """Show the public half of one key pair."""
    return app_key_out(_key(caller_of(request, may=Permission.APPS), app_id, key_id, tenant))


@router.put("/{app_id}/keys/{key_id}/certificates", response=AppKeyOut, summary="Put certificates beside a key")
def put_app_key_certificates(
    request: HttpRequest, app_id: uuid.UUID, key_id: uuid.UUID, body: CertificatesIn, tenant: Owner | None = None
) -> AppKeyOut:
    """Replace the key's certificates; they have to be of its public half, and not ended."""
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    with as_seen(request, _key(caller, app_id, key_id, tenant), app_key_out) as row:
        return app_key_out(certify_key(row, body.certificates, actor=caller.actor))


@router.delete("/{app_id}/keys/{key_id}", response=AppKeyOut, summary="Take a key back")
def withdraw_app_key(
    request: HttpRequest, app_id: uuid.UUID, key_id: uuid.UUID, tenant: Owner | None = None
) -> AppKeyOut:
    """Take a key back at once, and destroy its private half. If it signed, the next one takes over now."""
    caller = caller_of(request, may=Permission.APPS, conditional=True)
    with as_seen(request, _key(caller, app_id, key_id, tenant), app_key_out) as row:
        withdraw_key(row, actor=caller.actor)
    return app_key_out(row)


def _key(caller: Caller, app_id: uuid.UUID, key_id: uuid.UUID, slug: str | None) -> AppKey:
    app = app_meant(caller, app_id, slug)
    found = AppKey.objects.select_related("provider_app").filter(provider_app=app, id=key_id).first()
    if found is None:
        raise NotFound("The app has no such key.")
    return found
