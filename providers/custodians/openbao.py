"""OpenBao and HashiCorp Vault: who we are there, and a call.

``X-Vault-Token``: https://openbao.org/api-docs/; logins: https://openbao.org/api-docs/auth/approle/ and
https://openbao.org/api-docs/auth/kubernetes/ (2026-11).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from providers.custodians.asking import CustodianAway, CustodianRefuses, ask, document_of, said, text_in
from providers.custodians.custody import OpenBao, current_custody
from providers.custodians.leases import Lease, Leases

_NAME = "Vault"
_DENIED = 403
# With a list of errors, or with what is left of a deleted secret. Without either whoever stands before it has
# answered, while it is away.
_DECIDED = frozenset({400, 404})
_tokens: Leases[SecretStr] = Leases()


def call(method: str, path: str, *, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make one call of the API below ``/v1/`` and return its document. A login comes before it where one is due.

    Raises ``CustodianAway`` and ``CustodianRefuses``.
    """
    at = current_custody().openbao
    if not at.url:
        raise CustodianAway("VAULT_ADDR is not set: say where Vault or OpenBao is.")
    response = _ask(at, method, path, _token(at), body)
    if response.status == _DENIED and _logs_in(at):
        _tokens.forget()  # it may have been revoked, or have ended sooner than was said
        response = _ask(at, method, path, _token(at), body)
    if response.status // 100 == 2:
        return document_of(_NAME, response)
    detail = f"{_NAME} answered {said(response.status)} for {path}"
    told = document_of(_NAME, response)
    if response.status in _DECIDED and (isinstance(told.get("errors"), list) or isinstance(told.get("data"), dict)):
        raise CustodianRefuses(f"{detail}: there is no such thing, or it does not open this.")
    if response.status == _DENIED:
        raise CustodianAway(f"{detail}: its policy does not allow it, or the token has ended.")
    raise CustodianAway(f"{detail}: it is sealed, busy or not the active one.")


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
    seconds = document["auth"].get("lease_duration")
    return Lease(SecretStr(token), float(seconds) if isinstance(seconds, int) and seconds > 0 else 3600.0)
