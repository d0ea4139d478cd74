"""The indexes of connections. A refresh writes each one whose condition the row meets, so most leave rows out."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from connections.models.beginnings import by_beginning
from connections.models.kinds import Binding, OwnerKind
from connections.models.states import VENDS, Status


def _rare(condition: Q, *, name: str) -> models.Index:
    return models.Index(fields=["-created_at", "id"], condition=condition, name=name)


INDEXES: list[models.Index] = [
    models.Index(
        fields=["registered_client"],
        condition=Q(registered_client__isnull=False),
        name="connection_registered_client",
    ),
    models.Index(fields=["tenant", "provider", "end_user"], name="connection_lookup"),
    models.Index(fields=["tenant", "-created_at", "id"], name="connection_page"),
    models.Index(fields=["-created_at", "id"], name="connection_newest"),
    models.Index(fields=["provider_app", "-created_at", "id"], name="connection_of_app"),
    # Most are active, and found soon among the newest; a refresh writes no index of the others.
    models.Index(
        fields=["status", "-created_at", "id"], condition=~Q(status=Status.ACTIVE), name="connection_not_active"
    ),
    models.Index(
        fields=["-status_changed_at", "id"],
        condition=Q(status__in=[Status.SUSPECT, Status.NEEDS_REAUTH]),
        name="connection_unwell",
    ),
    models.Index(
        fields=["grant_expires_at"],
        condition=Q(grant_expires_at__isnull=False, status__in=[status.value for status in VENDS]),
        name="connection_grant_end",
    ),
    # Keys without an end, by their age: they are never refreshed, so nothing writes this index again.
    models.Index(
        fields=["authorized_at"],
        condition=Q(
            refresh_due_at=None,
            access_expires_at=None,
            authorized_at__isnull=False,
            status__in=[status.value for status in VENDS],
        ),
        name="connection_endless_since",
    ),
    models.Index(fields=["crowded_at"], condition=Q(crowded_at__isnull=False), name="connection_crowded"),
    # What an operator asks for is rare, and each of these holds only that.
    _rare(~Q(binding=Binding.COMPLETION), name="connection_not_confirmed"),
    _rare(Q(owner_kind=OwnerKind.TENANT), name="connection_of_whole_tenant"),
    _rare(Q(failures__gt=0), name="connection_failing"),
    _rare(Q(refused_at__isnull=False), name="connection_refused"),
    _rare(Q(paused_at__isnull=False), name="connection_paused"),
    _rare(Q(is_canary=True), name="connection_canary"),
    _rare(Q(suspended_at__isnull=False), name="connection_suspended"),
    _rare(Q(lacks_refresh_token=True), name="connection_unrenewable"),
    _rare(Q(verified_at__isnull=True), name="connection_unproven"),
    by_beginning("end_user", name="connection_end_user"),
    by_beginning("label", name="connection_label"),
    by_beginning("provider_account_id", name="connection_account"),
    by_beginning("provider_account_name", name="connection_account_name"),
    GinIndex(
        fields=["metadata"],
        opclasses=["jsonb_path_ops"],
        condition=~Q(metadata={}),
        name="connection_metadata",
    ),
    models.Index(fields=["tenant", "granted_by"], condition=~Q(granted_by=""), name="connection_granted_by"),
    models.Index(fields=["refresh_due_at"], condition=Q(refresh_due_at__isnull=False), name="connection_refresh_due"),
    models.Index(
        fields=["access_expires_at"],
        condition=Q(refresh_due_at=None, access_expires_at__isnull=False, status__in=["active", "suspect"]),
        name="connection_expiry",
    ),
    models.Index(fields=["probe_due_at"], condition=Q(probe_due_at__isnull=False), name="connection_probe_due"),
    models.Index(
        fields=["revocation_due_at"], condition=Q(revocation_due_at__isnull=False), name="connection_revoke_due"
    ),
    models.Index(
        fields=["undecryptable_at"],
        condition=Q(undecryptable_at__isnull=False),
        name="connection_undecryptable",
    ),
]
