"""An answer of a token endpoint that nobody could read yet, kept whole: it may hold the only live tokens of a grant."""

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.data_key import DataKey
from connections.models.fields import SealedField, remembered


class UnreadAnswer(models.Model):
    """One answer to a refresh, sealed with its status, headers and body. Its id is part of what that is bound to.

    ``parent_id`` is the version whose refresh token bought it, ``attempt_id`` the refresh. ``holds_back`` says that it
    may hold tokens and that the provider rotates: the refresh token that bought it is not used again while it is here.
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
