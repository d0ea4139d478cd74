"""Reading a token response (RFC 6749 §5.1) without trusting it: odd values are clamped, dropped or refused by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr

from providers.answer_text import objects_in, text_of
from providers.catalog.methods import OAuthMethod
from providers.catalog.pointer import value_at
from providers.errors import Evidence, MalformedResponse, MisconfiguredProvider
from providers.oauth.classify import answered_at, error_in, failure_of, fields_in
from providers.oauth.expiry import GrantLife, access_life, grant_life
from providers.oauth.unread import failure_to_read
from providers.response import Response
from providers.values import Credential, Obtained

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3
_LONGEST_EXTRA = 2048
# The limits: what the database takes, and far more scopes than any provider has. A hostile body may hold ten thousands.
_LONGEST_SCOPE = 255
_MOST_SCOPES = 1000

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenDocument:
    """A response that is a success: a 2xx with a usable access token and no error.

    ``fields`` holds the members of RFC 6749 §5.1, by their names there; the catalogue says where in the ``whole``
    document they are. ``clock`` is the answer's own time as an epoch: moments in the answer are measured from it.
    """

    fields: dict[str, Any]
    whole: dict[str, Any]
    clock: float

    def __repr__(self) -> str:
        return "TokenDocument(…)"


def admit(
    response: Response, *, method: OAuthMethod, is_refresh: bool = False, clock: float | None = None
) -> TokenDocument:
    """Return the document of a successful response, which may be JSON or a form.

    ``clock`` is the epoch at which the response was received, if that was not just now. The tokens are where the entry
    points; in the answer to a refresh they may also be at the top. Raises the failure that ``classify`` finds, and
    ``AnswerUnread`` for a success without a usable token. No I/O.
    """
    failure = failure_of(response, rules=method.errors)
    is_success = 200 <= response.status < 300
    whole = fields_in(response)
    fields = _with_token(whole, method, is_refresh=is_refresh)
    if failure is None and whole is None:
        for found in objects_in(text_of(response)):
            fields = {} if error_in(found) else _with_token(found, method, is_refresh=is_refresh)
            if fields:
                whole = found
                break
    if (isinstance(failure, MalformedResponse) and is_success) or (failure is None and not fields):
        failure = failure_to_read(response, failure)
    if failure is not None:
        raise failure
    return TokenDocument(
        _named(fields, method),
        whole if isinstance(whole, dict) else {},
        answered_at(response.headers) if clock is None else clock,
    )


def _with_token(whole: Any, method: OAuthMethod, *, is_refresh: bool) -> dict[str, Any]:
    """Return the object within ``whole`` that holds the tokens, {} if there is none."""
    for pointer in dict.fromkeys([method.token_pointer, *([""] if is_refresh else [])]):
        fields = value_at(whole, pointer)
        token = value_at(fields, _path(method.token_fields.access_token))
        if isinstance(fields, dict) and usable_token(token) is not None:
            return fields
    return {}


def _named(fields: dict[str, Any], method: OAuthMethod) -> dict[str, Any]:
    """Return ``fields``, with those that the entry renames under their names of RFC 6749."""
    found = dict(fields)
    for name, stated in method.token_fields:
        if stated != name:
            found[name] = value_at(fields, _path(stated))
    return found


def _path(name: str) -> str:
    return name if name.startswith("/") else f"/{name}"


def obtained(document: TokenDocument, *, method: OAuthMethod, previous: Credential | None = None) -> Obtained:
    """Return the credential in ``document``, with what the provider said about it. No I/O.

    If a refresh leaves out the refresh token (RFC 6749 §6), ``extra`` or ``fields``, those of ``previous`` are kept.
    What a refresh brings is kept whatever it is; for a first token, raises what ``refuse_bound`` does.
    """
    fields = document.fields
    named = fields.get("token_type")
    if previous is None:
        refuse_bound(named)
    whole = document.whole
    extra = extra_in(whole, method.extra_pointers)
    kept = previous or Credential()
    refresh_token = usable_token(fields.get("refresh_token")) or kept.refresh_token
    access = access_life(fields, whole, expiry=method.expiry, clock=document.clock)
    grant = GrantLife()
    if refresh_token is not None:
        grant = grant_life(fields, whole, expiry=method.refresh_tokens.expiry, clock=document.clock)
    return Obtained(
        credential=Credential(
            access_token=usable_token(fields["access_token"]),
            refresh_token=refresh_token,
            token_type=named if isinstance(named, str) and _SCOPE.fullmatch(named) and len(named) <= 64 else "Bearer",
            fields=kept.fields,
            extra={**kept.extra, **extra},
        ),
        lifetime_seconds=None if access.is_endless else access.seconds or method.default_lifetime_seconds,
        is_endless=access.is_endless,
        refresh_lifetime_seconds=grant.refresh_seconds,
        idle_lifetime_seconds=grant.idle_seconds,
        grant_lifetime_seconds=grant.grant_seconds,
        scopes=scopes_of(fields, method=method, is_refreshable=refresh_token is not None),
        id_token=usable_token(fields.get("id_token") or whole.get("id_token")) if previous is None else None,
    )


def refuse_bound(token_type: object) -> None:
    """Raise ``MisconfiguredProvider`` for a token that each request has to prove a key for (RFC 9449 §7.1).

    Shown as a bearer token it would be refused everywhere, and the blame would fall on the grant.
    """
    if isinstance(token_type, str) and token_type.strip().casefold() == "dpop":
        raise MisconfiguredProvider(
            Evidence("The server binds tokens to a key (DPoP), which is not supported: have it give bearer tokens.")
        )


def scopes_of(
    document: Mapping[str, Any], *, method: OAuthMethod, is_refreshable: bool = False
) -> tuple[str, ...] | None:
    """Return the scopes that a token or introspection response names, or None if it names none.

    If there is a refresh token (``is_refreshable``), the scope that stands for it is added: some providers grant it
    without naming it.
    """
    separator = method.response_scope_separator or method.scope_separator
    found = scopes_in(document.get(method.scope_field), separator=separator)
    if found == () and method.empty_scope == "as_requested":
        return None
    refresh_scope = method.refresh_tokens.scope
    if not found or not is_refreshable or not refresh_scope:
        return found
    return tuple(dict.fromkeys([*found, refresh_scope]))


def scopes_in(value: object, *, separator: str = " ") -> tuple[str, ...] | None:
    """Return the scopes in ``value``, a text or a list, in order and once each.

    Returns () for an empty text or list, None for another type or if no item is a valid scope. White space always
    separates, whatever the catalogue's separator. Invalid scopes are dropped, also those of more than 255 characters,
    and all after the first thousand. They raise no error, because the token beside them may be the only live one. A
    warning says how many were dropped for length or number.
    """
    if isinstance(value, str):
        value = value.replace(separator, " ").split()
    if not isinstance(value, list):
        return None
    named = dict.fromkeys(scope for scope in value if isinstance(scope, str) and _SCOPE.fullmatch(scope))
    kept = [scope for scope in named if len(scope) <= _LONGEST_SCOPE][:_MOST_SCOPES]
    if len(kept) < len(named):
        logger.warning("scopes_left_out", named=len(named), left_out=len(named) - len(kept))
    return None if value and not kept else tuple(kept)


def usable_token(value: object) -> SecretStr | None:
    """Return ``value`` if it is visible ASCII (RFC 6749 appendix A.12) and not blank, so that a header can carry it."""
    usable = isinstance(value, str) and value.isascii() and value.isprintable() and value.strip()
    return SecretStr(value) if isinstance(value, str) and usable else None


def extra_in(document: Any, pointers: Mapping[str, str]) -> dict[str, str]:
    """Return the members of an answer to keep, by our names: short printable texts and numbers; others are left out."""
    found = {name: _extra(value_at(document, pointer)) for name, pointer in pointers.items()}
    return {name: text for name, text in found.items() if text is not None}


def _extra(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if text.isprintable() and 0 < len(text) <= _LONGEST_EXTRA else None
