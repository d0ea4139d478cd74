"""Burn: remember that a code came to the wrong browser, so that nobody can bring it in a session of their own.

PKCE makes such a code useless, but some providers do not speak it. It is not spent at the token endpoint: whoever does
that holds a grant of somebody else's account, and revoking it would end that account's other grants at many providers.
"""

import time
import uuid
from datetime import datetime, timedelta

from connections.access.secrets import digest
from connections.models import BurntCode, ConnectSession

# Codes live for minutes (RFC 6749 §4.1.2: ten at the most).
REMEMBERED_FOR = timedelta(hours=1)


def burn(app_id: uuid.UUID, code: str, *, session: ConnectSession | None, now: datetime) -> None:
    """Refuse ``code`` from now on in every other session of this provider app, which has to exist, than ``session``.

    However many there are: anybody can bring codes, and the victim's may come last. A row is small, and gone in an
    hour.
    """
    if not code:
        return
    burnt = BurntCode(provider_app_id=app_id, session=session, code_hash=digest(code), burnt_at=now)
    BurntCode.objects.bulk_create([burnt], ignore_conflicts=True)


def is_burnt(app_id: uuid.UUID, code: str, *, session: ConnectSession) -> bool:
    """Whether ``code`` came to a browser or a session of this provider app that is not this one."""
    burnt = BurntCode.objects.filter(provider_app_id=app_id, code_hash=digest(code)).only("session_id").first()
    return burnt is not None and burnt.session_id != session.id


def forget_burnt(*, now: datetime, batch: int = 5000) -> int:
    """Delete what no provider would take any more, in batches, for 20 s at the most; return how many there were."""
    give_up_at = time.monotonic() + 20.0
    gone = 0
    while time.monotonic() < give_up_at:
        old = BurntCode.objects.filter(burnt_at__lte=now - REMEMBERED_FOR).values("pk")[:batch]
        count = BurntCode.objects.filter(pk__in=old).delete()[0]
        gone += count
        if count < batch:
            break
    return gone
