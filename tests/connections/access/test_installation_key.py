"""The key that signs for the installation: one, sealed, and the same after it was made."""

import pytest

from connections.access.installation_key import installation_key, public_text
from connections.models import InstallationKey
from connections.vault.sealing import Unreadable

pytestmark = pytest.mark.django_db


def test_it_is_made_once_and_is_sealed() -> None:
    made = installation_key()
    row = InstallationKey.objects.get()
    assert public_text(installation_key()) == public_text(made) == row.public_key
    assert made.private_bytes_raw() not in row.private_key.stored


def test_it_opens_at_its_own_place_alone() -> None:
    installation_key()
    row = InstallationKey.objects.get()
    stored = row.private_key
    row.delete()
    InstallationKey.objects.create(public_key="another", private_key=stored)
    with pytest.raises(Unreadable):
        installation_key()
