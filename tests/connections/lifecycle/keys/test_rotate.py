"""New data keys: what earlier ones sealed is sealed anew, and opens at every moment."""

import secrets
import uuid
from datetime import timedelta

import pytest
from django.db.models import Q
from pytest_django import Settings

from connections.access.installation_key import installation_key
from connections.access.sealed_places import sealed_places
from connections.access.secrets import current_data_key, open_client_secrets, open_credential
from connections.admin.people.factors import opened
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.keys.columns import SEEDS, all_columns
from connections.lifecycle.keys.rewrap import Progress
from connections.lifecycle.keys.rotate import GOES_ON_FOR, begin_rotation, rotate
from connections.models import AuditEvent, CredentialVersion, DataKey, ProviderApp, Tenant
from connections.models.fields import StoredSecret
from connections.vault.sealing import fingerprint, sealed_under
from tests.connections.api.stored import make_connection


def rotated(*owners: uuid.UUID | None, days: int = 0) -> dict[str, Progress]:
    """Rotate, and return where each part has ended."""
    return {step.of: step for step in rotate(owners, made_until=database_now() - timedelta(days=days), actor=SYSTEM)}


def test_each_sealed_column_has_its_place() -> None:
    assert sorted(place.name for place in sealed_places()) == [
        column.name for column in all_columns() if column.name != "mfa_authenticator.data"
    ]


def test_all_of_an_owner_is_under_its_new_key(stored: list[str], acme: Tenant, globex: Tenant) -> None:
    earlier = set(DataKey.objects.values_list("id", flat=True))
    owners = (acme.id, globex.id, None)
    ended = rotated(*owners)
    assert ended["new data keys"].changed == 3
    assert not any(step.unreadable or step.busy for step in ended.values())
    for place in sealed_places():
        for row in place.rows():
            assert sealed_under(getattr(row, place.field).open_outer()) not in earlier, place.name
    assert DataKey.objects.filter(is_current=True).count() == 3
    for _, value in SEEDS.rows().values_list("pk", "data"):
        for sealed in SEEDS.ciphertexts(value):
            assert sealed_under(StoredSecret(sealed).open_outer()) not in earlier
    for version in CredentialVersion.objects.select_related("connection"):
        credential = open_credential(version.connection, version)
        key = current_data_key(version.connection.tenant_id)
        assert version.data_key_id == key.id
        assert bytes(version.fingerprint) == fingerprint(credential.main_secret(), key=key)
    for app in ProviderApp.objects.all():
        assert open_client_secrets(app)
    installation_key()
    told = AuditEvent.objects.filter(action="data_key.rotated")
    assert {event.tenant_id for event in told} == set(owners)


def test_another_tenants_rows_are_left_alone(stored: list[str], acme: Tenant, globex: Tenant) -> None:
    theirs = Q(connection__tenant=globex)
    before = [version.secrets.stored for version in CredentialVersion.objects.filter(theirs)]
    rotated(acme.id)
    assert [version.secrets.stored for version in CredentialVersion.objects.filter(theirs)] == before
    assert DataKey.objects.filter(tenant=globex).count() == 1


@pytest.mark.parametrize("steps", [1, 2])
def test_what_was_killed_goes_on_without_a_further_key(stored: list[str], acme: Tenant, steps: int) -> None:
    DataKey.objects.update(created_at="2020-01-01T00:00:00Z")
    begun = rotate([acme.id], made_until=database_now() - timedelta(days=90), actor=SYSTEM)
    for _ in range(steps):
        next(begun)
    begun.close()
    rotated(acme.id, days=90)
    assert DataKey.objects.filter(tenant=acme).count() == 2
    current = DataKey.objects.get(tenant=acme, is_current=True)
    versions = CredentialVersion.objects.filter(connection__tenant=acme)
    assert set(versions.values_list("data_key_id", flat=True)) == {current.id}
    assert sum(step.changed for step in rotated(acme.id, days=90).values()) == 0


