"""Google Cloud: who we are there, and a call of an API that speaks JSON.

The machine's account (also that of GKE's workload identity) is asked for at the metadata service; a key of a service
account signs an assertion (RFC 7523; https://developers.google.com/identity/protocols/oauth2/service-account, 2026-11).
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import jwt
from pydantic import SecretStr

from providers.custodians.asking import CustodianAway, CustodianRefuses, ask, document_of, said, text_in
from providers.custodians.custody import Google, current_custody
from providers.custodians.leases import Lease, Leases
from providers.response import Response

_NAME = "Google Cloud"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_DECIDED = frozenset({"FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"})
_ASSERTION_SECONDS = 600
_tokens: Leases[SecretStr] = Leases()


def call(method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make one call and return its document. A token is asked for before, where one is due.

    Raises ``CustodianAway`` and ``CustodianRefuses``.
    """
    at = current_custody().google
    token = _tokens.of(at.metadata_url, lambda: _token(at))
    response = ask(_NAME, method, url, headers={"Authorization": f"Bearer {token.get_secret_value()}"}, body=body)
    document = document_of(_NAME, response)
    if response.status == 200:
        return document
    told = document.get("error")
    code = told.get("status", "") if isinstance(told, dict) else ""
    if code in _DECIDED:
        raise CustodianRefuses(f"{_NAME} answered {code}: the key or secret is disabled, destroyed or another one.")
    if response.status == 401:
        _tokens.forget()
    raise CustodianAway(f"{_NAME} answered {said(response.status, code)}: it is busy, or our account may not use it.")


def _token(at: Google) -> Lease[SecretStr]:
    given = at.service_account()
    if given is None:
        where = f"{at.metadata_url.rstrip('/')}/computeMetadata/v1/instance/service-accounts/default/token"
        return _lease(ask(_NAME, "GET", where, headers={"Metadata-Flavor": "Google"}))
    try:
        account = json.loads(given.get_secret_value())
        issuer, token_url = str(account["client_email"]), str(account["token_uri"])
        now = int(time.time())
        claims = {"iss": issuer, "scope": _SCOPE, "aud": token_url, "iat": now, "exp": now + _ASSERTION_SECONDS}
        assertion = jwt.encode(
            claims, account["private_key"], algorithm="RS256", headers={"kid": account["private_key_id"]}
        )
    except (ValueError, TypeError, KeyError, jwt.PyJWTError):
        raise CustodianAway("GOOGLE_APPLICATION_CREDENTIALS names no key of a service account.") from None
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    return _lease(ask(_NAME, "POST", token_url, form=form))


def _lease(response: Response) -> Lease[SecretStr]:
    if response.status != 200:
        raise CustodianAway(f"{_NAME} gave no token: {said(response.status)}.")
    document = document_of(_NAME, response)
    seconds = document.get("expires_in")
    token = SecretStr(text_in(_NAME, document, "access_token"))
    return Lease(token, float(seconds) if isinstance(seconds, int) else 300.0)
