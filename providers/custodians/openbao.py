"""OpenBao and HashiCorp Vault: who we are there, and a call.

``X-Vault-Token``: https://openbao.org/api-docs/; logins: https://openbao.org/api-docs/auth/approle/ and
https://openbao.org/api-docs/auth/kubernetes/; a token's own life: https://openbao.org/api-docs/auth/token/ (2026-11).
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from providers.custodians.asking import CustodianAway, CustodianRefuses, ask, document_of, said, text_in
from providers.custodians.custody import OpenBao, current_custody
from providers.custodians.leases import Lease, Leases

_NAME = "Vault"
_DENIED = 403
# Whether an answer that is no success, by its status and its document, is the engine's own decision.
Decides = Callable[[int, Mapping[str, Any]], bool]
_tokens: Leases[SecretStr] = Leases()
_renewed: Leases[None] = Leases()
_NOT_RENEWED_SECONDS = 3600.0  # until it is tried again


@dataclass(frozen=True, slots=True)
class TokenLife:
    """How long the token of the settings is good yet, in seconds (0: for ever), and if it can always be renewed."""

    seconds: float
    is_renewable: bool


def token_life() -> TokenLife | None:
    """Ask how long the token of the settings lives; None where there is none. Raises ``CustodianAway``."""
    at = current_custody().openbao
    token = at.token() if at.url else None
    if token is None:
        return None
    response = _ask(at, "GET", "auth/token/lookup-self", token, None)
    told = document_of(_NAME, response).get("data")
    if response.status // 100 != 2 or not isinstance(told, dict):
        raise CustodianAway(f"{_NAME} does not tell how long VAULT_TOKEN lives: {said(response.status)}.")
    return TokenLife(_seconds(told, "ttl"), told.get("renewable") is True and not _seconds(told, "explicit_max_ttl"))


def call(method: str, path: str, *, decides: Decides, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make one call of the API below ``/v1/`` and return its document. A login comes before it where one is due.

    Raises ``CustodianRefuses`` for what ``decides`` says of, and ``CustodianAway`` for all else: a gateway, a mount or
    a namespace that is missing while Vault is being mended, and Vault itself without a word that is known.
    """
    at = current_custody().openbao
    if not at.url:
        raise CustodianAway("VAULT_ADDR is not set: say where Vault or OpenBao is.")
    response = _ask(at, method, path, _token(at), body)
    if response.status == _DENIED and _logs_in(at):
        _tokens.forget()  # it may have been revoked, or have ended sooner than was said
        response = _ask(at, method, path, _token(at), body)
    if response.status // 100 == 2:
        _keep_token(at)
        return document_of(_NAME, response)
    detail = f"{_NAME} answered {said(response.status)} for {path}"
    told = document_of(_NAME, response)
    if decides(response.status, told):
        raise CustodianRefuses(f"{detail}: there is no such thing, or it does not open this.")
    if response.status == _DENIED:
        raise CustodianAway(f"{detail}: its policy does not allow it, or the token has ended.")
    raise CustodianAway(f"{detail}: it is sealed, busy, not the active one, or has nothing mounted there.")


def path_of(*parts: str) -> str:
    """Return the path that these parts make, each of them escaped but for slashes."""
    return "/".join(quote(part.strip("/"), safe="/") for part in parts)


def _ask(at: OpenBao, method: str, path: str, token: SecretStr, body: Mapping[str, Any] | None) -> Any:
    headers = _headers(at) | {"X-Vault-Token": token.get_secret_value()}
    return ask(_NAME, method, f"{at.url.rstrip('/')}/v1/{path}", headers=headers, body=body)


def _headers(at: OpenBao) -> dict[str, str]:
    named = {"X-Vault-Namespace": at.namespace} if at.namespace else {}
    return {"X-Vault-Request": "true", **named}


def _logs_in(at: OpenBao) -> bool:
    return at.token() is None


def _token(at: OpenBao) -> SecretStr:
    return at.token() or _tokens.of(at, lambda: _login(at))


def _keep_token(at: OpenBao) -> None:
    """Have the token of the settings renewed, if there is one and it is time. What was asked for is there already."""
    if (token := at.token()) is not None:
        name = hashlib.sha256(token.get_secret_value().encode()).digest()
        with suppress(CustodianAway):
            _renewed.of((at.url, name), lambda: _renew(at, token))


def _renew(at: OpenBao, token: SecretStr) -> Lease[None]:
    """Have the token of the settings live on, and say that again when half of its life is over."""
    response = _ask(at, "POST", "auth/token/renew-self", token, {})
    told = document_of(_NAME, response).get("auth")
    if response.status // 100 != 2 or not isinstance(told, dict):
        return Lease(None, _NOT_RENEWED_SECONDS)  # one that cannot be, or that need not
    return Lease(None, _seconds(told, "lease_duration") / 2 or _NOT_RENEWED_SECONDS)


def _seconds(told: Mapping[str, Any], member: str) -> float:
    found = told.get(member)
    return float(found) if isinstance(found, int) and found > 0 else 0.0


def _login(at: OpenBao) -> Lease[SecretStr]:
    if at.role_id:
        secret = at.secret_id()
        mount, body = "approle", {"role_id": at.role_id}
        if secret is not None:
            body["secret_id"] = secret.get_secret_value()
    elif at.kubernetes_role and (jwt := at.kubernetes_token()) is not None:
        mount, body = "kubernetes", {"role": at.kubernetes_role, "jwt": jwt.get_secret_value()}
    else:
        raise CustodianAway("No login to Vault is set: give VAULT_TOKEN, VAULT_ROLE_ID or VAULT_KUBERNETES_ROLE.")
    path = path_of("auth", at.login_mount or mount, "login")
    response = ask(_NAME, "POST", f"{at.url.rstrip('/')}/v1/{path}", headers=_headers(at), body=body)
    if response.status // 100 != 2:
        raise CustodianAway(f"{_NAME} refused the login at {path}: {said(response.status)}.")
    document = document_of(_NAME, response)
    token = text_in(_NAME, document, "auth", "client_token")
    return Lease(SecretStr(token), _seconds(document["auth"], "lease_duration") or 3600.0)
