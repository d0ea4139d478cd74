"""The stand-ins: a vendor for each kind of life, as strict about its dialect as the fixture says.

``stand_in`` is what all have in common · ``issuer`` issues tokens, ``granting`` by the grants of OAuth 2.0 and
``logins`` for what was typed · ``signatures`` checks what we sign, ``assertions`` and ``exchange`` give tokens for it,
``saml`` reads assertions of SAML · ``oauth1`` · ``aws`` · ``certified`` asks for client certificates
"""

from collections.abc import Mapping

from providers.dialects.fixture import Fixture
from providers.dialects.vendors.assertions import Asserting
from providers.dialects.vendors.aws import Aws
from providers.dialects.vendors.certified import Certified
from providers.dialects.vendors.exchange import Exchanging
from providers.dialects.vendors.granting import Granting
from providers.dialects.vendors.logins import LoggingIn
from providers.dialects.vendors.oauth1 import OAuth1
from providers.dialects.vendors.signatures import Signing
from providers.dialects.vendors.stand_in import StandIn

_KINDS: Mapping[str, type[StandIn]] = {
    **dict.fromkeys(("code", "machine", "password", "device"), Granting),
    "key": StandIn,
    "login": LoggingIn,
    "oauth1": OAuth1,
    "jwt": Signing,
    **dict.fromkeys(("assertion", "saml"), Asserting),
    "exchange": Exchanging,
    "sigv4": Aws,
    "mtls": Certified,
}


def vendor_of(fixture: Fixture, *, typed: Mapping[str, str], supplied: frozenset[str]) -> StandIn:
    """Return the vendor of ``fixture``. ``typed`` and ``supplied`` are as the stand-in's."""
    return _KINDS[fixture.kind](fixture, typed=typed, supplied=supplied)
