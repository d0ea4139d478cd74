"""Burn: remember a code that came to the wrong browser, so that nobody can use it in a session of their own.

PKCE makes such a code useless, but some providers do not support PKCE. Latchkey does not spend the code at the token
endpoint: that would give it a grant of somebody else's account, and at many providers revoking that grant would end
the account's other grants too.
"""

import time
import uuid
from datetime import datetime, timedelta

from connections.access.secrets import digest
from connections.models import BurntCode, ConnectSession

# Codes live for minutes (RFC 6749 §4.1.2: ten at the most).
REMEMBERED_FOR = timedelta(hours=1)


def burn(app_id: uuid.UUID, code: str, *, session: ConnectSession | None, now: datetime) -> None:
    """Refuse ``code`` from now on in every session of this provider app but ``session`` (None: in every session).

    The provider app has to exist. The number of codes is not limited: anybody can bring codes, and the victim's may
    come last. A row is small, and is deleted after an hour. Writes one row.
    """
    if not code:
        return
    burnt = BurntCode(provider_app_id=app_id, session=session, code_hash=digest(code), burnt_at=now)
    BurntCode.objects.bulk_create([burnt], ignore_conflicts=True)


def is_burnt(app_id: uuid.UUID, code: str, *, session: ConnectSession) -> bool:
    """Whether ``code`` was burnt for this provider app by another session or browser than ``session``. One query."""
    burnt = BurntCode.objects.filter(provider_app_id=app_id, code_hash=digest(code)).only("session_id").first()
    return burnt is not None and burnt.session_id != session.id


def forget_burnt(*, now: datetime, batch: int = 5000) -> int:
    """Delete burnt codes that no provider would accept any more; return how many. Batches, for 20 s at the most."""
    give_up_at = time.monotonic() + 20.0
    gone = 0
    while time.monotonic() < give_up_at:
        old = BurntCode.objects.filter(burnt_at__lte=now - REMEMBERED_FOR).values("pk")[:batch]
        count = BurntCode.objects.filter(pk__in=old).delete()[0]
        gone += count
        if count < batch:
            break
    return gone
