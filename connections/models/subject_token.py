"""A token that acts for one subject, kept while it lives: what the exchange of a token of theirs has brought."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models.connection import Connection
from connections.models.data_key import DataKey
from connections.models.fields import SealedField


class SubjectToken(models.Model):
    """What one exchange brought, or that it is under way, or how it failed.

    ``asked`` is the digest of what was asked: the subject's token, the end user and the scopes. So whoever has not got
    that very token never gets what it brought. ``end_user_hash`` is the digest of the end user who was named, by
    which it is forgotten with them; null where nobody was. While ``claim_id`` is set and ``claimed_until`` has not
    come, somebody asks the provider, and nobody else does. ``version_id`` names the token to callers, and binds its
    ciphertext.
    ``failure`` says how the last exchange failed, for those who waited for it (the fields of
    ``credentials.subject_tokens.Failed``). After ``kept_until`` what is kept serves nobody.
    """

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="subject_tokens", db_index=False)
    asked = models.BinaryField()
    end_user_hash = models.BinaryField(null=True)
    claim_id = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    version_id = models.UUIDField(null=True)
    secrets = SealedField(null=True)
    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="+", null=True)
    fingerprint = models.BinaryField(null=True)
    scopes = ArrayField(models.CharField(max_length=255), default=list)
    access_expires_at = models.DateTimeField(null=True)
    obtained_at = models.DateTimeField(null=True)
    failure = models.JSONField(default=dict)
    failed_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "asked"], name="one_subject_token_asked")]

    def __str__(self) -> str:
        return f"subject token {self.pk}"
