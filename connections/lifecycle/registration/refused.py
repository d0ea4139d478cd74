"""Refused: a server that does not know our client any more gets a new registration from whoever connects next."""

from datetime import datetime
from http import HTTPStatus

from connections.journal import audit
from connections.models import ProviderApp, RegisteredClient, RegistrationWay
from providers.errors import ClientRejected, Evidence

REFUSED = "provider_app.registration_refused"
_UNKNOWN = "invalid_client"  # RFC 6749 §5.2: unknown, or wrong authentication


def give_up_refused(app: ProviderApp, client: RegisteredClient | None, failure: Exception, *, now: datetime) -> None:
    """Make room for another registration if ``failure`` says that the server does not know ``client``.

    The connections that were made with it keep it, and go by their own rules: the server may know it again. One
    statement, and an audit row where something has changed. No HTTP.
    """
    if client is None or not isinstance(failure, ClientRejected) or not _knows_nobody(failure.evidence):
        return
    current = RegisteredClient.objects.filter(id=client.id, way=RegistrationWay.DYNAMIC, replaced_at=None)
    if current.update(replaced_at=now, renew_at=None, claimed_until=None):
        audit.record(
            REFUSED,
            decision=failure.code,
            tenant_id=app.tenant_id,
            detail={"provider_app": str(app.id), "issuer": client.issuer, "evidence": failure.evidence.as_dict()},
        )


def _knows_nobody(evidence: Evidence) -> bool:
    """Whether it is the refusal of a client that is unknown. Some servers send the bare 401, and no code with it."""
    return evidence.error == _UNKNOWN or (evidence.status, evidence.error) == (HTTPStatus.UNAUTHORIZED, "")
