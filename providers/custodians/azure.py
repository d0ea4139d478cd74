"""Azure: who we are there, and a call of a Key Vault.

A managed identity is asked for at the machine's metadata service, or at App Service's; a workload identity trades the
token in its file, an application its secret. Below https://learn.microsoft.com/entra (2026-11):
identity/managed-identities-azure-resources/how-to-use-vm-token, identity-platform/v2-oauth2-client-creds-grant-flow.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from providers.custodians.asking import CustodianAway, CustodianRefuses, ask, document_of, said, text_in
from providers.custodians.custody import Azure, current_custody
from providers.custodians.leases import Lease, Leases
from providers.response import Response

_NAME = "Azure"
_VERSION = "7.4"
# What a vault says of the key or secret itself, or of what it does not open (BadParameter). Any other code may be that
# of whoever stands before it.
_DECIDED = frozenset(
    {
        "BadParameter",
        "KeyDisabled",
        "KeyExpired",
        "KeyNotFound",
        "KeyNotYetValid",
        "SecretDisabled",
        "SecretNotFound",
    }
)
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_tokens: Leases[SecretStr] = Leases()


def call(method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make one call of a Key Vault and return its document. A token is asked for before, where one is due.

    Raises ``CustodianAway`` and ``CustodianRefuses``.
    """
    at = current_custody().azure
    token = _tokens.of((at.tenant_id, at.client_id), lambda: _token(at))
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    response = ask(_NAME, method, url, headers=headers, params={"api-version": _VERSION}, body=body)
    document = document_of(_NAME, response)
    if response.status == 200:
        return document
    code = _code(document)
    if code in _DECIDED:
        raise CustodianRefuses(f"{_NAME} answered {said(response.status, code)}: look at the key or secret there.")
    if response.status == 401:
        _tokens.forget()
    raise CustodianAway(f"{_NAME} answered {said(response.status, code)}: it is busy, or our identity may not use it.")


def _code(document: Mapping[str, Any]) -> str:
    """Return the innermost code that an error names, or ""."""
    code, at = "", document.get("error")
    while isinstance(at, dict):
        code = str(at.get("code") or code)
        at = at.get("innererror")
    return code


def _token(at: Azure) -> Lease[SecretStr]:
    if at.tenant_id:
        return _by_grant(at)
    identity = at.identity_header()
    named = {"client_id": at.client_id} if at.client_id else {}
    if at.identity_url and identity is not None:
        headers = {"X-IDENTITY-HEADER": identity.get_secret_value()}
        params = {"api-version": "2019-08-01", "resource": at.resource, **named}
        return _lease(ask(_NAME, "GET", at.identity_url, headers=headers, params=params))
    params = {"api-version": "2018-02-01", "resource": at.resource, **named}
    where = f"{at.machine_url.rstrip('/')}/metadata/identity/oauth2/token"
    return _lease(ask(_NAME, "GET", where, headers={"Metadata": "true"}, params=params))


def _by_grant(at: Azure) -> Lease[SecretStr]:
    form = {"grant_type": "client_credentials", "client_id": at.client_id, "scope": f"{at.resource}/.default"}
    if (assertion := at.federated_token()) is not None:
        form |= {"client_assertion_type": _ASSERTION, "client_assertion": assertion.get_secret_value()}
    elif (secret := at.client_secret()) is not None:
        form["client_secret"] = secret.get_secret_value()
    else:
        raise CustodianAway("AZURE_TENANT_ID needs AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET.")
    return _lease(ask(_NAME, "POST", f"{at.authority_url.rstrip('/')}/{at.tenant_id}/oauth2/v2.0/token", form=form))


def _lease(response: Response) -> Lease[SecretStr]:
    if response.status != 200:
        raise CustodianAway(f"{_NAME} gave no token: {said(response.status)}.")
    document = document_of(_NAME, response)
    seconds = str(document.get("expires_in", ""))  # a text at the metadata service, a number at the token endpoint
    return Lease(SecretStr(text_in(_NAME, document, "access_token")), float(seconds) if seconds.isdecimal() else 300.0)
