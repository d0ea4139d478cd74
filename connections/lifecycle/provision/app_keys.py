"""The key pairs of provider apps: made here or brought, rotated with an overlap, certified, and taken back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from connections.access.app_keys import seal_private_key
from connections.database.clock import database_now
from connections.journal import audit
from connections.models import AppKey, ProviderApp
from connections.refusals import InvalidRequest
from providers.signing.bounds import UnusableKey
from providers.signing.certificates import CertificateChain, read_certificates
from providers.signing.keys import KeyPair, make_key_pair, read_key_pair, thumbprint
from providers.vocabulary import SigningAlgorithm

KEY_PAIRS = tuple(one for one in SigningAlgorithm if not one.is_symmetric)
# Providers keep a JWK Set for hours; one that was given the PEM by hand needs a person.
DEFAULT_LEAD = timedelta(hours=24)
DEFAULT_OVERLAP = timedelta(hours=24)
_LONGEST_KID = 200


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a new key takes over from those that an app has already.

    It signs ``lead`` after it is published, and they stay published for ``overlap`` more. The first key of an app has
    nobody to take over from, and signs at once.
    """

    lead: timedelta = DEFAULT_LEAD
    overlap: timedelta = DEFAULT_OVERLAP


def make_key(
    app: ProviderApp,
    algorithm: SigningAlgorithm,
    *,
    kid: str = "",
    rotation: Rotation = Rotation(),
    actor: audit.Actor,
) -> AppKey:
    """Make a key pair for ``app`` and publish it. Without a ``kid`` its thumbprint is its id.

    One transaction, with an audit row. Raises ``InvalidRequest``.
    """
    _check_algorithm(algorithm)
    return _add(app, make_key_pair(algorithm), kid=kid, rotation=rotation, is_brought=False, actor=actor)


def bring_key(
    app: ProviderApp,
    pem: str,
    algorithm: SigningAlgorithm,
    *,
    passphrase: str = "",
    certificates: str = "",
    kid: str = "",
    rotation: Rotation = Rotation(),
    actor: audit.Actor,
) -> AppKey:
    """Take over a key pair that was made elsewhere, maybe with its certificates, both as PEM.

    One transaction, with an audit row. Raises ``InvalidRequest``, whose text quotes nothing of the key.
    """
    _check_algorithm(algorithm)
    try:
        pair = read_key_pair(pem, algorithm=algorithm, passphrase=passphrase)
    except UnusableKey as unusable:
        raise InvalidRequest(str(unusable), field="private_key") from None
    chain = _chain(certificates, public_key=pair.public_key) if certificates.strip() else None
    return _add(app, pair, kid=kid, rotation=rotation, is_brought=True, chain=chain, actor=actor)


def certify_key(row: AppKey, certificates: str, *, actor: audit.Actor) -> AppKey:
    """Put the certificates in ``certificates`` (PEM) beside a key. One transaction, with an audit row.

    Raises ``InvalidRequest``.
    """
    chain = _chain(certificates, public_key=row.public_key)
    with transaction.atomic():
        row.certify(certificates=chain.pem, ends_at=chain.ends_at)
        _record("certified", row, actor=actor, certificate_ends_at=chain.ends_at.isoformat())
    return row


def withdraw_key(row: AppKey, *, actor: audit.Actor) -> bool:
    """Take a key back at once, and destroy its private half. Return False if it was taken back before.

    If it signed, the next key takes over now, whatever its lead.

    One transaction, with an audit row.
    """
    now = database_now()
    if not row.is_published(now=now):
        return False
    with transaction.atomic():
        row.withdraw(now=now)
        _let_last_go_on(row, now=now)
        _record("withdrawn", row, actor=actor)
    return True


def _add(
    app: ProviderApp,
    pair: KeyPair,
    *,
    kid: str,
    rotation: Rotation,
    is_brought: bool,
    chain: CertificateChain | None = None,
    actor: audit.Actor,
) -> AppKey:
    kid = kid.strip() or thumbprint(pair.public_key)
    if len(kid) > _LONGEST_KID or not (kid.isascii() and kid.isprintable()):
        raise InvalidRequest(f"A key id is at most {_LONGEST_KID} visible characters.", field="kid")
    if min(rotation.lead, rotation.overlap) < timedelta(0):
        raise InvalidRequest("Neither the lead nor the overlap of a rotation is negative.", field="lead")
    key_id = uuid.uuid4()
    try:
        with transaction.atomic():
            now = database_now()
            earlier = AppKey.objects.signing().filter(provider_app=app).exists()
            row = AppKey.objects.create(
                id=key_id,
                provider_app=app,
                kid=kid,
                algorithm=pair.algorithm,
                public_key=pair.public_key,
                private_key=seal_private_key(app, key_id, pair.private_key),
                certificates="" if chain is None else chain.pem,
                certificate_ends_at=None if chain is None else chain.ends_at,
                is_brought=is_brought,
                signs_from=now + rotation.lead if earlier else now,
            )
            _replace_earlier(row, until=row.signs_from + rotation.overlap)
            _record("made" if not is_brought else "brought", row, actor=actor, signs_from=row.signs_from.isoformat())
    except IntegrityError:
        raise InvalidRequest("The app has a key of this id already: give another.", field="kid") from None
    return row


def _check_algorithm(algorithm: SigningAlgorithm) -> None:
    if algorithm not in KEY_PAIRS:
        raise InvalidRequest(f"A key pair signs by {', '.join(KEY_PAIRS)}.", field="algorithm")


def _replace_earlier(row: AppKey, *, until: datetime) -> None:
    """Have every other key without a successor stay published only as long as its signatures may travel."""
    for earlier in AppKey.objects.filter(provider_app_id=row.provider_app_id, published_until=None).exclude(id=row.id):
        earlier.publish_until(until)


def _let_last_go_on(withdrawn: AppKey, *, now: datetime) -> None:
    """Have the newest key that is left stay published, if the withdrawn one was to take over from it.

    Where no key is left that signs, the next one, which is published already, does so at once: nothing works meanwhile.
    """
    left = AppKey.objects.published().filter(provider_app_id=withdrawn.provider_app_id)
    if not left.filter(published_until=None).exists() and (newest := left.first()) is not None:
        newest.publish_until(None)
    waiting = left.filter(private_key__isnull=False)
    if not waiting.filter(signs_from__lte=now).exists() and (following := waiting.last()) is not None:
        following.sign_from(now)


def _chain(certificates: str, *, public_key: str) -> CertificateChain:
    try:
        chain = read_certificates(certificates, public_key=public_key)
    except UnusableKey as unusable:
        raise InvalidRequest(str(unusable), field="certificates") from None
    if chain.ends_at <= database_now():
        raise InvalidRequest(f"The certificate has ended ({chain.ends_at:%Y-%m-%d}).", field="certificates")
    return chain


def _record(what: str, row: AppKey, *, actor: audit.Actor, **further: str) -> None:
    app = row.provider_app
    detail = {"provider_app": str(app.id), "kid": row.kid, "algorithm": str(row.algorithm), **further}
    audit.record(f"app_key.{what}", actor=actor, tenant_id=app.tenant_id, detail=detail)
