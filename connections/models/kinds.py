"""Kinds of connection: whose it is, how its end user was confirmed, how far its revocation has come."""

from django.db import models


class OwnerKind(models.TextChoices):
    """Whose a connection is."""

    END_USER = "end_user", "End user"
    TENANT = "tenant", "Whole tenant"


class Binding(models.TextChoices):
    """How Latchkey made sure that the person who connected is the person for whom the session was made."""

    COMPLETION = "completion", "Confirmed by the operator's backend"
    NONE = "none", "Not confirmed"
    IMPORTED = "imported", "Imported: the operator vouches for it"


class Revocation(models.TextChoices):
    """How far the revocation at the provider has come."""

    NOT_ASKED = "", "Not asked for"
    PENDING = "pending", "Under way"
    CONFIRMED = "confirmed", "Confirmed by a refused call"
    UNCONFIRMED = "unconfirmed", "Asked for, but never confirmed"
    IGNORED = "ignored", "Answered with yes, but the credential still works"
    UNSUPPORTED = "unsupported", "The provider cannot revoke"
    WITHHELD = "withheld", "Left out: another connection lives on the same grant"
