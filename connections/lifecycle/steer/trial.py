"""Trial: an operator goes through a real consent with a provider app, as an end user would, and ends it again.

It is a connect session like any other, with the same checks. What differs: the operator's own login stands for the
product's, a client of our own without a key or a permission confirms it, so that no caller can, and it leads back to
the operator's page. Its connection belongs to an end user whom no product knows, and is labelled.
"""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime

from connections.database.locks import lock_session
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.begin import Begun, Invitation, Trial, begin_connect
from connections.lifecycle.connect.complete import complete
from connections.lifecycle.connect.exchange import ChoiceDue
from connections.lifecycle.provision.api_clients import save_api_client
from connections.lifecycle.steer.on_demand import Told, end_on_demand
from connections.models import ApiClient, Connection, ConnectSession, ProviderApp, Tenant
from connections.models.failures import Failure
from connections.refusals import PermissionDenied

LABEL = "Trial"
CLIENT = "Trials by operators"


def begin_trial(
    app: ProviderApp,
    *,
    tenant: Tenant,
    params: Mapping[str, str],
    return_to: Callable[[uuid.UUID], str],
    now: datetime,
    actor: audit.Actor,
) -> Begun:
    """Make the session of a trial of ``app`` by the operator ``actor``, for a new end user of ``tenant``.

    ``return_to`` gives the address of the operator's page from the session's id. Two short transactions at most. Raises
    what ``begin_connect`` raises.
    """
    session_id = uuid.uuid4()
    invitation = Invitation(
        end_user=f"trial:{actor.operator}:{session_id.hex[:8]}",
        providers=[app.provider],
        return_url=return_to(session_id),
        params=params,
        label=LABEL,
        trial=Trial(app, actor.operator),
    )
    return begin_connect(
        invitation,
        client=_own_client(tenant, actor=actor),
        key_id=None,
        tenant=tenant,
        now=now,
        actor=actor,
        session_id=session_id,
    )


def finish_trial(session: ConnectSession, *, completion_code: str, actor: audit.Actor) -> Connection | ChoiceDue:
    """Confirm a trial for the operator who began it, as the product's backend would for its own user. HTTP.

    Raises ``PermissionDenied`` for every other operator, and what ``complete`` raises.
    """
    if not session.tried_by or session.tried_by != actor.operator:
        raise PermissionDenied("Only the operator who began a trial finishes it.")
    return complete(
        session.id,
        completion_code=completion_code,
        end_user=session.end_user,
        client=session.api_client,
        tenant=session.tenant,
        actor=actor,
    )


def end_trial(session: ConnectSession, *, now: datetime, actor: audit.Actor) -> Told:
    """Clean up after a trial: destroy what is held, or disconnect its connection and have the grant revoked.

    Short transactions; no HTTP. A session that is not of a trial is left alone.
    """
    if not session.tried_by:
        return Told(False, "no_trial", "It is an end user's, not a trial: nothing was done.")
    with short_transaction():
        locked = lock_session(id=session.id)
        if locked is None:
            return Told(False, "gone", "It is gone already.")
        if locked.is_being_exchanged(now=now):
            return Told(False, "busy", "The provider is being asked at this moment: end it in a minute.")
        if locked.may_end(now=now):
            locked.fail(Failure.GONE)
            audit.record(
                "connect_session.trial_ended",
                actor=actor,
                tenant_id=locked.tenant_id,
                detail={"session": str(locked.id)},
            )
            return Told(True, "ended", "Ended: nothing was connected, and what was held is destroyed.")
    if locked.connection_id is None:
        return Told(False, "already", "It has ended, and left no connection.")
    return end_on_demand(locked.connection_id, now=now, actor=actor, keep=False)


def _own_client(tenant: Tenant, *, actor: audit.Actor) -> ApiClient:
    known = ApiClient.objects.filter(tenant=tenant, name=CLIENT).first()
    return known or save_api_client(CLIENT, tenant=tenant, permissions=[], actor=actor)
