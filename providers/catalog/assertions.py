"""What an entry says about the assertions that we sign (RFC 7521)."""

from pydantic import Field

from providers.catalog.fields import Shape
from providers.vocabulary import SigningAlgorithm


class ClientAssertion(Shape):
    """How we prove who we are by a signature (RFC 7523 §2.2), if the server wants it otherwise than usual.

    ``audience`` is a template; empty, it is the issuer, else the token endpoint if no issuer is known. ``issuer`` and
    ``subject`` are templates, too, and know ``client_id``. An assertion is made for each request, and ends after
    ``lifetime_seconds``. ``claims`` are further ones: templates, which know ``client_id`` and ``scopes``, the entry's
    default scopes. ``algorithm`` is for a key that the end user types; a provider app's key has its own.
    """

    algorithm: SigningAlgorithm = SigningAlgorithm.RS256
    audience: str = ""
    issuer: str = "{client_id}"
    subject: str = "{client_id}"
    claims: dict[str, str] = Field(default_factory=dict)
    lifetime_seconds: int = Field(default=120, ge=30, le=3600)
