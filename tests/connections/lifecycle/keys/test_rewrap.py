"""Rewrapping: all of it ends up under the newest keys, and opens at every moment."""

import time
from collections.abc import Callable, Iterable

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection as database
from pytest_django import Settings

from connections.access.installation_key import installation_key
from connections.access.secrets import open_credential, unwrap
from connections.admin.people.factors import opened
from connections.lifecycle.keys import rewrap as module
from connections.lifecycle.keys.rewrap import Progress, rewrap
from connections.lifecycle.keys.uses import fernet_uses, kek_uses
from connections.models import CredentialVersion, DataKey
from connections.models.data_key import SHREDDED
from tests.connections.lifecycle.sessions import session


def everything_opens() -> None:
    for version in CredentialVersion.objects.select_related("connection"):
        assert open_credential(version.connection, version).access_token
    installation_key()
    totp, codes = Authenticator.objects.order_by("-type")
    assert opened(totp.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert totp.data["spent_counter"] == 7
    assert [opened(code) for code in codes.data["migrated_codes"]] == ["code-1", "code-2"]


def last_of(steps: Iterable[Progress]) -> dict[str, int]:
    """Return how many rows each part has changed."""
    return {step.of: step.changed for step in steps}


def test_all_is_under_the_first_keys_afterwards(
    stored: list[str], add_keys: Callable[[], str], settings: Settings
) -> None:
    kek_id = add_keys()
    for _ in rewrap():
        everything_opens()
    (newest, *earlier) = kek_uses()
    assert (newest.key, newest.rows, [use.rows for use in earlier]) == (kek_id, 3, [0])
    (newest, *earlier) = fernet_uses(is_exact=True)
    assert [use.rows for use in earlier] == [0]
    assert newest.of["connections_credentialversion.secrets"] == len(stored)
    assert newest.of["mfa_authenticator.data"] == 3
    settings.FERNET_KEYS, settings.KEK_KEYS = settings.FERNET_KEYS[:1], settings.KEK_KEYS[:1]
    everything_opens()


def test_what_is_done_is_not_done_again(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    begun = rewrap()
    next(begun)
    begun.close()
    changed = sum(last_of(rewrap()).values())
    assert changed > 0
    assert sum(last_of(rewrap()).values()) == 0


def test_a_row_that_somebody_has_locked_is_come_back_to(
    stored: list[str], add_keys: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_keys()
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    seen: list[Progress] = []
    with session("") as other:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM connections_credentialversion LIMIT 2 FOR UPDATE")
        for step in rewrap():
            if step.of.endswith("credentialversion.secrets") and step.busy:
                seen.append(Progress(step.of, step.total, busy=step.busy))
                other.execute("ROLLBACK")
    assert [step.busy for step in seen] == [2]
    assert [use.rows for use in fernet_uses(is_exact=True)][1:] == [0]


def test_what_opens_under_no_key_is_left_and_told(
    stored: list[str], add_keys: Callable[[], str], settings: Settings
) -> None:
    broken = CredentialVersion.objects.order_by("id")[0]
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_credentialversion SET secrets = 'nonsense' WHERE id = %s", [broken.id])
    DataKey.objects.filter(tenant__slug="globex").update(wrapped=b"nonsense")
    add_keys()
    ended = {step.of: step for step in rewrap()}
    assert ended["connections_credentialversion.secrets"].unreadable == 1
    assert ended["connections_credentialversion.secrets"].changed == len(stored) - 1
    assert (ended["data keys"].unreadable, ended["data keys"].changed) == (1, 2)
    broken.refresh_from_db()
    assert broken.secrets.stored == b"nonsense"
    assert fernet_uses(is_exact=True)[-1].key == ""


def test_a_shredded_data_key_stays_shredded(stored: list[str], add_keys: Callable[[], str]) -> None:
    DataKey.objects.filter(tenant__slug="globex").update(wrapped=SHREDDED)
    add_keys()
    list(rewrap())
    assert bytes(DataKey.objects.get(tenant__slug="globex").wrapped) == SHREDDED
    unwrap(DataKey.objects.get(tenant__slug="acme"))


def test_no_more_rows_a_second_than_it_may(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    began = time.monotonic()
    changed = sum(last_of(rewrap(rate=20)).values())
    assert time.monotonic() - began > (changed - module.BATCH) / 20
    assert time.monotonic() - began > 0.4
