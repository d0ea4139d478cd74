"""Where an end user mends a connection: the operator's own page, from the tenant's template, or else a page of ours.

The operator's page makes a new connect session. Ours says what is wrong, and leads to the product that does so.
"""

import hmac
import uuid
from collections.abc import Sequence
from urllib.parse import quote

from django.conf import settings
from django.utils.crypto import salted_hmac

from connections.models import Connection, Reason, Status


def connect_url(
    template: str, *, connection_id: uuid.UUID | None, provider: str, end_user: str, scopes: Sequence[str] = ()
) -> str:
    """Return ``template`` with {connection}, {provider}, {end_user} and {scopes} filled in, or our page without one.

    ``scopes`` are those to ask for in addition, with spaces between them in the link. Returns "" for no template and no
    connection. No I/O.
    """
    wanted = " ".join(scopes)
    if not template and connection_id is not None:
        page = f"{settings.WIDGET_URL}/connect/mend/{connection_id}/{mend_proof(connection_id, wanted)}"
        return f"{page}?scopes={quote(wanted, safe='')}" if wanted else page
    values = {
        "{connection}": str(connection_id or ""),
        "{provider}": provider,
        "{end_user}": end_user,
        "{scopes}": wanted,
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, quote(value, safe=""))
    return template


def needs_mending(connection: Connection) -> bool:
    """Whether its end user has to connect again, or might have to soon. No I/O."""
    return connection.status in (Status.NEEDS_REAUTH, Status.REVOKED) or connection.reason == Reason.REFRESH_FAILING


def url_to_mend(connection: Connection) -> str:
    """Return the page where the owner of ``connection`` connects it again. No I/O where its tenant is loaded."""
    return connect_url(
        connection.tenant.reconnect_url,
        connection_id=connection.id,
        provider=connection.provider,
        end_user=connection.end_user,
    )


def mend_proof(connection_id: uuid.UUID, scopes: str = "") -> str:
    """Return what makes a link to our page of a connection one that we gave out: the ids are known to many. No I/O.

    It also vouches for the ``scopes`` that the page says are wanted.
    """
    return salted_hmac("latchkey.mend", f"{connection_id}{scopes and ' '}{scopes}", algorithm="sha256").hexdigest()[:32]


def is_mend_proof(connection_id: uuid.UUID, proof: str, scopes: str = "") -> bool:
    """Whether ``proof`` is the one of this connection and these ``scopes``. Compares in constant time. No I/O."""
    return hmac.compare_digest(mend_proof(connection_id, scopes).encode(), proof.encode())
