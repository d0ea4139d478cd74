"""What is stored under the keys of the test run, and newer keys in front of them."""

import base64
import secrets
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from pytest_django import Settings

from connections.access.installation_key import installation_key
from connections.admin.people.factors import sealed
from connections.models import Tenant
from tests.connections.api.stored import make_app, make_connection

STORED = 7


@pytest.fixture
def stored(acme: Tenant, globex: Tenant) -> list[str]:
    """Seven credentials of two tenants, a seed, codes, and the operator's own key."""
    ids = [str(make_connection(acme, end_user=f"user-{number}").id) for number in range(STORED - 1)]
    ids.append(str(make_connection(globex, app=make_app(globex)).id))
    installation_key()
    lena = User.objects.create_user("lena")
    Authenticator.objects.create(
        user=lena, type="totp", data={"secret": sealed("JBSWY3DPEHPK3PXP"), "spent_counter": 7}
    )
    Authenticator.objects.create(
        user=lena, type="recovery_codes", data={"migrated_codes": [sealed("code-1"), sealed("code-2")], "used_mask": 0}
    )
    return ids


@pytest.fixture
def add_keys(settings: Settings) -> Callable[[], str]:
    """Put a new key in front of FERNET_KEYS and of KEK_KEYS; returns the new KEK's id."""

    def add() -> str:
        kek_id = f"new-{secrets.token_hex(3)}"
        settings.FERNET_KEYS = [secrets.token_urlsafe(32), *settings.FERNET_KEYS]
        fresh = base64.b64encode(secrets.token_bytes(32)).decode()
        settings.KEK_KEYS = [f"{kek_id}:{fresh}", *settings.KEK_KEYS]
        return kek_id

    return add
