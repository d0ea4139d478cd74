"""Staff: to which tenants an account is limited, who it is at the operator's identity provider, and wrong guesses.

The accounts themselves are Django's users, second factors and login sessions those of django-allauth.
"""

from django.conf import settings
from django.db import models

from connections.models.tenant import Tenant


class StaffLimit(models.Model):
    """An account that sees some tenants only. The row is the limit: without a tenant it shows nothing at all.

    So a limited account whose tenants are deleted, one after the other, never becomes one that sees everything.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_limit")
    tenants = models.ManyToManyField(Tenant, related_name="+", blank=True)

    class Meta:
        permissions = [
            ("oversee_staff", "Can limit staff to tenants, end their sessions and take second factors back"),
        ]

    def __str__(self) -> str:
        return f"the limit of {self.user}"


class StaffIdentity(models.Model):
    """Who an account is at the identity provider: its issuer, and the subject there, which is never used anew.

    An e-mail address links nothing: whoever can have one written into a token could take the account over.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="staff_identity_once")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class GuessCount(models.Model):
    """How many wrong guesses came lately from one address, at one account, or both: it runs down as time goes by.

    ``key`` is a digest of what is counted, ``level`` the count at ``counted_at``.
    """

    key = models.CharField(max_length=64, primary_key=True)
    level = models.FloatField()
    counted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.level:.1f} at {self.counted_at:%H:%M:%S}"
