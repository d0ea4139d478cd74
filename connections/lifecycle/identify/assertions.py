"""An API client that signs for itself with a key of its own: ``private_key_jwt`` (RFC 7523 §2.2, OpenID Connect §9).

The assertion names the client as issuer and subject, and one audience: this server. It serves once.
"""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.lifecycle.identify.callers import refuse_token
from connections.lifecycle.identify.tokens import (
    ReadToken,
    TokenRefused,
    check_signature,
    check_times,
    read_token,
)
from connections.models import ApiClient, ProvenToken, UsedAssertion
from providers.oauth.issuer_keys import ALGORITHMS, Keys, KeySource

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST_LIFE_SECONDS = 600
_LEEWAY_SECONDS = 30
_STANDS_FOR = timedelta(minutes=2)
_LONGEST_JTI = 255


def prove_by_assertion(assertion: str, *, audiences: tuple[str, ...], client_id: str, address: str | None) -> bytes:
    """Return the digest by which the signing client is known for the call that it signs: two minutes at the most.

    ``audiences`` are the names of this server, of which the assertion has to name exactly one. ``client_id`` is what
    the caller names besides, "" for nothing. A few queries; may fetch the client's keys (HTTP), and gives the thread's
    database connection back before. Raises ``Unauthorized``, with an audit row as for ``prove_caller``, and
    ``IssuerUnavailable``.
    """
    now = database_now()
    try:
        read = read_token(assertion)
        client = _signer(read, audiences=audiences, client_id=client_id)
        check_times(read.claims, now=now, max_lifetime_seconds=_LONGEST_LIFE_SECONDS, leeway_seconds=_LEEWAY_SECONDS)
        check_signature(assertion, _source_of(client), algorithms=ALGORITHMS)
        _use_up(read, client)
    except TokenRefused as refused:
        refuse_token(refused.why, address=address)
    # The assertion itself never stands for the client: whoever sees it could call with it.
    passed = digest(uuid.uuid4().hex + uuid.uuid4().hex)
    ProvenToken.objects.create(
        token_hash=passed,
        client=client,
        proof={"issuer": str(client.id), "subject": str(client.id)},
        expires_at=now + _STANDS_FOR,
    )
    return passed


def _signer(read: ReadToken, *, audiences: tuple[str, ...], client_id: str) -> ApiClient:
    issuer, subject = read.claims.get("iss"), read.claims.get("sub")
    if not isinstance(subject, str) or issuer != subject or client_id not in ("", subject):
        raise TokenRefused("issuer")
    if len(read.audiences) != 1 or read.audiences[0] not in audiences:
        raise TokenRefused("audience")
    try:
        named = uuid.UUID(subject)
    except ValueError:
        raise TokenRefused("unknown") from None
    client = ApiClient.objects.filter(id=named).first() if str(named) == subject else None
    if client is None or (client.assertion_keys is None and not client.assertion_jwks_url):
        raise TokenRefused("unknown")
    return client


def _source_of(client: ApiClient) -> KeySource | Keys:
    if client.assertion_keys is not None:
        return tuple(client.assertion_keys)
    return KeySource(jwks_url=client.assertion_jwks_url)


def _use_up(read: ReadToken, client: ApiClient) -> None:
    """Record that an assertion was used. Raises ``TokenRefused`` if it was before. One statement."""
    jti = read.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise TokenRefused("jti")
    ends_at = datetime.fromtimestamp(float(read.claims["exp"]), tz=UTC)
    spent_until = ends_at + timedelta(seconds=2 * _LEEWAY_SECONDS)
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(client=client, jti_hash=digest(jti), expires_at=spent_until)
    except IntegrityError:
        raise TokenRefused("replayed") from None
