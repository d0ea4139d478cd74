"""How much is stored under which key, and since when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from connections.lifecycle.keys import uses
from connections.lifecycle.keys.rewrap import rewrap
from connections.lifecycle.keys.uses import audit_uses, data_key_use, fernet_uses, kek_uses
from connections.models import CredentialVersion, DataKey
from connections.models.fields import StoredSecret, outer_fernet


def test_keys_of_both_lists_are_counted(stored: list[str], add_keys: Callable[[], str], settings: Settings) -> None:
    add_keys()
    newest, earlier = kek_uses()
    assert (newest.rows, newest.since, earlier.rows) == (0, None, 3)
    newest, earlier = fernet_uses(is_exact=True)
    assert (newest.rows, earlier.of["connections_credentialversion.secrets"]) == (0, len(stored))
    assert earlier.since is not None
    assert datetime.now(UTC) - earlier.since < timedelta(minutes=5)
    assert not any(key in repr((newest, earlier)) for key in settings.FERNET_KEYS)
    assert data_key_use().rows == 3


def test_a_list_without_a_key_that_is_needed_says_so(
    stored: list[str], add_keys: Callable[[], str], settings: Settings
) -> None:
    needed = kek_uses()[0].key
    add_keys()
    settings.FERNET_KEYS, settings.KEK_KEYS = settings.FERNET_KEYS[:1], settings.KEK_KEYS[:1]
    missing = kek_uses()[-1]
    assert (missing.key, missing.place, missing.rows) == (needed, None, 3)
    unopened = fernet_uses(is_exact=True)[-1]
    assert (unopened.key, unopened.place) == ("", None)
    assert unopened.of["connections_credentialversion.secrets"] == len(stored)


def test_a_sample_is_said_to_be_one(stored: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uses, "SAMPLE", 2)
    (use,) = fernet_uses(is_exact=False)
    assert use.is_estimate
    assert use.of["connections_credentialversion.secrets"] == len(stored)
    (use,) = fernet_uses(is_exact=True)
    assert not use.is_estimate


def test_a_sample_sees_both_ends_of_a_column(
    stored: list[str], add_keys: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rewrap that was stopped has left the first rows under the newer key, and the last under the earlier one."""
    add_keys()
    monkeypatch.setattr(uses, "SAMPLE", 3)
    rows = CredentialVersion.objects.order_by("pk")
    for row in rows[: len(stored) - 1]:
        fresh = StoredSecret(outer_fernet().encrypt(outer_fernet().decrypt(row.secrets.stored)))
        CredentialVersion.objects.filter(pk=row.pk).update(secrets=fresh)
    newest, earlier = fernet_uses(is_exact=False)
    assert newest.of["connections_credentialversion.secrets"] > 0
    assert earlier.of["connections_credentialversion.secrets"] > 0


def test_a_key_is_old_after_ninety_days_of_use(stored: list[str], add_keys: Callable[[], str]) -> None:
    now = datetime.now(UTC)
    DataKey.objects.update(created_at=now - timedelta(days=91))
    (use,) = kek_uses()
    assert use.is_old(now=now)
    assert not use.is_old(now=now - timedelta(days=2))
    add_keys()
    list(rewrap())
    newest, earlier = kek_uses()
    assert (newest.rows, newest.is_old(now=now), earlier.is_old(now=now)) == (3, False, False)


def test_an_audit_key_without_seals_is_unused(stored: list[str]) -> None:
    (use,) = audit_uses()
    assert (use.place, use.rows, use.since) == (1, 0, None)
