"""Reads what the environment says of custodians, under the names that their vendors have given.

Clouds set some of these in a pod by themselves. Secrets and tokens in files are read each time that they are used,
because they are renewed there.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import SecretStr

from config.given import file_of, given_text
from providers.custodians.custody import Aws, Azure, Custody, Google, OpenBao, Reader
from providers.custodians.references import fault_of_place

_POD_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/token"
# What libpq reads where nothing names another file.
_UNNAMED = (_POD_ACCOUNT, "~/.pgpass", "~/.postgresql/postgresql.key")
_CONTAINER_HOST = "http://169.254.170.2"
_AWS_SERVICES = (("kms", "KMS"), ("sts", "STS"), ("secretsmanager", "SECRETS_MANAGER"))


def custody(secret_places: Sequence[str] = (), *, servers: Sequence[str] = ()) -> Custody:
    """Return what the environment says, and the places that ``LATCHKEY_SECRET_SOURCES`` allows. Reads no file.

    ``servers`` are URLs of settings, of which some name files, such as keys of TLS. Raises ``ImproperlyConfigured``.
    """
    return Custody(
        aws=_aws(),
        google=_google(),
        azure=_azure(),
        openbao=_openbao(),
        secret_places=_checked(secret_places),
        own_files=(*_UNNAMED, *_named_files(), *(path for url in servers for path in _files_of(url))),
    )


def _named_files() -> Iterator[str]:
    """Yield all that the environment may name as a file, of whichever library: settings, credentials, keys of TLS."""
    for name, value in os.environ.items():
        if name.endswith("_FILE"):
            yield value
        if value.startswith(("/", "~")):
            yield from value.split(os.pathsep)
        yield from _files_of(value)


def _files_of(url: str) -> Iterator[str]:
    """Yield the files that the parameters of a server's URL name, such as ``sslkey`` and ``ssl_keyfile``."""
    try:
        found = parse_qsl(urlsplit(url).query)
    except ValueError:
        return  # it is no URL
    yield from (value for _, value in found if value.startswith(("/", "~")))


def _checked(given: Sequence[str]) -> tuple[str, ...]:
    places = tuple(place.strip() for place in given if place.strip())
    for place in places:
        if fault := fault_of_place(place):
            raise ImproperlyConfigured(f"LATCHKEY_SECRET_SOURCES: {place!r}: {fault}")
    return places


def _aws() -> Aws:
    relative = _text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    endpoints = {service: _url(f"AWS_ENDPOINT_URL_{name}") for service, name in _AWS_SERVICES}
    return Aws(
        region=_text("AWS_REGION") or _text("AWS_DEFAULT_REGION"),
        access_key_id=_text("AWS_ACCESS_KEY_ID"),
        secret_access_key=_secret("AWS_SECRET_ACCESS_KEY"),
        session_token=_secret("AWS_SESSION_TOKEN"),
        role_arn=_text("AWS_ROLE_ARN"),
        role_session_name=_text("AWS_ROLE_SESSION_NAME") or "latchkey",
        web_identity_token=_in_file(_text("AWS_WEB_IDENTITY_TOKEN_FILE")),
        container_url=f"{_CONTAINER_HOST}{relative}" if relative else _url("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        container_token=_secret("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        machine_url=""
        if _text("AWS_EC2_METADATA_DISABLED").lower() == "true"
        else _url("AWS_EC2_METADATA_SERVICE_ENDPOINT") or Aws.machine_url,
        endpoints={service: url for service, url in endpoints.items() if url},
    )


def _google() -> Google:
    return Google(
        service_account=_in_file(_text("GOOGLE_APPLICATION_CREDENTIALS")),
        metadata_url=f"http://{_text('GCE_METADATA_HOST') or 'metadata.google.internal'}",
        kms_url=_url("GOOGLE_KMS_URL") or Google.kms_url,
        secrets_url=_url("GOOGLE_SECRET_MANAGER_URL") or Google.secrets_url,
    )


def _azure() -> Azure:
    return Azure(
        tenant_id=_text("AZURE_TENANT_ID"),
        client_id=_text("AZURE_CLIENT_ID"),
        client_secret=_secret("AZURE_CLIENT_SECRET"),
        federated_token=_in_file(_text("AZURE_FEDERATED_TOKEN_FILE")),
        authority_url=_url("AZURE_AUTHORITY_HOST") or Azure.authority_url,
        identity_url=_url("IDENTITY_ENDPOINT"),
        identity_header=_secret("IDENTITY_HEADER"),
        machine_url=_url("AZURE_POD_IDENTITY_AUTHORITY_HOST") or Azure.machine_url,
        resource=_url("AZURE_KEY_VAULT_RESOURCE") or Azure.resource,
    )


def _openbao() -> OpenBao:
    return OpenBao(
        url=_url("VAULT_ADDR"),
        namespace=_text("VAULT_NAMESPACE"),
        token=_secret("VAULT_TOKEN"),
        role_id=_text("VAULT_ROLE_ID"),
        secret_id=_secret("VAULT_SECRET_ID"),
        kubernetes_role=_text("VAULT_KUBERNETES_ROLE"),
        kubernetes_token=_in_file(_text("VAULT_KUBERNETES_TOKEN_FILE") or _POD_ACCOUNT),
        login_mount=_text("VAULT_LOGIN_MOUNT"),
    )


def _text(name: str) -> str:
    return os.environ.get(name, "").strip()


def _url(name: str) -> str:
    """Return the URL that a variable holds, or "". What it holds is not shown: there may be a password in it."""
    url = _text(name)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
        raise ImproperlyConfigured(f"{name} must be a whole URL, like https://vault.example.com:8200.")
    return url.rstrip("/")


def _secret(name: str) -> Reader:
    """Return what gives the secret in a variable, or in the file that the variable with _FILE names."""
    path = file_of(name)
    if path is not None:
        return _in_file(str(path))
    given = _text(name)
    return lambda: SecretStr(given) if given else None


def _in_file(path: str) -> Reader:
    def read() -> SecretStr | None:
        try:
            text = given_text(Path(path)).strip() if path else ""
        except (OSError, UnicodeDecodeError):
            return None
        return SecretStr(text) if text else None

    return read
