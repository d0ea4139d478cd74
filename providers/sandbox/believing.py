"""The part of the authorization server that judges what clients sign: about themselves, and to get a token."""

from abc import abstractmethod
from typing import Any

from oauthlib.common import Request

from providers.sandbox.assertions import CLIENT_ASSERTION, Refused, judge, signer_of
from providers.sandbox.exchange import Exchange
from providers.sandbox.log import Entry
from providers.sandbox.registry import Client, Registry
from providers.sandbox.saml import SamlAssertion


class Believing:
    """A part of ``validator.Validator``."""

    entry: Entry
    _exchange: Exchange
    _registry: Registry
    _now: float
    _issuer: str

    @abstractmethod
    def _accept(self, request: Request, client: Client) -> None:
        """Note that ``request`` is of ``client``."""

    def believed(self, assertion: str) -> dict[str, Any] | None:
        """Return the claims of an assertion that one of the clients has signed; None, and why on the log, of another.

        It is for this server by its name or its token endpoint (RFC 7523 §3).
        """
        client, sandbox = self._registry.client(signer_of(assertion)), self._exchange.sandbox
        self._exchange.name_client(client.client_id if client is not None else None)
        audiences = (self._issuer, f"{self._issuer}/token")
        keys = client.jwks if client is not None else ()
        try:
            claims = judge(assertion, keys=keys, audiences=audiences, replays=sandbox.replays, now=self._now)
        except Refused as refused:
            self.entry.outcome = refused.outcome
            return None
        self.entry.kid = claims["kid"]
        return claims

    def believed_saml(self, assertion: str) -> dict[str, Any] | None:
        """Return iss and sub of an assertion of SAML that one of the clients has signed (RFC 7522 §3), or None."""
        sandbox = self._exchange.sandbox
        try:
            shown = SamlAssertion(assertion)
            client = self._registry.client(shown.issuer)
            self._exchange.name_client(client.client_id if client is not None else None)
            claims = shown.judge(
                keys=client.jwks if client is not None else (),
                audiences=(self._issuer, f"{self._issuer}/token"),
                replays=sandbox.replays,
                now=self._now,
            )
        except Refused as refused:
            self.entry.outcome = refused.outcome
            return None
        self.entry.kid = claims["kid"]
        return claims

    def _believes_client(self, request: Request, client: Client, assertion: str) -> bool:
        """Check an assertion that the client has signed about itself (RFC 7523 §2.2 and §3)."""
        if getattr(request, "client_assertion_type", "") != CLIENT_ASSERTION:
            self.entry.outcome = "assertion_of_another_type"
            return False
        sandbox = self._exchange.sandbox
        try:
            claims = judge(
                assertion, keys=client.jwks, audiences=(self._issuer,), replays=sandbox.replays, now=self._now
            )
        except Refused as refused:
            self.entry.outcome = refused.outcome
            return False
        if not claims.get("iss") == claims.get("sub") == client.client_id:
            self.entry.outcome = "wrong_client"
            return False
        self.entry.kid = claims["kid"]
        self._accept(request, client)
        return True
