"""The enumerations that describe providers, shared by the catalogue, the strategies and the callers above them.

Their values are stored in the database and stand in catalogue files and API answers, so they never change meaning.
"""

from enum import StrEnum


class ClientAuthentication(StrEnum):
    """How we authenticate at the token endpoint (OpenID Connect Core §9)."""

    BASIC = "client_secret_basic"
    # Basic without the form-encoding of both parts that RFC 6749 §2.3.1 requires: for servers that do not decode it.
    BASIC_RAW = "client_secret_basic_raw"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    # By the certificate of a TLS connection (RFC 8705 §2): one of an authority, or one whose key the server knows.
    TLS = "tls_client_auth"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth"
    NONE = "none"

    @property
    def needs_secret(self) -> bool:
        """Whether we prove who we are with a client secret."""
        return self in (ClientAuthentication.BASIC, ClientAuthentication.BASIC_RAW, ClientAuthentication.POST)

    @property
    def needs_key(self) -> bool:
        """Whether we prove who we are with a key pair of the provider app."""
        return self is ClientAuthentication.PRIVATE_KEY_JWT or self.needs_certificate

    @property
    def needs_certificate(self) -> bool:
        """Whether the key pair needs a certificate, which each connection to the server presents."""
        return self in (ClientAuthentication.TLS, ClientAuthentication.SELF_SIGNED_TLS)


class SigningAlgorithm(StrEnum):
    """How something is signed (RFC 7518 §3.1, RFC 8037 §3.1)."""

    RS256 = "RS256"
    PS256 = "PS256"
    ES256 = "ES256"
    EDDSA = "EdDSA"  # with Ed25519
    HS256 = "HS256"  # with a secret that both sides know

    @property
    def is_symmetric(self) -> bool:
        """Whether both sides use one secret, so that there is no key pair."""
        return self is SigningAlgorithm.HS256


class Pkce(StrEnum):
    """Whether the authorization request carries a code challenge (RFC 7636)."""

    S256 = "S256"
    BREAKS = "breaks"  # the provider answers an error when a challenge is sent


class RequestDelivery(StrEnum):
    """How the authorization request gets to the provider."""

    BROWSER = "browser"  # the end user's browser carries all of it (RFC 6749 §4.1.1)
    PUSHED = "pushed"  # we push it, and the browser carries a reference to it (RFC 9126)


class IssParameter(StrEnum):
    """What the provider does with ``iss`` in the authorization response (RFC 9207)."""

    REQUIRED = "required"  # its metadata promises it: an answer without it is refused
    OPTIONAL = "optional"  # not promised: an answer that carries it must carry the right one


class Meaning(StrEnum):
    """What a provider's answer says about the grant, our registration, or the provider's current state."""

    GRANT_REJECTED = "grant_rejected"
    CLIENT_REJECTED = "client_rejected"
    REQUEST_REJECTED = "request_rejected"
    ADDRESS_REFUSED = "address_refused"  # the address that we call from is not on a list of theirs
    UNAVAILABLE = "unavailable"
    MALFORMED = "malformed"


class ProbeVerdict(StrEnum):
    """What a probe or an introspection says of the credential that it tried."""

    ALIVE = "alive"
    DEAD = "dead"  # the catalogue's dead answer (401 by default), or introspection `active: false`
    FORBIDDEN = "forbidden"  # authenticated, but not allowed: says nothing about revocation
    UNAVAILABLE = "unavailable"  # nothing can be concluded


class TokenKind(StrEnum):
    """Which token of a grant is meant; the values are the hints of RFC 7009 §2.1."""

    ACCESS = "access_token"
    REFRESH = "refresh_token"


class ParamScope(StrEnum):
    """Who supplies a parameter of a catalogue entry."""

    APP = "app"  # the operator, once for each provider app
    CONNECTION = "connection"  # the end user, once for each connection
    CALLBACK = "callback"  # the authorization response, once for each connection
    DISCOVERED = "discovered"  # the metadata of the end user's own server, once for each connection
    INVITATION = "invitation"  # the operator's backend, for each connect session: no end user may choose it
    WORKSPACE = "workspace"  # the end user picks one of those that the grant opens, after the consent
