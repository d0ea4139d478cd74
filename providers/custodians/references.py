"""References: where a secret is, as an operator writes it, and which places the settings allow.

    file:/run/secrets/hubspot
    vault:secret/data/hubspot#client_secret
    aws-secrets-manager:latchkey/hubspot#client_secret
    google-secret-manager:projects/acme/secrets/hubspot
    azure-key-vault:https://acme.vault.azure.net/secrets/hubspot

What follows ``#`` is a member of the JSON object that is there. A reference sends a secret of the operator's to a
provider, so it may lead to no other place than the settings name, and it has one spelling: no ``..``, no escapes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 500
_REFERENCE = re.compile(r"(?P<kind>[a-z-]+):(?P<name>[^#]+)(?:#(?P<member>[^#]+))?")
# By kind, what its names are like, and how people write them.
_NAMES = {
    "file": (r"/[^\\]+", "an absolute path, like file:/run/secrets/hubspot"),
    "vault": (
        r"[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)+",
        "the path of the API with a member, like vault:secret/data/hubspot#client_secret",
    ),
    "aws-secrets-manager": (
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+|[A-Za-z0-9/_+=.@-]+",
        "a name or a whole ARN, like aws-secrets-manager:latchkey/hubspot#client_secret",
    ),
    "google-secret-manager": (
        r"projects/[a-z0-9:.-]+/secrets/[A-Za-z0-9_-]+(/versions/[A-Za-z0-9_-]+)?",
        "a resource name, like google-secret-manager:projects/acme/secrets/hubspot",
    ),
    "azure-key-vault": (
        r"https?://[a-z0-9.:-]+/secrets/[A-Za-z0-9-]+(/[A-Za-z0-9]+)?",
        "the URL of the secret, like azure-key-vault:https://acme.vault.azure.net/secrets/hubspot",
    ),
}
KINDS = tuple(_NAMES)
# What Vault answers there is about us, our token included, and no secret that somebody has put there.
_OF_VAULT_ITSELF = frozenset({"auth", "cubbyhole", "identity", "sys"})
# What Linux answers there is about this process, its environment included.
_OF_THE_SYSTEM = ("/proc/", "/sys/", "/dev/")


class BadReferenceError(ValueError):
    """It is not written as a reference is. The message says how one is."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One place of a secret: a kind of custodian, the name there, and a member of the JSON object that is there."""

    kind: str
    name: str
    member: str = ""

    def __str__(self) -> str:
        return f"{self.place}#{self.member}" if self.member else self.place

    @property
    def place(self) -> str:
        """The reference without its member."""
        return f"{self.kind}:{self.name}"

    @property
    def is_file(self) -> bool:
        """Whether it is read on this machine, and no service is asked."""
        return self.kind == "file"


def parse_reference(text: str) -> Reference:
    """Return what ``text`` refers to. Raises ``BadReferenceError``. No I/O."""
    found = _REFERENCE.fullmatch(text)
    if found is None or len(text) > LONGEST or not text.isprintable() or found["kind"] not in _NAMES:
        raise BadReferenceError(f"Write where the secret is as KIND:NAME, where KIND is one of {', '.join(KINDS)}.")
    reference = Reference(found["kind"], found["name"], found["member"] or "")
    shape, written = _NAMES[reference.kind]
    if not re.fullmatch(shape, reference.name) or not _is_plain(reference.name):
        raise BadReferenceError(f"It has to be {written}.")
    if reference.kind == "vault" and (not reference.member or _is_of_vault_itself(reference.name)):
        raise BadReferenceError(f"It has to be {written}, of a key/value engine.")
    if reference.is_file and is_of_the_system(reference.name):
        raise BadReferenceError("What is below /proc, /sys and /dev is no secret of yours.")
    return reference


def is_of_the_system(path: str) -> bool:
    """Whether an absolute ``path`` leads to what the kernel makes up: processes and devices. No I/O."""
    return f"{path}/".startswith(_OF_THE_SYSTEM)


def fault_of_place(place: str) -> str:
    """Return why the settings may not allow ``place``, or "". No I/O.

    It is a reference without a member, for this secret alone; or the beginning of some, up to a slash.
    """
    if not place.endswith("/"):
        try:
            reference = parse_reference(f"{place}#member" if place.startswith("vault:") else place)
        except BadReferenceError as error:
            return str(error)
        return "" if reference.place == place else "Leave out what follows #: it is allowed with the secret."
    kind, _, name = place.partition(":")
    if kind not in _NAMES or not name.removeprefix("https://").removeprefix("http://").strip("/"):
        return f"Name a place, as KIND:NAME/, where KIND is one of {', '.join(KINDS)}."
    if not _is_plain(name.removesuffix("/")) or (kind == "file" and (name[0] != "/" or is_of_the_system(name))):
        return "Name an absolute folder without .., outside of /proc, /sys and /dev." if kind == "file" else "No .."
    return ""


def allowing_place(reference: Reference, allowed: Sequence[str]) -> str | None:
    """Return the one of the ``allowed`` places in which ``reference`` is, or None. No I/O."""
    place = reference.place
    return next((one for one in allowed if place == one or (one.endswith("/") and place.startswith(one))), None)


def _is_of_vault_itself(path: str) -> bool:
    """Whether a path may lead out of the key/value engines, in the namespace of the settings or in one that it names.

    What follows ``data`` is the name of a secret in version 2, and may be anything.
    """
    engine, _, _ = path.partition("/data/")
    return not _OF_VAULT_ITSELF.isdisjoint(engine.split("/"))


def _is_plain(name: str) -> bool:
    """Whether no part of a name is empty, or leads up."""
    parts = re.sub(r"^(https?://|/)", "", name).split("/")
    return all(part not in ("", ".", "..") for part in parts)
