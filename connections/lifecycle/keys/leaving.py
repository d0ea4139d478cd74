"""Leaving: what still needs the keys that are gone from a list, so that a process does not drop them too early."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connections.journal import audit
from connections.lifecycle.credentials.spool import count_spooled
from connections.lifecycle.keys.retire import RETIRED
from connections.models import AuditEvent, AuditSeal, DataKey
from connections.models.data_key import SHREDDED
from connections.models.fields import fingerprints
from connections.vault.keyring import parse_keyring
from connections.vault.signing import parse_signing_keys

RETIRED_FOR = timedelta(days=1)  # for so long the word of ``keys retire`` holds
_FIRST = "key.first"
Lists = Mapping[str, Sequence[str]]


def still_needed(before: Lists, after: Lists, *, now: datetime) -> str:
    """Return why keys of ``before`` that ``after`` lacks have to stay, or "". A query for each list that lost one.

    Whether a value is under a key of ``FERNET_KEYS`` only reading everything tells, which ``keys retire`` does: so such
    a key has to have been retired within the last day, and not to have been the first since in any process that follows
    files, as after a rollback; and nothing may wait in the spool of this process.
    """
    return _kek(before, after) or _audit(before, after) or _fernet(before, after, now=now)


def note_first(key: str) -> None:
    """Write down that processes store under ``key`` of ``FERNET_KEYS`` from now on, unless that was written last.

    A query, and an audit row.
    """
    (first,) = fingerprints([key])
    last = AuditEvent.objects.filter(action=_FIRST).order_by("-id").first()
    if last is None or last.detail["key"] != first:
        audit.record(_FIRST, detail={"list": "FERNET_KEYS", "key": first})


def _kek(before: Lists, after: Lists) -> str:
    gone = set(parse_keyring(before["KEK_KEYS"]).ids) - set(parse_keyring(after["KEK_KEYS"]).ids)
    count = DataKey.objects.exclude(wrapped=SHREDDED).filter(kek_id__in=gone).count() if gone else 0
    named = ", ".join(sorted(gone))
    return f"KEK_KEYS lacks {named}, which wraps {count} data keys: put it back, and run `keys rewrap`" if count else ""


def _audit(before: Lists, after: Lists) -> str:
    gone = parse_signing_keys(before["AUDIT_KEYS"]).known.keys() - parse_signing_keys(after["AUDIT_KEYS"]).known.keys()
    if gone and AuditSeal.objects.filter(key_id__in=gone).exists():
        return f"AUDIT_KEYS lacks {', '.join(sorted(gone))}, by which seals are verified: put its public half back"
    return ""


def _fernet(before: Lists, after: Lists, *, now: datetime) -> str:
    gone = set(fingerprints(before["FERNET_KEYS"])) - set(fingerprints(after["FERNET_KEYS"]))
    if not gone:
        return ""
    told = AuditEvent.objects.filter(
        action__in=(RETIRED, _FIRST), at__gte=now - RETIRED_FOR, detail__list="FERNET_KEYS"
    ).order_by("id")
    last = dict(told.values_list("detail__key", "action"))  # of each key what was said of it last
    if left := {key for key in gone if last.get(key) != RETIRED}:
        named = ", ".join(sorted(left))
        since = " since it was the first" if _FIRST in (last.get(key) for key in left) else ""
        return (
            f"FERNET_KEYS lacks {named}, which was not retired{since}: put it back, and run `keys retire {min(left)}`"
        )
    if spooled := count_spooled():  # each process asks for itself: `keys retire` has seen one machine's alone
        named = ", ".join(sorted(gone))
        return f"FERNET_KEYS lacks {named}, and {spooled} files that wait in this machine's spool may be under it"
    return ""
