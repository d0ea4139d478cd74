"""Digest: what ends within two weeks, as the notice of the day to the operator's people."""

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from connections.journal import notices
from connections.lifecycle.forecast.causes import SOURCES, Cause
from connections.lifecycle.forecast.foretell import LATE
from connections.lifecycle.forecast.upcoming import Ending, Position, upcoming
from connections.models import Connection, Notice

AHEAD = timedelta(days=14)
_MOST_LINES = 50
_WORDS = {
    Cause.GRANT: "the grant ends",
    Cause.CREDENTIAL: "the credential expires",
    Cause.UNUSED: "the refresh token ends unless it is refreshed",
    Cause.QUARANTINE: "its access token ends, and refresh quarantine holds its refresh",
    Cause.CROWDED: "the next grant of its account ends it",
    Cause.OLD_KEY: "the key is 90 days old",
    Cause.CERTIFICATE: "the certificate of our key expires",
    Cause.CLIENT_SECRET: "our client secret expires, and is not renewed",
    Cause.APP_SECRET: "our client secret expires",
}


def write_digest(*, now: datetime) -> bool:
    """Write the notice of today, unless there is one or nothing ends within two weeks. Return whether it is new.

    The first run of a day (UTC) writes it. One query, or one for each cause.
    """
    cause = f"forecast:{now:%Y-%m-%d}"
    if Notice.objects.filter(cause=cause).exists():
        return False
    endings = _endings(now=now)
    if not endings:
        return False
    with transaction.atomic():
        return notices.tell(cause, f"What ends until {now + AHEAD:%d %B}", digest(endings, now=now), now=now)


def _endings(*, now: datetime) -> list[Ending]:
    """Return what the notice lists: first what ends on a date that is no old news, then what may end at any time."""
    dated = tuple(cause for cause in Cause if SOURCES[cause].has_date)
    others = tuple(cause for cause in Cause if not SOURCES[cause].has_date)
    begin = Position(now - LATE, min(dated), uuid.UUID(int=0))
    found = upcoming(
        see=lambda rows: rows, until=now + AHEAD, now=now, limit=_MOST_LINES + 1, after=begin, causes=dated
    )
    left = _MOST_LINES + 1 - len(found)
    if left:
        found += upcoming(see=lambda rows: rows, until=now + AHEAD, now=now, limit=left, causes=others)
    return found


def digest(endings: Sequence[Ending], *, now: datetime) -> str:
    """Return the text of a notice about ``endings``: how many of each kind, and a line for each. No I/O."""
    shown, counts = endings[:_MOST_LINES], Counter(ending.cause for ending in endings[:_MOST_LINES])
    kinds = [f"- {count} of this kind: {_WORDS[cause]}" for cause, count in sorted(counts.items())]
    more = ["… and more: the page has them all."] if len(endings) > _MOST_LINES else []
    return "\n".join(
        [
            "These end within two weeks, and no refresh keeps them alive:",
            "",
            *kinds,
            "",
            *map(_line, shown),
            *more,
            "",
            "What to do: let the end users connect again before, and renew what is ours.",
            "What refreshes keep alive is not in this list.",
            "",
            f"Connections: {notices.admin_list(Connection)}",
        ]
    )


def _line(ending: Ending) -> str:
    at = "at any time" if ending.ends_at is None else f"{ending.ends_at:%Y-%m-%d %H:%M} UTC"
    if ending.connection is None:
        owner = ending.app.tenant.slug if ending.app.tenant else "shared"
        return f"{at}: provider app {ending.app.provider} ({owner}): {_WORDS[ending.cause]}"
    # Who it is stays out of it: a mail that was sent is in nobody's hands who could forget it.
    whose = "an end user" if ending.connection.end_user else "the whole tenant"
    place = f"{ending.connection.provider} of {whose} at {ending.connection.tenant.slug}"
    return f"{at}: {place}: {_WORDS[ending.cause]} ({ending.connection.id})"
