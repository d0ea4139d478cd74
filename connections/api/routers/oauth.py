"""``/oauth/token``: token exchange (RFC 8693). Underneath it is a vend, for an end user whom a token names."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import SecretStr

from connections.api.auth import PresentedKey, presented_by
from connections.api.oauth_token import (
    Exchange,
    ExchangeErrorOut,
    ExchangeIn,
    ExchangeOut,
    answer_refusal,
    exchanged,
    named_by_basic,
    read_exchange,
)
from connections.database.clock import database_now
from connections.entrance import client_address
from connections.journal.audit import Actor
from connections.lifecycle.identify.assertions import prove_by_assertion
from connections.lifecycle.provision.callers import check_named
from connections.lifecycle.vend.by_owner import connection_of_owner
from connections.lifecycle.vend.order import VendOrder
from connections.lifecycle.vend.vend import vend
from connections.lifecycle.vend.verified import IdentityTokens, Parties, verified_parties
from connections.models import Connection
from connections.refusals import InvalidRequest, Refusal, Unauthorized
from providers.strategies import strategy_for

router = Router(tags=["vend"])
PATH = "/api/v1/oauth/token"
_FIELDS = ("subject_token", "actor_token")
_FORM = {"application/x-www-form-urlencoded": {"schema": ExchangeIn.model_json_schema()}}


@router.post(
    "/token",
    response={200: ExchangeOut, 400: ExchangeErrorOut, 401: ExchangeErrorOut, 503: ExchangeErrorOut},
    summary="Exchange a token of your end user's for a credential (RFC 8693)",
    openapi_extra={"requestBody": {"required": True, "content": _FORM}, "security": [{"ApiKeyAuth": []}, {}]},
)
def exchange_token(request: HttpRequest) -> HttpResponse:
    """Return a credential that works now for the end user whom `subject_token` names; each call is audited.

    The client proves itself by its bearer, by `client_assertion`, or by its id and a key of its own as HTTP Basic or as
    `client_id` and `client_secret`. An error says what it is in the words of RFC 6749, and in a stable `code`; where
    the end user can mend it, `connect_url` leads there.
    """
    try:
        asked = read_exchange(request)
        content = _exchange(asked, _client(request, asked)).model_dump_json(exclude_none=True)
    except Refusal as refusal:
        return answer_refusal(refusal, scheme=request.headers.get("Authorization", "").partition(" ")[0])
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(content, content_type="application/json", headers=headers)


def _client(request: HttpRequest, asked: Exchange) -> PresentedKey:
    """Return what the client is known by. Raises ``Unauthorized``, and ``InvalidRequest`` for two proofs at once.

    RFC 6749 §2.3: one way in each request.
    """
    authorization, address = request.headers.get("Authorization", ""), client_address(request)
    scheme, _, bearer = authorization.partition(" ")
    if sum(map(bool, (authorization, asked.client_assertion, asked.client_secret))) > 1:
        raise InvalidRequest("Prove who you are in one way: by a bearer, a secret or an assertion.", field="")
    if asked.client_assertion:
        here = (settings.API_URL, settings.API_URL + PATH)
        proven = prove_by_assertion(asked.client_assertion, audiences=here, client_id=asked.client_id, address=address)
        return PresentedKey(proven, address)
    name, secret = named_by_basic(bearer) if scheme.lower() == "basic" else (asked.client_id, asked.client_secret)
    if secret:
        if asked.client_id not in ("", name):
            raise InvalidRequest("The parameter client_id names another client.", field="client_id")
        return PresentedKey(check_named(secret, client_id=name, address=address), address)
    if scheme.lower() != "bearer" or not bearer.strip():
        raise Unauthorized("The client has not said who it is: send a bearer, a secret or an assertion.")
    presented = presented_by(bearer.strip(), address=address)
    if asked.client_id:
        check_named(bearer.strip(), client_id=asked.client_id, address=address)
    return presented


def _exchange(asked: Exchange, client: PresentedKey) -> ExchangeOut:
    asker = Actor(purpose=asked.purpose, address=client.address)
    tokens = IdentityTokens(asked.subject_token, asked.actor_token, fields=_FIELDS)
    parties = verified_parties(Parties(), tokens, key_hash=client.key_hash, tenant=asked.tenant, asker=asker)
    connection_id = asked.connection_id or _connection(asked, client, parties)
    order = VendOrder(
        key_hash=client.key_hash,
        connection_id=connection_id,
        tenant=asked.tenant,
        end_user=parties.end_user,
        groups=parties.groups,
        scopes=asked.scopes,
        agent=parties.agent,
        purpose=asked.purpose,
        address=client.address,
        subject_token=SecretStr(asked.subject_token) if _acts_for_subjects(connection_id) else None,
        end_user_issuer=parties.end_user_issuer,
        agent_issuer=parties.agent_issuer,
    )
    return exchanged(vend(order), now=database_now())


def _connection(asked: Exchange, client: PresentedKey, parties: Parties) -> uuid.UUID:
    return connection_of_owner(
        key_hash=client.key_hash,
        tenant=asked.tenant,
        provider=asked.provider,
        end_user=parties.end_user,
        label=asked.label,
        or_the_tenants=True,
        groups=parties.groups,
        asker=Actor(subject=parties.end_user or "", agent=parties.agent, purpose=asked.purpose, address=client.address),
    )


def _acts_for_subjects(connection_id: uuid.UUID) -> bool:
    """Whether the connection has no credential of its own, and exchanges the subject's token at the provider."""
    style = Connection.objects.filter(id=connection_id).values_list("provider_app__auth_style", flat=True).first()
    return style is not None and strategy_for(style).per_subject
