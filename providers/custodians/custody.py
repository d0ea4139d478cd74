"""What the operator's settings say of custodians: where they are, and how this process shows who it is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

# Gives a secret each time that it is needed: where it is in a file, as that says by then.
Reader = Callable[[], SecretStr | None]


def _nothing() -> SecretStr | None:
    return None


@dataclass(frozen=True)
class Aws:
    """The first of these that is set: keys; a role by the token in a file; a container's address; the machine's own.

    ``endpoints`` are addresses that take the place of AWS's own, by service.
    """

    region: str = ""
    access_key_id: str = ""
    secret_access_key: Reader = field(default=_nothing, repr=False)
    session_token: Reader = field(default=_nothing, repr=False)
    role_arn: str = ""
    role_session_name: str = "latchkey"
    web_identity_token: Reader = field(default=_nothing, repr=False)
    container_url: str = ""
    container_token: Reader = field(default=_nothing, repr=False)
    machine_url: str = "http://169.254.169.254"
    endpoints: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Google:
    """``service_account`` is the JSON of a key, if there is one; without it the machine's own account is asked for."""

    service_account: Reader = field(default=_nothing, repr=False)
    metadata_url: str = "http://metadata.google.internal"
    kms_url: str = "https://cloudkms.googleapis.com"
    secrets_url: str = "https://secretmanager.googleapis.com"


@dataclass(frozen=True)
class Azure:
    """With a tenant: an assertion (workload identity) or a client secret. Without: the machine's managed identity."""

    tenant_id: str = ""
    client_id: str = ""
    client_secret: Reader = field(default=_nothing, repr=False)
    federated_token: Reader = field(default=_nothing, repr=False)
    authority_url: str = "https://login.microsoftonline.com"
    identity_url: str = ""
    identity_header: Reader = field(default=_nothing, repr=False)
    machine_url: str = "http://169.254.169.254"
    resource: str = "https://vault.azure.net"


@dataclass(frozen=True)
class OpenBao:
    """The first of these that is set: a token; the role of an AppRole; a role by this pod's account in Kubernetes."""

    url: str = ""
    namespace: str = ""
    token: Reader = field(default=_nothing, repr=False)
    role_id: str = ""
    secret_id: Reader = field(default=_nothing, repr=False)
    kubernetes_role: str = ""
    kubernetes_token: Reader = field(default=_nothing, repr=False)
    login_mount: str = ""


@dataclass(frozen=True)
class Custody:
    """All that the settings say.

    ``secret_places`` are those to which references may lead (``references``), but not to ``own_files``: in these are
    the keys and passwords by which Latchkey itself runs.
    """

    aws: Aws = field(default_factory=Aws)
    google: Google = field(default_factory=Google)
    azure: Azure = field(default_factory=Azure)
    openbao: OpenBao = field(default_factory=OpenBao)
    secret_places: tuple[str, ...] = ()
    own_files: tuple[str, ...] = ()


def configure_custody(custody: Custody) -> None:
    """Make ``custody`` the one of this process."""
    global _custody  # noqa: PLW0603 - there is one a process
    _custody = custody


def current_custody() -> Custody:
    """Return the one of this process."""
    return _custody


_custody = Custody()
