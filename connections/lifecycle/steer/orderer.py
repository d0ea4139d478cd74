"""Orderer: whether whoever has ordered a job may still do its act, which may be hours after they have ordered it."""

from django.contrib.auth.models import User

from connections.access.staff import limit_of
from connections.models import ApiClient, BulkAct, BulkJob, Permission

_CHANGES_CONNECTIONS = "connections.change_connection"
_NEEDS = {BulkAct.RELEASE: "connections.change_heldconnection"}


def may_order_still(job: BulkJob) -> bool:
    """Whether the operator or the API client behind ``job`` is there, not stopped, and may do it there. Queries.

    What Latchkey itself has ordered goes on.
    """
    if job.api_client_id is not None:
        return _may_client(job, ApiClient.objects.filter(id=job.api_client_id).first())
    return not job.operator or _may_operator(job)


def _may_operator(job: BulkJob) -> bool:
    user = User.objects.filter(username=job.operator, is_active=True, is_staff=True).first()
    if user is None or not user.has_perm(_NEEDS.get(BulkAct(job.act), _CHANGES_CONNECTIONS)):
        return False
    tenants = limit_of(user)
    return tenants is None or job.tenant_id in tenants


def _may_client(job: BulkJob, client: ApiClient | None) -> bool:
    if client is None or client.is_stopped or Permission.MANAGE not in client.permissions:
        return False
    if client.tenant_id is None:
        return True
    return client.tenant_id == job.tenant_id and job.act != BulkAct.RESUME
