"""The answer of a call that named an idempotency key, or that the call is under way."""

from django.db import models

from connections.models.api_client import ApiClient
from connections.models.data_key import DataKey
from connections.models.fields import SealedField
from connections.models.tenant import Tenant


class KeptAnswer(models.Model):
    """What one call of an API client answered, so that a repetition gets it again and does nothing.

    ``key_hash`` is the digest of the key that the client chose, ``fingerprint`` a keyed one of the request. While
    ``claim_id`` is set and ``claimed_until`` has not come, the call is under way. ``status`` is that of the answer, and
    ``answer`` is sealed under the data key of ``tenant`` (null: of the operator), and null again once it is forgotten.
    After ``kept_until`` the key is free.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="kept_answers", db_index=False)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE, related_name="kept_answers")
    key_hash = models.BinaryField()
    fingerprint = models.BinaryField()
    claim_id = models.UUIDField(null=True)
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = SealedField(null=True)
    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="+", null=True)
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key_hash"], name="one_answer_kept_a_key")]

    def __str__(self) -> str:
        return f"kept answer {self.pk}"
