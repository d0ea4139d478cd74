"""Keep the answers of calls that name an idempotency key: one call at a time, sealed, for a day.

Only this module changes ``KeptAnswer``. Each step is one conditional statement, so no row stays locked while the call
does its work. ``connections.api.idempotency`` reads the header and makes the answers. Source:
draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from connections.access.secrets import current_data_key, kept_answer_place, open_stored
from connections.models import KeptAnswer
from connections.refusals import IdempotencyKeyInUse, IdempotencyKeyReused, IdempotentAnswerGone
from connections.vault.sealing import Unreadable, seal

KEPT = timedelta(hours=24)
# Longer than any call takes: a confirmation may ask a provider four times, each time for 20 seconds at the most. When a
# process dies, its key is free after that.
LEASE = timedelta(seconds=120)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A call: of which client, for which tenant (None: for the operator), with which key, and what it asks."""

    client_id: uuid.UUID
    tenant_id: uuid.UUID | None
    key: str = field(repr=False)
    request: bytes = field(repr=False)

    @property
    def key_hash(self) -> bytes:
        """The digest by which the key is found."""
        return hashlib.sha256(self.key.encode()).digest()

    @property
    def fingerprint(self) -> bytes:
        """What tells this request from another. Keyed: a secret in the request cannot be guessed from it."""
        asked = self.key.encode() + b"\x00" + self.request
        return salted_hmac("latchkey.idempotency", asked, algorithm="sha256").digest()


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry the call out, which no repetition has meanwhile."""

    row_id: int
    claim_id: uuid.UUID
    tenant_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that the first call got."""

    status: int
    answer: bytes = field(repr=False)


def claim_or_recall(asked: Asked, *, now: datetime) -> Claim | Kept:
    """Return the claim to carry a call out, or the answer that it had. A few statements, each committed by itself.

    Raises ``IdempotencyKeyReused`` if the key stands for another request, ``IdempotencyKeyInUse`` while the first call
    is under way, ``IdempotentAnswerGone`` if its answer was forgotten, and ``Unreadable``.
    """
    for _ in range(_TRIES):
        claim_id = uuid.uuid4()
        made = KeptAnswer(
            client_id=asked.client_id,
            tenant_id=asked.tenant_id,
            key_hash=asked.key_hash,
            fingerprint=asked.fingerprint,
            claim_id=claim_id,
            claimed_until=now + LEASE,
            kept_until=now + KEPT,
        )
        KeptAnswer.objects.bulk_create([made], ignore_conflicts=True)
        row = KeptAnswer.objects.filter(client_id=asked.client_id, key_hash=asked.key_hash).first()
        if row is None:  # the first call has just failed, and has let the key go
            continue
        if row.claim_id == claim_id:
            return Claim(row.pk, claim_id, asked.tenant_id)
        if row.kept_until <= now:
            KeptAnswer.objects.filter(pk=row.pk, kept_until__lte=now).delete()
            continue
        return _recalled(row, asked, now=now)
    raise IdempotencyKeyInUse("Calls with this key come and fail at this moment.", retry_after_seconds=1)


def _recalled(row: KeptAnswer, asked: Asked, *, now: datetime) -> Claim | Kept:
    if bytes(row.fingerprint) != asked.fingerprint:
        raise IdempotencyKeyReused("This key was used for another request: take a new one.", field="Idempotency-Key")
    if row.status is None:
        free = KeptAnswer.objects.filter(pk=row.pk, claim_id=row.claim_id, status=None, claimed_until__lte=now)
        claim_id = uuid.uuid4()
        if free.update(claim_id=claim_id, claimed_until=now + LEASE):  # whoever had it never came back
            return Claim(row.pk, claim_id, row.tenant_id)
        raise IdempotencyKeyInUse("The first call with this key is under way: ask again.", retry_after_seconds=1)
    if row.answer is None:
        raise IdempotentAnswerGone("The call was carried out, and its answer is not kept any more.")
    return Kept(row.status, open_stored(row.answer, place=kept_answer_place(asked.client_id, asked.tenant_id)))


def keep_answer(claim: Claim, *, client_id: uuid.UUID, status: int, answer: bytes) -> None:
    """Seal and keep what the call answered, unless it was forgotten or taken over meanwhile. Two statements.

    Where the data key cannot be used, the answer is not kept, and a repetition is told so.
    """
    try:
        key = current_data_key(claim.tenant_id)
        sealed = seal(answer, key=key, place=kept_answer_place(client_id, claim.tenant_id))
        kept = {"status": status, "answer": sealed, "data_key_id": key.id}
    except Unreadable:
        kept = {"status": status}
    _claimed(claim).update(claim_id=None, **kept)


def let_go(claim: Claim) -> None:
    """Free the key of a call that did nothing. One statement."""
    _claimed(claim).delete()


def forget_answers(tenant_id: uuid.UUID) -> None:
    """Forget what calls for a tenant answered. A repetition is told so, and does nothing. Two statements.

    What is under way brings nothing that is kept.
    """
    of_tenant = KeptAnswer.objects.filter(tenant_id=tenant_id)
    of_tenant.filter(status__isnull=False).update(answer=None, data_key=None)
    of_tenant.filter(status=None).update(claim_id=uuid.uuid4())


def useless_answers(*, now: datetime) -> QuerySet[KeptAnswer]:
    """Return the rows whose keys are free again, for housekeeping."""
    return KeptAnswer.objects.filter(kept_until__lt=now)


def _claimed(claim: Claim) -> QuerySet[KeptAnswer]:
    return KeptAnswer.objects.filter(pk=claim.row_id, claim_id=claim.claim_id)
