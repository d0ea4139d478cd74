"""AWS: who we are there, and a signed call of a service that speaks JSON.

Keys come from the first of four places, in the order of AWS's own libraries
(https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, 2026-11): the settings; a role that a
token in a file may take (IRSA); the container's address (ECS, EKS Pod Identity); the machine's role (IMDSv2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from providers.custodians.asking import CustodianAway, CustodianRefuses, ask, document_of, said, text_in
from providers.custodians.custody import Aws, current_custody
from providers.custodians.leases import Lease, Leases
from providers.response import Response
from providers.signing.aws_sigv4 import sigv4_signer

_MACHINE_SECONDS = "21600"
_PAIR_SECONDS = 3600.0
_CODE = re.compile(r"[A-Za-z]{1,64}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
# Of the XML with which sts answers. None of these values needs to be escaped there.
_GIVEN = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>\s*([^<&]+?)\s*</\1>")
# What a service says of the key or secret itself, and not of us or of the moment. A key whose state does not fit may be
# one that is to be deleted, or one whose key store is cut off just now (KMSInvalidStateException).
_DECIDED = frozenset(
    {
        "DecryptionFailure",
        "DisabledException",
        "IncorrectKeyException",
        "InvalidCiphertextException",
        "InvalidKeyUsageException",
        "NotFoundException",
        "ResourceNotFoundException",
    }
)


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys, and the token that goes with a temporary one."""

    access_key_id: str
    secret_access_key: SecretStr
    session_token: SecretStr | None


_kept: Leases[Keys] = Leases()


def call(service: str, region: str, target: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Make one call of ``service`` in ``region`` and return its document. Who we are is asked for before, if need be.

    Raises ``CustodianAway`` and ``CustodianRefuses``.
    """
    at = current_custody().aws
    keys = _kept.of(at.access_key_id or at.role_arn or at.container_url or at.machine_url, lambda: _keys(at, region))
    response = ask(
        f"AWS {service}",
        "POST",
        _url(at, service, region) + "/",
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target},
        body=body,
        sign=sigv4_signer(
            access_key_id=keys.access_key_id,
            secret_access_key=keys.secret_access_key,
            session_token=keys.session_token,
            region=region,
            service=service,
        ),
    )
    document = document_of(service, response)
    if response.status == 200:
        return document
    told = str(document.get("__type", "")).rpartition("#")[2]
    code = told if _CODE.fullmatch(told) else ""
    if code in _DECIDED:
        raise CustodianRefuses(f"AWS {service} answered {code}: look at the key or secret there.")
    if code in ("ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"):
        _kept.forget()
    raise CustodianAway(f"AWS {service} answered {f'HTTP {response.status} {code}'.rstrip()}: {_hint(code)}.")


def region_of(arn: str) -> str:
    """Return the region that an ARN names. Raises ``CustodianRefuses`` for one that names none."""
    parts = arn.split(":")
    if len(parts) < 6 or parts[0] != "arn" or not _REGION.fullmatch(parts[3]):
        raise CustodianRefuses("It has to be a whole ARN, like arn:aws:kms:eu-central-1:111122223333:key/….")
    return parts[3]


def _hint(code: str) -> str:
    if code == "AccessDeniedException":
        return "allow our role to use it"
    return "it is busy, or does not know who we are"


def _url(at: Aws, service: str, region: str) -> str:
    end = ".cn" if region.startswith("cn-") else ""
    return at.endpoints.get(service, "").rstrip("/") or f"https://{service}.{region}.amazonaws.com{end}"


def _keys(at: Aws, region: str) -> Lease[Keys]:
    secret = at.secret_access_key()
    if at.access_key_id and secret is not None:
        return Lease(Keys(at.access_key_id, secret, at.session_token()), 0)
    if at.role_arn and (token := at.web_identity_token()) is not None:
        return _by_web_identity(at, token, region)
    if at.container_url:
        given = at.container_token()
        headers = {} if given is None else {"Authorization": given.get_secret_value()}
        return _lease("the container's credentials", ask("AWS", "GET", at.container_url, headers=headers))
    if at.machine_url:
        return _by_machine(at)
    raise CustodianAway("Nothing says who we are at AWS: see AWS_ACCESS_KEY_ID and AWS_ROLE_ARN.")


def _by_web_identity(at: Aws, token: SecretStr, region: str) -> Lease[Keys]:
    """Ask for a role's keys, with the token of our account (AssumeRoleWithWebIdentity)."""
    response = ask(
        "AWS sts",
        "POST",
        _url(at, "sts", at.region or region) + "/",
        form={
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": at.role_arn,
            "RoleSessionName": at.role_session_name,
            "WebIdentityToken": token.get_secret_value(),
        },
    )
    if response.status != 200:
        raise CustodianAway(f"AWS sts answered {said(response.status)}: does the role trust this token's issuer?")
    found = dict(_GIVEN.findall(response.body.decode("utf-8", "replace")))
    return _lease_of(
        {name: found.get(name, "") for name in ("AccessKeyId", "SecretAccessKey", "Expiration")}
        | {"Token": found.get("SessionToken", "")}
    )


def _by_machine(at: Aws) -> Lease[Keys]:
    """Ask the metadata service of the machine (IMDSv2)."""
    where = f"{at.machine_url.rstrip('/')}/latest"
    token = ask("AWS", "PUT", f"{where}/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": _MACHINE_SECONDS})
    headers = {"X-aws-ec2-metadata-token": _line(token)}
    roles = f"{where}/meta-data/iam/security-credentials/"
    role = _line(ask("AWS", "GET", roles, headers=headers))
    return _lease("the machine's role", ask("AWS", "GET", roles + role, headers=headers))


def _line(response: Response) -> str:
    lines = response.body.decode("ascii", "replace").split()
    if response.status != 200 or not lines:
        raise CustodianAway("This machine has no role at AWS that its metadata service would tell.")
    return lines[0]


def _lease(of: str, response: Response) -> Lease[Keys]:
    if response.status != 200:
        raise CustodianAway(f"AWS did not give {of}: {said(response.status)}.")
    return _lease_of(document_of("AWS", response))


def _lease_of(document: Mapping[str, Any]) -> Lease[Keys]:
    keys = Keys(
        text_in("AWS", document, "AccessKeyId"),
        SecretStr(text_in("AWS", document, "SecretAccessKey")),
        SecretStr(text_in("AWS", document, "Token")),
    )
    try:
        ends_at = datetime.fromisoformat(text_in("AWS", document, "Expiration"))
    except ValueError:
        return Lease(keys, _PAIR_SECONDS)
    return Lease(keys, (ends_at.replace(tzinfo=ends_at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
