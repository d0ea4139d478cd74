"""Begin a quarantine: from then on everything is held whose credential is older, until it is sorted."""

from datetime import datetime

from django.db import transaction

from connections.database.locks import lock_installation
from connections.journal import audit, notices
from connections.journal.audit import Actor
from connections.models import Installation, RewindCause


def begin_quarantine(cause: RewindCause, *, rewound_to: datetime | None, actor: Actor, now: datetime) -> None:
    """Hold every connection until it is sorted. ``rewound_to`` is from when the data is.

    None: it is not known, so all that is refreshed at a provider that rotates waits. The last beat does not stand for
    it: workers beat from their start on, also with the data of yesterday.

    Beginning one within another holds what was released meanwhile. One short transaction; no HTTP.
    """
    with transaction.atomic(durable=True):
        here = lock_installation()
        put_into_quarantine(here, cause, rewound_to=rewound_to, actor=actor, now=now)


def put_into_quarantine(
    here: Installation, cause: RewindCause, *, rewound_to: datetime | None, actor: Actor, now: datetime
) -> None:
    """Do so in the caller's transaction, with ``here`` locked; tell the operator's people."""
    here.go_into_quarantine(cause, rewound_to=rewound_to, now=now)
    since = None if rewound_to is None else rewound_to.isoformat()
    audit.record("quarantine.begin", decision=cause.value, actor=actor, detail={"rewound_to": since})
    notices.tell(
        f"quarantine:{now.isoformat()}",
        "The database was put back: refreshes wait",
        _told(cause, rewound_to=rewound_to),
        now=now,
    )


def _told(cause: RewindCause, *, rewound_to: datetime | None) -> str:
    since = "is not known" if rewound_to is None else f"{rewound_to:%Y-%m-%d %H:%M:%S} UTC"
    return "\n".join(
        [
            f"Why it is thought so: {cause.label}.",
            f"The moment from which its data is: {since}.",
            "",
            "Refresh tokens that were replaced since are not in it. To send an older one could end its grant, so none",
            "is sent that may be such a one. Credentials are vended while they are valid.",
            "",
            "What to do: `manage.py quarantine status` says what waits. Release what is safe, tenant by tenant",
            "(`manage.py quarantine release`), and let the other end users connect again.",
            "Where nothing was lost, as by a standby that had everything: `manage.py quarantine release --all`.",
        ]
    )
