"""``/api-clients``: the callers of this API, and their keys.

Without ``tenant`` a tenant's client means the clients of its tenant, and an operator-wide one the operator-wide ones.
"""

import uuid
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from connections.api.api_clients import (
    ApiClientIn,
    ApiClientOut,
    ApiClientPage,
    ApiClientTerms,
    ApiKeyEndIn,
    ApiKeyIn,
    ApiKeyOut,
    ApiKeyPage,
    AssertionKeysIn,
    IssuedApiKeyOut,
    api_client_out,
    issued_key_out,
    key_out,
)
from connections.api.auth import Caller, caller_of
from connections.api.conditional import as_seen, unchanged
from connections.api.idempotency import keep_without
from connections.api.pages import Cursor, Limit, page_of
from connections.api.switches import KillSwitchIn, turn_kill_switch
from connections.api.texts import Owner
from connections.database.clock import database_now
from connections.lifecycle.policy.reach import check_reach
from connections.lifecycle.provision.api_clients import (
    issue_key,
    make_api_client,
    register_assertion_keys,
    revoke_key,
    rotate_key,
    save_api_client,
    shorten_key,
)
from connections.models import ApiClient, ApiKey, Permission
from connections.refusals import NotFound

router = Router(tags=["API clients"])


@router.post("", response={200: ApiClientOut, 201: ApiClientOut}, summary="Make an API client")
def create_api_client(request: HttpRequest, body: ApiClientIn, tenant: Owner | None = None) -> Status[ApiClientOut]:
    """Make an API client of a tenant, or an operator-wide one. It has no key yet: issue one.

    No client gives another more than it has itself: permissions, proxy rules, networks. One of this name and these very
    terms is returned as it is (200).
    """
    caller = caller_of(request, may=Permission.CALLERS)
    client, is_new = make_api_client(
        body.name, tenant=caller.owner(tenant), **body.terms(), within=caller.client, actor=caller.actor
    )
    return Status(201 if is_new else 200, api_client_out(client))


