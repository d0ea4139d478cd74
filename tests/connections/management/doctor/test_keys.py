"""What the doctor says of lists of keys of which a part is right."""

import base64
import secrets
from collections.abc import Callable

import pytest
from pytest_django import Settings

from connections.access.key_lists import mark
from connections.journal.audit import record
from connections.journal.sealing import seal_settled
from connections.lifecycle.keys.rewrap import rewrap
from connections.management.doctor import keys
from connections.management.doctor.findings import Level
from connections.models import CredentialVersion, DataKey
from connections.models.fields import StoredSecret, outer_fernet
from connections.vault.signing import parse_signing_keys
from providers.custodians.custody import Custody
from tests.connections.lifecycle.keys.conftest import add_keys, stored
from tests.connections.lifecycle.keys.test_agreement import running
from tests.providers.custodians.conftest import bao, use
from tests.providers.custodians.stand_ins import Bao, given

__all__ = ["add_keys", "bao", "stored", "use"]


def faults() -> list[str]:
    look = keys.keys
    return [found.says for found in look() if found.level is Level.FAULT]


def test_an_old_key_that_is_missing_halfway_through_a_rewrap_is_missed(
    stored: list[str], add_keys: Callable[[], str], settings: Settings
) -> None:
    """What was stored last opens: rows in the middle do not."""
    add_keys()
    first = CredentialVersion.objects.order_by("pk")[0]
    fresh = StoredSecret(outer_fernet().encrypt(outer_fernet().decrypt(first.secrets.stored)))
    CredentialVersion.objects.filter(pk=first.pk).update(secrets=fresh)
    assert faults() == []
    settings.FERNET_KEYS = settings.FERNET_KEYS[:1]
    (says,) = faults()
    assert "open under no key of FERNET_KEYS" in says
    settings.FERNET_KEYS = [settings.FERNET_KEYS[0], secrets.token_urlsafe(32)]
    assert len(faults()) == 1, "another key does not help"


def test_another_key_under_an_earlier_id_is_named(
    stored: list[str], add_keys: Callable[[], str], settings: Settings
) -> None:
    """Those that were made last are under the first key, and one of long ago under the other."""
    add_keys()
    oldest = DataKey.objects.order_by("created_at")[0]
    list(rewrap())
    DataKey.objects.filter(pk=oldest.pk).update(kek_id=oldest.kek_id, wrapped=oldest.wrapped)
    assert faults() == []
    wrong = f"{oldest.kek_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    settings.KEK_KEYS = [settings.KEK_KEYS[0], wrong]
    (says,) = faults()
    assert f"another key than was used under {oldest.kek_id}:" in says


def test_a_process_that_follows_other_lists_is_named(transactional_db: None) -> None:
    """One that keeps a key that is gone from its file, which a command that begins now has never read."""
    with running(f"latchkey presence {mark()} 7@web"), running("latchkey presence 0123456789ab 8@worker"):
        look = keys.keys
        (found,) = [one for one in look() if one.level is Level.WARNING]
    assert "1 of 2 processes follow other lists of keys" in found.says
    assert "8@worker" in found.says


@pytest.fixture
def sealed(transactional_db: None) -> None:
    record("connection.status")
    assert seal_settled(seconds=10, at_once=True) == 1


def signs(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@pytest.mark.usefixtures("sealed")
@pytest.mark.parametrize("goes_on", [False, True])
def test_another_key_under_the_id_of_one_that_has_signed_is_named(settings: Settings, goes_on: bool) -> None:
    """Also once it has signed as well, so that the newest seal is its own."""
    key_id = settings.AUDIT_KEYS[0].partition(":")[0]
    settings.AUDIT_KEYS = [signs(key_id)]
    if goes_on:
        record("connection.status")
        assert seal_settled(seconds=10, at_once=True) == 1
    (says,) = faults()
    assert f"AUDIT_KEYS has another key than was used under {key_id}:" in says


@pytest.mark.usefixtures("sealed")
def test_a_key_that_has_signed_is_missed_also_where_another_has_signed_since(settings: Settings) -> None:
    first, settings.AUDIT_KEYS = settings.AUDIT_KEYS[0], [signs("later")]
    record("connection.status")
    assert seal_settled(seconds=10, at_once=True) == 1
    (says,) = faults()
    assert f"made with {first.partition(':')[0]}, which AUDIT_KEYS does not have" in says
    settings.AUDIT_KEYS = [*settings.AUDIT_KEYS, *parse_signing_keys([first]).public_entries()]
    assert faults() == []


@pytest.mark.parametrize(
    ("is_renewable", "seconds", "level", "says"),
    [
        (True, 7200, Level.FINE, "lives for 2.0 hours, and is renewed"),
        (False, 7200, Level.WARNING, "lives for 2.0 hours and cannot be renewed"),
        (False, 0, Level.FINE, "lives for ever"),
    ],
)
def test_how_long_the_token_for_vault_lives_is_told(
    bao: Bao, use: Callable[[Custody], None], is_renewable: bool, seconds: int, level: Level, says: str
) -> None:
    bao.renewable, bao.lease_seconds = is_renewable, seconds
    use(bao.custody())
    (found,) = keys.key_services()
    assert found.level is level
    assert says in found.says
    assert Bao.TOKEN not in repr(found)
    use(bao.custody(token=given("s.ended")))
    (found,) = keys.key_services()
    assert (found.level, "HTTP 403" in found.says) == (Level.WARNING, True)
