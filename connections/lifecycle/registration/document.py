"""What we say of a client: in its Client ID Metadata Document, and when we register it.

The document's address is the client id (draft-ietf-oauth-client-id-metadata-document). It holds the id of the
registered client, as the redirect URI does, so an address never stands for another redirect URI.
"""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from connections.access.app_keys import jwks_url
from connections.access.targets import entry_of, redirect_uri
from connections.brand.look import own_logo
from connections.models import AppKey, ProviderApp, RegisteredClient, RegistrationWay
from connections.refusals import AppMisconfigured
from providers.oauth.registration import ClientMetadata
from providers.vocabulary import ClientAuthentication


def document_url(client: RegisteredClient) -> str:
    """Return the address of the document of a registered client."""
    return f"{_folder(client.provider_app_id, client.id)}.json"


def _folder(app_id: uuid.UUID, client_id: uuid.UUID) -> str:
    return f"{settings.WIDGET_URL}/apps/{app_id}/clients/{client_id}"


def metadata_of(app: ProviderApp, client_id: uuid.UUID, discovered: Mapping[str, str]) -> ClientMetadata:
    """Return what we say of the client ``client_id`` of ``app`` at the server that ``discovered`` describes.

    End users read the name on that server's page: it is the tenant's, whose product they use. Where the app has key
    pairs, their public halves are named. Two queries.
    """
    tenant = app.tenant
    method = discovered.get("client_authentication") or ClientAuthentication.BASIC
    return ClientMetadata(
        name=tenant.name if tenant is not None else _name_of_shared(app),
        redirect_uri=redirect_uri(client_id),
        client_authentication=ClientAuthentication(method),
        client_uri=settings.WIDGET_URL,
        jwks_uri=jwks_url(app.id) if AppKey.objects.published().filter(provider_app=app).exists() else "",
        logo_uri=f"{_folder(app.id, client_id)}/logo" if tenant is not None and own_logo(tenant) else "",
    )


def client_document(client_id: uuid.UUID, *, app_id: uuid.UUID) -> dict[str, Any] | None:
    """Return the document of a registered client, or None where there is none to publish. Up to three queries.

    There is none for a client that is registered otherwise, and for one whose address has changed since: then the
    document would not name itself.
    """
    client = _client(client_id, app_id)
    if client is None or client.way != RegistrationWay.METADATA_DOCUMENT:
        return None
    if client.client_id != document_url(client) or client.redirect_uri != redirect_uri(client.id):
        return None
    metadata = metadata_of(client.provider_app, client.id, client.discovered)
    return {"client_id": client.client_id, **metadata.as_document()}


def logo_of(client_id: uuid.UUID, *, app_id: uuid.UUID) -> tuple[bytes, str] | None:
    """Return the logo that stands for a registered client, with its media type; None for none. Two queries.

    It is the tenant's own: the operator's would say that the client is another's.
    """
    client = _client(client_id, app_id)
    tenant = client.provider_app.tenant if client is not None else None
    return None if tenant is None else own_logo(tenant)


def _client(client_id: uuid.UUID, app_id: uuid.UUID) -> RegisteredClient | None:
    registered = RegisteredClient.objects.select_related("provider_app__tenant")
    return registered.filter(id=client_id, provider_app_id=app_id).first()


def _name_of_shared(app: ProviderApp) -> str:
    """Return the name of a client that all tenants share: the app's, where it says more than which provider it is."""
    try:
        is_provider_s = app.name == entry_of(app).name
    except AppMisconfigured:
        is_provider_s = False
    return (urlsplit(settings.WIDGET_URL).hostname or app.name) if is_provider_s else app.name