@router.get("", response=ApiClientPage, summary="List API clients")
def list_api_clients(
    request: HttpRequest,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ApiClientPage:
    """List the API clients of a tenant, or the operator-wide ones, the newest first."""
    caller = caller_of(request, may=Permission.CALLERS)
    found = ApiClient.objects.select_related("tenant").filter(tenant=caller.owner(tenant))
    page, following = page_of(found, cursor, limit=limit)
    return ApiClientPage(items=[api_client_out(row) for row in page], next=following)


@router.get("/{client_id}", response=ApiClientOut, summary="Show one API client")
def get_api_client(request: HttpRequest, client_id: uuid.UUID, tenant: Owner | None = None) -> ApiClientOut:
    """Show one API client, without its keys."""
    return api_client_out(_client(caller_of(request, may=Permission.CALLERS), client_id, tenant))


@router.put("/{client_id}", response=ApiClientOut, summary="Change an API client")
def put_api_client(
    request: HttpRequest, client_id: uuid.UUID, body: ApiClientTerms, tenant: Owner | None = None
) -> ApiClientOut:
    """Replace what the client may do; what is left out is taken back. In force from its next call on.

    A client that may do more than yourself is not yours to change.
    """
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    with as_seen(request, _client(caller, client_id, tenant), api_client_out) as client:
        saved = save_api_client(
            client.name, tenant=client.tenant, **body.terms(), within=caller.client, actor=caller.actor
        )
    return api_client_out(saved)


@router.put("/{client_id}/assertion-keys", response=ApiClientOut, summary="Register a client's public keys")
def put_assertion_keys(
    request: HttpRequest, client_id: uuid.UUID, body: AssertionKeysIn, tenant: Owner | None = None
) -> ApiClientOut:
    """Register the public keys with which the client signs for itself at `POST /oauth/token` (RFC 7523 §2.2)."""
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    keys, jwks_url = body.keys, body.jwks_url
    with as_seen(request, _client(caller, client_id, tenant), api_client_out) as client:
        register_assertion_keys(client, keys=keys, jwks_url=jwks_url, within=caller.client, actor=caller.actor)
    return api_client_out(client)


@router.put("/{client_id}/switches", response=ApiClientOut, summary="Suspend or resume an API client")
def put_api_client_switches(
    request: HttpRequest, client_id: uuid.UUID, body: KillSwitchIn, tenant: Owner | None = None
) -> ApiClientOut:
    """Throw the client's kill switch: each of its calls is refused. Only an operator-wide client takes it back."""
    caller = caller_of(request, may=Permission.CALLERS, conditional=True)
    client = _client(caller, client_id, tenant)
    if not body.suspended:
        check_reach(client, within=caller.client)
    seen = unchanged(request, api_client_out)
    turn_kill_switch(client, suspended=body.suspended, caller=caller, now=database_now(), check=seen)
    return api_client_out(client)


@router.get("/{client_id}/keys", response=ApiKeyPage, summary="List a client's keys")
def list_api_keys(
    request: HttpRequest,
    client_id: uuid.UUID,
    tenant: Owner | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ApiKeyPage:
    """List the keys by their visible beginning, revoked and expired ones too."""
    client = _client(caller_of(request, may=Permission.CALLERS), client_id, tenant)
    found = ApiKey.objects.filter(client=client).defer("key_hash")
    page, following = page_of(found, cursor, limit=limit)
    now = database_now()
    return ApiKeyPage(items=[key_out(row, now=now) for row in page], next=following)


@router.post("/{client_id}/keys", response={201: IssuedApiKeyOut}, summary="Issue or rotate a key")
def issue_api_key(
    request: HttpRequest, response: HttpResponse, client_id: uuid.UUID, body: ApiKeyIn, tenant: Owner | None = None
) -> Status[IssuedApiKeyOut]:
    """Give the client one more key, which only this answer shows; `earlier_keys_end_after_seconds` ends the others.

    A client that may do more than yourself gets no key from you.
    """
    caller = caller_of(request, may=Permission.CALLERS)
    client, now = _client(caller, client_id, tenant), database_now()
    lifetime, overlap = timedelta(days=body.lifetime_days), body.earlier_keys_end_after_seconds
    if overlap is None:
        issued = issue_key(client, now=now, lifetime=lifetime, within=caller.client, actor=caller.actor)
    else:
        issued = rotate_key(
            client,
            now=now,
            overlap=timedelta(seconds=overlap),
            lifetime=lifetime,
            within=caller.client,
            actor=caller.actor,
        )
    response["Cache-Control"] = "no-store"
    keep_without(request, "key")
    return Status(201, issued_key_out(issued))


@router.get("/{client_id}/keys/{key_id}", response=ApiKeyOut, summary="Show one key")
def get_api_key(
    request: HttpRequest, client_id: uuid.UUID, key_id: uuid.UUID, tenant: Owner | None = None
) -> ApiKeyOut:
    """Show one key by its visible beginning: until when it works, and when it was used."""
    client = _client(caller_of(request, may=Permission.CALLERS), client_id, tenant)
    return key_out(_key(client, key_id), now=database_now())


@router.put("/{client_id}/keys/{key_id}", response=ApiKeyOut, summary="Let a key end sooner")
def shorten_api_key(
    request: HttpRequest, client_id: uuid.UUID, key_id: uuid.UUID, body: ApiKeyEndIn, tenant: Owner | None = None
) -> ApiKeyOut:
    """Have a key end at a moment. No key is prolonged: a later moment than its own changes nothing."""
    caller, now = caller_of(request, may=Permission.CALLERS, conditional=True), database_now()
    found = _key(_client(caller, client_id, tenant), key_id)
    with as_seen(request, found, lambda row: key_out(row, now=now)) as key:
        shorten_key(key, ends_at=body.expires_at, actor=caller.actor)
    return key_out(key, now=now)


@router.delete("/{client_id}/keys/{key_id}", response=ApiKeyOut, summary="Revoke a key")
def revoke_api_key(
    request: HttpRequest, client_id: uuid.UUID, key_id: uuid.UUID, tenant: Owner | None = None
) -> ApiKeyOut:
    """Revoke a key: it is refused from the next call on, for good. Repeating it changes nothing."""
    caller, now = caller_of(request, may=Permission.CALLERS, conditional=True), database_now()
    found = _key(_client(caller, client_id, tenant), key_id)
    with as_seen(request, found, lambda row: key_out(row, now=now)) as key:
        revoke_key(key, now=now, actor=caller.actor)
    return key_out(key, now=now)


def _client(caller: Caller, client_id: uuid.UUID, slug: str | None) -> ApiClient:
    """Return one client of the owner whom the call is about. Raises ``NotFound``, always in the same words."""
    found = ApiClient.objects.select_related("tenant").filter(tenant=caller.owner(slug), id=client_id).first()
    if found is None:
        raise NotFound("There is no such API client.")
    return found


def _key(client: ApiClient, key_id: uuid.UUID) -> ApiKey:
    found = ApiKey.objects.defer("key_hash").select_related("client").filter(client=client, id=key_id).first()
    if found is None:
        raise NotFound("The API client has no such key.")
    return found
