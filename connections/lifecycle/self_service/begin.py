"""Begin: the operator's backend invites an end user to the page of their own connections, server-to-server."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from connections.access.secrets import digest
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.connect.begin import check_addresses, check_providers
from connections.lifecycle.provision.callers import check_permission
from connections.models import ApiClient, ManagementSession, Permission, Tenant
from connections.refusals import InvalidRequest, Suspended

LINK_LIFETIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Order:
    """The request for a management session. The API's reference describes each member."""

    end_user: str
    return_url: str
    origin: str = ""
    providers: Sequence[str] = ()
    locale: str = ""
    code_challenge: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. ``token`` is shown only here; ``url`` carries it in the fragment, which no server logs.

    The token begins with what it is for and the session's id, so that a page that has it knows what to show.
    """

    session: ManagementSession
    token: str = field(repr=False)
    url: str = field(repr=False)


def begin_management(
    order: Order,
    *,
    client: ApiClient,
    tenant: Tenant,
    now: datetime,
    actor: audit.Actor,
    key_id: uuid.UUID | None = None,
) -> Begun:
    """Make a management session for one end user of ``tenant``, whose link works for 5 minutes and one click.

    It ends with the key ``key_id`` by which it was asked for, where that is revoked. One short transaction. Raises
    ``InvalidRequest`` naming the member at fault, ``Suspended``, and ``PermissionDenied`` for a client that may not
    read connections: whoever has the link reads them.
    """
    check_permission(client.permissions, may=Permission.READ)
    if tenant.suspended_at is not None:
        raise Suspended(f"The tenant {tenant.slug!r} is suspended.")
    check_addresses(order.return_url, order.origin, tenant)
    if order.providers:
        check_permission(client.permissions, may=Permission.CONNECT)
        try:
            check_providers(order.providers, tenant)
        except InvalidRequest as refusal:
            raise InvalidRequest(refusal.detail, field="providers") from None
    session_id = uuid.uuid4()
    token = f"manage.{session_id}.{secrets.token_urlsafe(32)}"
    with short_transaction():
        session = ManagementSession.objects.create(
            id=session_id,
            tenant=tenant,
            api_client=client,
            api_key_id=key_id,
            end_user=order.end_user,
            providers=list(dict.fromkeys(order.providers)),
            return_url=order.return_url,
            origin=order.origin,
            locale=order.locale,
            code_challenge=order.code_challenge,
            token_hash=digest(token),
            expires_at=now + LINK_LIFETIME,
        )
        audit.record(
            "management_session.created",
            actor=actor,
            tenant_id=tenant.id,
            detail={"session": str(session.id), "end_user": order.end_user},
        )
    return Begun(session, token, f"{settings.WIDGET_URL}/connect/manage/{session.id}#{token}")
