"""A provider app to give keys to."""

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import ProviderApp, Tenant


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    """acme's app at the sandbox, which nobody calls."""
    return save_provider_app(
        Registration(
            provider="sandbox",
            auth_style="oauth2_authorization_code",
            client_id="c1",
            params={"issuer": "http://127.0.0.1:8090"},
        ),
        tenant=acme,
        actor=SYSTEM,
    )
