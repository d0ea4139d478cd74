"""Read a secret by its reference: from a file, or from a service that keeps it.

- OpenBao and Vault, key/value engines of both versions: https://openbao.org/api-docs/secret/kv/kv-v2/ (and …/kv-v1/)
- AWS: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
- Google: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
- Azure: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret (all 2026-11)
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr

from providers.custodians import aws, azure, google, openbao
from providers.custodians.asking import CustodianAway, CustodianRefuses, text_in
from providers.custodians.custody import current_custody
from providers.custodians.mounted import read_file
from providers.custodians.references import Reference, allowing_place
from providers.strict_json import parse

_DEEPEST = 12


def read_secret(reference: Reference) -> SecretStr:
    """Return the secret to which ``reference`` leads, without the ends of lines behind it.

    Reads a file, or asks a service: blocks for seconds at most, so no transaction may be open. Raises
    ``CustodianRefuses`` where the settings do not allow the place, or there is no such secret, and ``CustodianAway``.
    """
    place = allowing_place(reference, current_custody().secret_places)
    if place is None:
        raise CustodianRefuses(f"LATCHKEY_SECRET_SOURCES does not allow {reference.place}: name it there.")
    if reference.is_file:
        found: Any = read_file(reference.name, within=place.partition(":")[2])
    else:
        found = _STORES[reference.kind](reference.name)
    secret = _member(found, reference.member) if reference.member else found
    text = secret.rstrip("\r\n") if isinstance(secret, str) else ""
    if not text:
        raise CustodianRefuses("What is there is empty, or no text.")
    return SecretStr(text)


def _member(found: Any, member: str) -> Any:
    """Return one member of a JSON object, or of its text."""
    if isinstance(found, str):
        try:
            found = parse(found.encode(), deepest=_DEEPEST)
        except ValueError:
            found = None
    if not isinstance(found, dict):
        raise CustodianRefuses("What is there is no JSON object, so it has no members: leave # out.")
    if member not in found:
        raise CustodianRefuses(f"The JSON object that is there has no member {member!r}.")
    return found[member]


def _from_vault(name: str) -> Any:
    """Return the object that a key/value engine keeps. That of version 2 stands within another, beside its version."""
    data = openbao.call("GET", openbao.path_of(name), decides=_kept_nowhere).get("data")
    if isinstance(data, dict) and set(data) == {"data", "metadata"} and isinstance(data["metadata"], dict):
        data = data["data"]
    if not isinstance(data, dict):
        raise CustodianRefuses("Vault has no such secret, or its newest version is deleted.")
    return data


def _kept_nowhere(status: int, told: Mapping[str, Any]) -> bool:
    """Whether an answer says that there is no such secret: without a word, or with what is left of a deleted one."""
    return status == HTTPStatus.NOT_FOUND and (told.get("errors") == [] or isinstance(told.get("data"), dict))


def _from_aws(name: str) -> str:
    region = aws.region_of(name) if name.startswith("arn:") else current_custody().aws.region
    if not region:
        raise CustodianRefuses("Nothing says in which region it is: set AWS_REGION, or write the whole ARN.")
    answer = aws.call("secretsmanager", region, "secretsmanager.GetSecretValue", {"SecretId": name})
    if "SecretString" in answer:
        return text_in("AWS secretsmanager", answer, "SecretString")
    return _decoded("AWS secretsmanager", answer, "SecretBinary")


def _from_google(name: str) -> str:
    version = name if "/versions/" in name else f"{name}/versions/latest"
    where = f"{current_custody().google.secrets_url.rstrip('/')}/v1/{version}:access"
    return _decoded("Google Cloud", google.call("GET", where), "payload", "data")


def _from_azure(name: str) -> str:
    return text_in("Azure", azure.call("GET", name), "value")


def _decoded(name: str, answer: dict[str, Any], *path: str) -> str:
    try:
        return base64.b64decode(text_in(name, answer, *path), validate=True).decode("utf-8")
    except UnicodeDecodeError:
        raise CustodianRefuses("What is there is not text in UTF-8.") from None
    except binascii.Error:
        raise CustodianAway(f"{name} answered {path[-1]} in no base64.") from None


_STORES: dict[str, Callable[[str], Any]] = {
    "vault": _from_vault,
    "aws-secrets-manager": _from_aws,
    "google-secret-manager": _from_google,
    "azure-key-vault": _from_azure,
}
