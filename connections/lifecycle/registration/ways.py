"""Which way a server offers to know our client without hands, and how we prove ourselves there."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings

from connections.models import RegistrationWay
from providers.addresses import names_loopback
from providers.vocabulary import ClientAuthentication

_BY_KEY = ClientAuthentication.PRIVATE_KEY_JWT
# Nobody shares a secret with a client that is known by its document
# (draft-ietf-oauth-client-id-metadata-document, "Client Authentication").
_OF_DOCUMENTS = (ClientAuthentication.NONE,)
# The secret in the body is preferred. Servers that are made with the SDKs of the Model Context Protocol look for the
# client id there, and find no client by the header alone (https://github.com/modelcontextprotocol/python-sdk,
# ``client_auth.py`` of 2.3, read on 2026-11-29).
_OF_REGISTRATIONS = (ClientAuthentication.POST, ClientAuthentication.BASIC, ClientAuthentication.NONE)


def way_offered(discovered: Mapping[str, str], *, has_key: bool) -> RegistrationWay | None:
    """Return how to register at the server that ``discovered`` describes, None where it takes only hands. No I/O.

    It comes to fetch a Client ID Metadata Document. So that way needs a public https address of ours, or a server on
    this machine. A way is offered only if the server takes a client authentication that a client which is known that
    way can use. ``has_key``: the app has a key pair that signs.
    """
    ways = (RegistrationWay.METADATA_DOCUMENT, RegistrationWay.DYNAMIC)
    named = (way for way in ways if _is_named(way, discovered))
    return next((way for way in named if authentication_by(way, discovered, has_key=has_key)), None)


def authentication_by(way: RegistrationWay, discovered: Mapping[str, str], *, has_key: bool) -> str:
    """Return how a client that is registered by ``way`` proves itself there, "" if it cannot. No I/O.

    A server that names no methods takes the secret in the header (RFC 8414 §2), and is not asked for more by a client
    that is known by its document: such a one has none.
    """
    is_by_document = way is RegistrationWay.METADATA_DOCUMENT
    usable = (_OF_DOCUMENTS if is_by_document else _OF_REGISTRATIONS) + ((_BY_KEY,) if has_key else ())
    if not (taken := discovered.get("client_authentications", "").split()):
        wanted = discovered.get("client_authentication") or ClientAuthentication.BASIC
        return ClientAuthentication.NONE if is_by_document and wanted != _BY_KEY else _if_usable(wanted, usable)
    return next((method for method in usable if method in taken), "")


def takes_none_of_ours(discovered: Mapping[str, str]) -> bool:
    """Whether the server names a way to register, and no client authentication that it is possible with. No I/O."""
    return any(_is_named(way, discovered) for way in RegistrationWay) and not way_offered(discovered, has_key=False)


def _is_named(way: RegistrationWay, discovered: Mapping[str, str]) -> bool:
    if way is RegistrationWay.DYNAMIC:
        return bool(discovered.get("registration"))
    is_reachable = settings.WIDGET_URL.startswith("https://") or _is_here(discovered.get("issuer", ""))
    return bool(discovered.get("client_id_metadata_document")) and is_reachable


def _if_usable(method: str, usable: tuple[ClientAuthentication, ...]) -> str:
    return method if method in usable else ""


def _is_here(issuer: str) -> bool:
    return names_loopback(urlsplit(issuer).hostname or "")
