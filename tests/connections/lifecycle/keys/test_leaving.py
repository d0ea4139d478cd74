"""What keeps a process from dropping a key that is gone from its file."""

import base64
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings as project
from pytest_django import Settings

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.keys import leaving
from connections.lifecycle.keys.retire import retire
from connections.lifecycle.keys.rewrap import rewrap
from connections.models import AuditEvent, AuditSeal
from connections.models.fields import outer_keys
from connections.vault.signing import parse_signing_keys

NAMES = ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")


def lists() -> dict[str, list[str]]:
    return {name: list(getattr(project, name)) for name in NAMES}


def still_needed(before: dict[str, list[str]], after: dict[str, list[str]], *, later: timedelta = timedelta()) -> str:
    return leaving.still_needed(before, after, now=database_now() + later)


def without(name: str, place: int) -> dict[str, list[str]]:
    """The lists of now, but for one key."""
    return lists() | {name: [key for at, key in enumerate(lists()[name]) if at != place]}


def test_nothing_is_asked_of_keys_that_stay(stored: list[str]) -> None:
    assert still_needed(lists(), lists()) == ""


def test_a_kek_stays_while_it_wraps_a_data_key(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    says = still_needed(lists(), without("KEK_KEYS", 1))
    assert says.startswith("KEK_KEYS lacks ")
    assert "data keys: put it back, and run `keys rewrap`" in says
    list(rewrap())
    assert still_needed(lists(), without("KEK_KEYS", 1)) == ""


def test_an_outer_key_stays_until_it_was_retired_lately(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    earlier = outer_keys()[1].fingerprint
    refused = f"FERNET_KEYS lacks {earlier}, which was not retired: put it back, and run `keys retire {earlier}`"
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == refused
    assert not retire(earlier, actor=Actor(operator="anna")).may_go
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == refused, "it was asked for, and refused"
    list(rewrap())
    assert retire(earlier, actor=Actor(operator="anna")).may_go
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == ""
    assert still_needed(lists(), without("FERNET_KEYS", 1), later=leaving.RETIRED_FOR) == refused, "it was long ago"
    assert still_needed(lists(), without("FERNET_KEYS", 0)) != "", "the other one was not"
    row = AuditEvent.objects.get(action="key.retired")
    assert (row.operator, row.detail) == ("anna", {"list": "FERNET_KEYS", "key": earlier})


def test_the_word_for_an_outer_key_is_over_once_it_was_the_first_again(
    stored: list[str], add_keys: Callable[[], str]
) -> None:
    """A rollback: what was stored in between is under the key that was retired before."""
    earlier = project.FERNET_KEYS[0]
    leaving.note_first(earlier)
    add_keys()
    newer, name = project.FERNET_KEYS[0], outer_keys()[1].fingerprint
    leaving.note_first(newer)
    list(rewrap())
    assert retire(name, actor=Actor(operator="anna")).may_go
    leaving.note_first(newer)  # by another process
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == ""
    for first in (earlier, newer):
        leaving.note_first(first)
    says = still_needed(lists(), without("FERNET_KEYS", 1))
    assert says.startswith(f"FERNET_KEYS lacks {name}, which was not retired since it was the first: put it back")
    assert retire(name, actor=Actor(operator="anna")).may_go
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == ""
    told = AuditEvent.objects.filter(action="key.first").order_by("id")
    assert [row.detail["key"] == name for row in told] == [True, False, True, False]


def test_an_outer_key_stays_while_files_wait_in_the_spool_of_this_process(
    stored: list[str], add_keys: Callable[[], str], settings: Settings, tmp_path: Path
) -> None:
    """On whatever machine `keys retire` was asked: it has seen the spool of that one."""
    add_keys()
    list(rewrap())
    earlier = outer_keys()[1].fingerprint
    settings.SPOOL_DIR = tmp_path / "of the command"
    assert retire(earlier, actor=Actor(operator="anna")).may_go
    settings.SPOOL_DIR = tmp_path
    (tmp_path / "one.aside").write_bytes(b"sealed")
    says = still_needed(lists(), without("FERNET_KEYS", 1))
    assert says == f"FERNET_KEYS lacks {earlier}, and 1 files that wait in this machine's spool may be under it"
    (tmp_path / "one.aside").unlink()
    assert still_needed(lists(), without("FERNET_KEYS", 1)) == ""


def test_a_key_of_seals_stays_at_least_by_its_public_half(stored: list[str], settings: Settings) -> None:
    earlier = f"earlier:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings.AUDIT_KEYS = [*settings.AUDIT_KEYS, earlier]
    assert still_needed(lists(), without("AUDIT_KEYS", 1)) == "", "it has sealed nothing"
    digests = dict.fromkeys(("leaves", "nonces", "leaves_hash", "signature"), b"digest")
    moments = dict.fromkeys(("sealed_at", "newest_at"), database_now())
    number = AuditSeal.objects.count() + 1
    AuditSeal.objects.create(
        number=number, first_id=number, last_id=number, rows=1, key_id="earlier", hash="5ea1", **moments, **digests
    )
    assert "AUDIT_KEYS lacks earlier" in still_needed(lists(), without("AUDIT_KEYS", 1))
    public = parse_signing_keys(lists()["AUDIT_KEYS"]).known["earlier"].public_bytes_raw()
    half = [lists()["AUDIT_KEYS"][0], f"earlier:public:{base64.b64encode(public).decode()}"]
    assert still_needed(lists(), lists() | {"AUDIT_KEYS": half}) == ""
