"""Which way a server offers to know our client without hands, and how we ask to prove ourselves there."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings

from connections.models import RegistrationWay
from providers.addresses import names_loopback
from providers.vocabulary import ClientAuthentication


def way_offered(discovered: Mapping[str, str]) -> RegistrationWay | None:
    """Return how to register at the server that ``discovered`` describes, None where it takes only hands. No I/O.

    It comes to fetch a Client ID Metadata Document. So that way needs a public https address of ours, or a server on
    this machine.
    """
    takes_document = bool(discovered.get("client_id_metadata_document"))
    if takes_document and (settings.PUBLIC_URL.startswith("https://") or _is_here(discovered.get("issuer", ""))):
        return RegistrationWay.METADATA_DOCUMENT
    return RegistrationWay.DYNAMIC if discovered.get("registration") else None


def authentication_wanted(discovered: Mapping[str, str]) -> str:
    """Return the client authentication to register for (RFC 7591 §2). No I/O.

    The secret in the body is preferred. Servers that are made with the SDKs of the Model Context Protocol look for the
    client id there, and find no client by the header alone (https://github.com/modelcontextprotocol/python-sdk,
    ``client_auth.py`` of 2.3, read on 2026-11-29).
    """
    if ClientAuthentication.POST in discovered.get("client_authentications", "").split():
        return ClientAuthentication.POST
    return discovered.get("client_authentication") or ClientAuthentication.BASIC


def _is_here(issuer: str) -> bool:
    return names_loopback(urlsplit(issuer).hostname or "")
