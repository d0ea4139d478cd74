"""How far a connection's revocation at the provider has come."""

from datetime import datetime

from django.db import models

from connections.models.kinds import Revocation
from connections.models.mutators import Mutable


class Revocable(Mutable):
    """What has a grant that can be revoked at the provider. ``revocation_failures`` counts the tries.

    The next try is due at ``revocation_due_at``, and the last one before ``revocation_deadline_at``; null: none is.
    """

    revocation = models.CharField(max_length=12, choices=Revocation, default=Revocation.NOT_ASKED, blank=True)
    revocation_due_at = models.DateTimeField(null=True, blank=True)
    revocation_deadline_at = models.DateTimeField(null=True, blank=True)
    revocation_failures = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def begin_revocation(self, *, now: datetime, deadline: datetime) -> None:
        """Make the revocation due ``now``. It is tried until ``deadline``."""
        self._set(
            revocation=Revocation.PENDING,
            revocation_due_at=now,
            revocation_deadline_at=deadline,
            revocation_failures=0,
        )

    def revoke_at(self, moment: datetime) -> None:
        """Make the next try to revoke due at ``moment``."""
        self._set(revocation_due_at=moment)

    def try_revocation(self, *, again_at: datetime) -> None:
        """Count a try to revoke. If the try does not end, the next is due ``again_at``."""
        self._set(revocation_due_at=again_at, revocation_failures=self.revocation_failures + 1)

    def end_revocation(self, outcome: Revocation) -> None:
        """Record how the revocation ended."""
        self._set(revocation=outcome, revocation_due_at=None, revocation_deadline_at=None, revocation_failures=0)
