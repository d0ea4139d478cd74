"""The token endpoint's own language: a form in (RFC 8693 §2.1), and RFC 6749's answers out. No I/O.

Below it is the vend: the same rules, audit and access grants. ``routers.oauth`` makes the calls.
"""

import base64
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ConfigDict, Field

from connections.api.problems import STATUS_OF, say_when_again
from connections.lifecycle.identify.assertions import ASSERTION_TYPE
from connections.lifecycle.vend.opening import Vended
from connections.refusals import InvalidRequest, Refusal, Unauthorized
from providers.catalog.loader import load_catalog, meant_by

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPES = "urn:ietf:params:oauth:token-type:"
ACCESS_TOKEN = f"{_TYPES}access_token"
# A key, a password or a cookie is no token of OAuth's; RFC 8693 §3 lets others name types of their own.
OTHER_CREDENTIAL = "urn:latchkey:token-type:credential"
_BELIEVED = (f"{_TYPES}jwt", f"{_TYPES}id_token", ACCESS_TOKEN)
_FORM = "application/x-www-form-urlencoded"
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749 §3.3
_MOST_FIELDS, _MOST_SCOPES, _LONGEST = 50, 200, 255
_READ = (
    *("grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type", "resource", "audience"),
    *("scope", "requested_token_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
    *("tenant", "label", "purpose"),
)
# The codes of RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 8628 §3.5 and OpenID Connect Core §3.1.2.6, by ours.
_ERRORS = {
    "unauthorized": "invalid_client",
    "suspended": "unauthorized_client",
    "permission_denied": "unauthorized_client",
    "insufficient_scope": "invalid_scope",
    "reauthorization_required": "interaction_required",
    "interaction_required": "interaction_required",
    "approval_required": "authorization_pending",
    "not_found": "invalid_target",
    "pending": "invalid_target",
    "ambiguous_connection": "invalid_target",
    "policy_denied": "invalid_target",
    "proxy_only": "invalid_target",
    "unsupported_grant_type": "unsupported_grant_type",
}


class ExchangeIn(BaseModel):
    """A token exchange, as a form. What is not known is ignored (RFC 6749 §3.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "grant_type": GRANT_TYPE,
                    "subject_token": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
                    "subject_token_type": f"{_TYPES}jwt",
                    "audience": "sandbox",
                }
            ]
        }
    )

    grant_type: str = Field(description=GRANT_TYPE)
    subject_token: str = Field(description="a JWT of an issuer that is trusted for end users")
    subject_token_type: str = Field(description=f"{', '.join(_BELIEVED)}")
    actor_token: str = Field("", description="a JWT of an issuer that is trusted for agents")
    actor_token_type: str = ""
    audience: str = Field("", description="the slug of a provider, or the id of a connection")
    resource: str = Field("", description="the same as an address of this API: …/providers/{slug}, …/connections/{id}")
    scope: str = ""
    requested_token_type: str = ""
    client_id: str = Field("", description="the id of the API client")
    client_secret: str = Field("", description="a key of that client's, in the place of a bearer (RFC 6749 §2.3.1)")
    client_assertion: str = Field("", description="private_key_jwt (RFC 7523), in the place of a bearer")
    client_assertion_type: str = ""
    tenant: str = Field("", description="needed of an operator-wide client")
    label: str = ""
    purpose: str = ""


class ExchangeOut(BaseModel):
    """A credential that works now (RFC 8693 §2.2.1). ``connection`` and ``version`` are those of a vend."""

    access_token: str
    issued_token_type: str
    token_type: str
    expires_in: int | None = None
    scope: str
    connection: uuid.UUID
    version: uuid.UUID


class ExchangeErrorOut(BaseModel):
    """An error (RFC 6749 §5.2). ``code`` is stable and says more; ``connect_url`` is where the end user mends it."""

    error: str
    error_description: str
    code: str
    connect_url: str | None = None


class UnsupportedGrantType(Refusal):
    """This endpoint exchanges tokens, and does nothing else."""

    code = "unsupported_grant_type"


class ProxyOnly(Refusal):
    """The credential is never handed out: each request has to be signed or sent by Latchkey itself."""

    code = "proxy_only"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked. Either ``connection_id`` or ``provider`` says where the token is for."""

    subject_token: str = field(repr=False)
    actor_token: str = field(repr=False)
    client_assertion: str = field(repr=False)
    client_secret: str = field(repr=False)
    client_id: str
    connection_id: uuid.UUID | None
    provider: str
    scopes: tuple[str, ...]
    tenant: str | None
    label: str
    purpose: str


def read_exchange(request: HttpRequest) -> Exchange:
    """Return what a request asks. Raises ``InvalidRequest``, which names the parameter, ``UnsupportedGrantType``."""
    form = _form(request)
    if form["grant_type"] != GRANT_TYPE:
        if not form["grant_type"]:
            raise InvalidRequest("The parameter grant_type is missing.", field="grant_type")
        raise UnsupportedGrantType(f"The grant type here is {GRANT_TYPE}.")
    _check_type(form, "subject_token", is_needed=True)
    _check_type(form, "actor_token", is_needed=False)
    if form["requested_token_type"] not in ("", ACCESS_TOKEN):
        raise InvalidRequest(f"Only {ACCESS_TOKEN} is issued.", field="requested_token_type")
    if bool(form["client_assertion"]) is not (form["client_assertion_type"] == ASSERTION_TYPE):
        raise InvalidRequest(f"An assertion is of the type {ASSERTION_TYPE}.", field="client_assertion_type")
    connection_id, provider = _target(form)
    return Exchange(
        subject_token=form["subject_token"],
        actor_token=form["actor_token"],
        client_assertion=form["client_assertion"],
        client_secret=form["client_secret"],
        client_id=form["client_id"],
        connection_id=connection_id,
        provider=provider,
        scopes=_scopes(form["scope"]),
        tenant=form["tenant"] or None,
        label=form["label"],
        purpose=form["purpose"],
    )


def _form(request: HttpRequest) -> Mapping[str, str]:
    """Return the parameters that are read; "" for one that is left out or empty (RFC 6749 §3.2)."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidRequest(f"Send the parameters as {_FORM}.", field="")
    try:
        sent = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest("The form cannot be read.", field="") from None
    form = dict.fromkeys(_READ, "")
    for name, value in sent:
        if name not in form:
            continue
        if form[name] and value:
            one_only = ("resource", "audience")
            told = "One target is enough" if name in one_only else f"The parameter {name} comes twice"
            raise InvalidRequest(f"{told}.", field=name)
        is_token = name in ("subject_token", "actor_token", "client_assertion")
        if not value.isprintable() or (not is_token and name != "scope" and len(value) > _LONGEST):
            raise InvalidRequest(f"The parameter {name} is too long, or holds what nobody sees.", field=name)
        form[name] = form[name] or value
    return form


def named_by_basic(credentials: str) -> tuple[str, str]:
    """Return the client's id and secret of HTTP Basic, each of them percent-encoded (RFC 6749 §2.3.1). No I/O.

    Raises ``Unauthorized`` for what cannot be read, or lacks one of them.
    """
    try:
        name, _, secret = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
        found = unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError:
        found = "", ""
    if not all(found):
        raise Unauthorized("The client's id and secret cannot be read: they are percent-encoded, then in base64.")
    return found


def _check_type(form: Mapping[str, str], name: str, *, is_needed: bool) -> None:
    kind = f"{name}_type"
    if not form[name]:
        if is_needed or form[kind]:
            raise InvalidRequest(f"The parameter {name} is missing.", field=name)
    elif form[kind] not in _BELIEVED:
        raise InvalidRequest(f"The type of a {name} is one of {', '.join(_BELIEVED)}.", field=kind)


def _target(form: Mapping[str, str]) -> tuple[uuid.UUID | None, str]:
    resource, audience = form["resource"], form["audience"]
    if bool(resource) is bool(audience):
        raise InvalidRequest("Name the target once, by audience or by resource.", field="audience")
    root = f"{settings.API_URL}/api/v1/"
    if resource and not resource.startswith(root):
        raise InvalidRequest(f"A resource is an address below {root}, of a provider or a connection.", field="resource")
    kind, _, name = resource.removeprefix(root).partition("/") if resource else ("", "", audience)
    if kind in ("", "connections"):
        try:
            return uuid.UUID(name), ""
        except ValueError:
            if kind:
                raise InvalidRequest("The resource names no connection.", field="resource") from None
    if kind in ("", "providers") and meant_by(name)[0] in load_catalog():
        return None, name
    field = "resource" if resource else "audience"
    raise InvalidRequest("The target is neither a provider nor a connection.", field=field)


def _scopes(text: str) -> tuple[str, ...]:
    scopes = tuple(dict.fromkeys(text.split(" "))) if text else ()
    if len(scopes) > _MOST_SCOPES or not all(_SCOPE.fullmatch(scope) for scope in scopes):
        raise InvalidRequest("Scopes are separated by one space each (RFC 6749 §3.3).", field="scope")
    return scopes


def exchanged(vended: Vended, *, now: datetime) -> ExchangeOut:
    """Return the answer that hands out a vended credential. Raises ``ProxyOnly`` for one that is never handed out."""
    row, shown = vended.row, vended.presentation
    if shown.value is None or row.connection_id is None or row.version_id is None:
        raise ProxyOnly("This credential is used through the proxy only: it is not handed out.")
    left = None if row.access_expires_at is None else int((row.access_expires_at - now).total_seconds())
    return ExchangeOut(
        access_token=shown.value.get_secret_value(),
        issued_token_type=ACCESS_TOKEN if shown.token_type else OTHER_CREDENTIAL,
        token_type=shown.token_type or "N_A",
        expires_in=None if left is None else max(left, 0),
        scope=" ".join(row.scopes or ()),
        connection=row.connection_id,
        version=row.version_id,
    )


def answer_refusal(refusal: Refusal, *, scheme: str = "") -> HttpResponse:
    """Return the error document of a refusal, with its further members. 400, but for a client unknown and an outage.

    ``scheme`` is by which the client tried to say who it is (RFC 6749 §5.2).
    """
    usual = STATUS_OF.get(refusal.code, 400)
    fallback = "temporarily_unavailable" if usual == 503 else "server_error" if usual >= 500 else "invalid_request"
    error = _ERRORS.get(refusal.code, fallback)
    if refusal.code == InvalidRequest.code and refusal.extra.get("field") in ("resource", "audience"):
        error = "invalid_target"
    if refusal.code == InvalidRequest.code and refusal.extra.get("field") in ("scope", "scopes"):
        error = "invalid_scope"
    document: dict[str, Any] = {
        "error": error,
        "error_description": _described(refusal.detail),
        "code": refusal.code,
        **refusal.extra,
    }
    response = JsonResponse(document, status=usual if usual == 401 or usual >= 500 else 400)
    response["Cache-Control"] = "no-store"
    say_when_again(response, refusal.retry_after_seconds)
    if usual == 401:
        response["WWW-Authenticate"] = f'{"Basic" if scheme.lower() == "basic" else "Bearer"} realm="latchkey"'
    return response


def _described(text: str) -> str:
    """Return ``text`` in the letters that an ``error_description`` may have (RFC 6749 §5.2)."""
    plain = text.replace('"', "'").replace("\\", "/").replace("…", "...")
    return "".join(mark if "\x20" <= mark <= "\x7e" else "?" for mark in plain)
