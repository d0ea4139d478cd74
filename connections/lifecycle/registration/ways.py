"""Which way a server offers to know our client without hands: we take the first of two."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings

from connections.models import RegistrationWay
from providers.addresses import names_loopback


def way_offered(discovered: Mapping[str, str]) -> RegistrationWay | None:
    """Return how to register at the server that ``discovered`` describes, None where it takes only hands. No I/O.

    It comes to fetch a Client ID Metadata Document. So that way needs a public https address of ours, or a server on
    this machine.
    """
    takes_document = bool(discovered.get("client_id_metadata_document"))
    if takes_document and (settings.PUBLIC_URL.startswith("https://") or _is_here(discovered.get("issuer", ""))):
        return RegistrationWay.METADATA_DOCUMENT
    return RegistrationWay.DYNAMIC if discovered.get("registration") else None


def _is_here(issuer: str) -> bool:
    return names_loopback(urlsplit(issuer).hostname or "")
