"""An unread answer of a token endpoint. It is kept whole, because it may hold the only live tokens of a grant."""

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.data_key import DataKey
from connections.models.fields import SealedField, remembered


class UnreadAnswer(models.Model):
    """One answer to a refresh, sealed with its status, headers and body. The ciphertext is bound to the row's id.

    ``parent_id`` is the version whose refresh token was sent, ``attempt_id`` the refresh. ``holds_back``: the answer
    may hold tokens and the provider rotates, so the refresh token that was sent is not used while the answer is here.
    ``tried_with`` is the digest of the catalogue entry that could not read it.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="unread_answers")
    grant_id = models.UUIDField()
    parent = remembered("connections.CredentialVersion")
    attempt = remembered("connections.RefreshAttempt", unique=True)
    answer = SealedField()
    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="+")
    status = models.PositiveSmallIntegerField()
    size = models.PositiveIntegerField()
    holds_back = models.BooleanField(default=False)
    tried_with = models.CharField(max_length=64, default="", blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        indexes = [
            models.Index(fields=["connection"], condition=Q(holds_back=True), name="unread_answer_holds_back"),
        ]

    def __str__(self) -> str:
        return str(self.id)