def test_what_is_sealed_under_an_earlier_key_meanwhile_opens(stored: list[str], acme: Tenant) -> None:
    before = DataKey.objects.get(tenant=acme)
    rotated(acme.id)
    DataKey.objects.filter(tenant=acme, is_current=True).update(is_current=False)
    DataKey.objects.filter(id=before.id).update(is_current=True)
    late = make_connection(acme, end_user="late")  # by a process that had opened the key before
    DataKey.objects.filter(id=before.id).update(is_current=False)
    DataKey.objects.filter(tenant=acme).exclude(id=before.id).update(is_current=True)
    version = CredentialVersion.objects.get(connection=late)
    assert version.data_key_id == before.id
    assert open_credential(late, version).access_token
    assert rotated(acme.id, days=90)["connections_credentialversion.secrets"].changed == 1


def test_an_owner_without_a_key_gets_none(stored: list[str]) -> None:
    fresh = Tenant.objects.create(slug="fresh", name="Fresh")
    assert rotated(fresh.id)["new data keys"].changed == 0
    assert not DataKey.objects.filter(tenant=fresh).exists()


def test_an_owner_whose_key_does_not_open_is_passed_over(stored: list[str], acme: Tenant, globex: Tenant) -> None:
    DataKey.objects.filter(tenant=globex).update(wrapped=b"nonsense")
    ended = rotated(globex.id, acme.id, days=90)
    assert (ended["new data keys"].unreadable, ended["new data keys"].changed) == (1, 0)
    theirs = rotated(globex.id)["connections_credentialversion.secrets"]
    assert (theirs.unreadable, theirs.changed) == (1, 0)


def test_the_seeds_of_second_factors_stay_what_they_are(stored: list[str], acme: Tenant) -> None:
    def seeds() -> list[str]:
        return [opened(sealed.decode()) for _, value in next(SEEDS.pages()) for sealed in SEEDS.ciphertexts(value)]

    before = seeds()
    first = rotated(acme.id)
    assert "mfa_authenticator.data" not in first, "they are the operator's"
    ended = rotated(None)["mfa_authenticator.data"]
    assert (ended.changed, ended.unreadable, seeds()) == (2, 0, before)
    assert rotated(None, days=1)["mfa_authenticator.data"].changed == 0


def test_a_seed_that_does_not_open_is_counted_and_left(stored: list[str], settings: Settings) -> None:
    settings.FERNET_KEYS = [secrets.token_urlsafe(32)]
    ended = rotated(None)["mfa_authenticator.data"]
    assert (ended.changed, ended.unreadable) == (0, 2)


def begun(whose: str = "all", *, days: int = 0, is_anew: bool = False) -> bool:
    """Begin a rotation; return whether it goes on with an earlier one."""
    older_than = timedelta(days=days)
    return begin_rotation(whose, older_than=older_than, actor=SYSTEM, is_anew=is_anew, now=database_now()).goes_on


def test_only_the_same_rotation_that_has_not_ended_is_gone_on_with(transactional_db: None) -> None:
    first = begin_rotation("all", older_than=timedelta(0), actor=SYSTEM, now=database_now())
    assert begun()
    assert [begun("operator"), begun(f"tenant {uuid.uuid4()}"), begun(days=30)] == [False] * 3
    later = begin_rotation("all", older_than=timedelta(0), actor=SYSTEM, now=first.begun_at + GOES_ON_FOR)
    assert later.goes_on
    assert later.made_until == first.begun_at
    assert begin_rotation("operator", older_than=timedelta(days=30), actor=SYSTEM, now=database_now()).goes_on is False
    assert not begun(is_anew=True)
    first.end(actor=SYSTEM)
    assert not begun()


def test_what_was_begun_more_than_a_day_ago_is_over(transactional_db: None) -> None:
    first = begin_rotation("all", older_than=timedelta(0), actor=SYSTEM, now=database_now())
    after = first.begun_at + GOES_ON_FOR + timedelta(seconds=1)
    assert not begin_rotation("all", older_than=timedelta(0), actor=SYSTEM, now=after).goes_on
