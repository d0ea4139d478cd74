from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from config.local.demo.demo_data import Addresses, NotForDemos, SandboxClient, lay_out
from connections.access.targets import redirect_uri
from connections.brand.profile import BrandProfile
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.tenants import TenantProfile, upsert_tenant
from connections.models import ApiClient, ApiKey, ProviderApp, Tenant
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess

pytestmark = pytest.mark.usefixtures("transactional_db")

CUSTOMER_APP = "http://127.0.0.1:8080"
CLIENT = SandboxClient(id="latchkey-seed", secret="s3cret-of-the-seed", access_seconds=45)


@pytest.fixture
def addresses(sandbox: SandboxProcess) -> Addresses:
    return Addresses(web="http://127.0.0.1:8000", sandbox=sandbox.url, customer_app=CUSTOMER_APP)


def sign_in_app() -> ProviderApp:
    return ProviderApp.objects.get(provider="sandbox", auth_style=AuthorizationCodeMethod.style)


def registered(sandbox: SandboxProcess) -> dict[str, object]:
    return next(one for one in sandbox.control.clients() if one["client_id"] == CLIENT.id)


def test_lays_out_an_operator_a_tenant_two_apps_and_a_key(addresses: Addresses, tmp_path: Path) -> None:
    seeded = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)

    operator = User.objects.get(username=seeded["operator"]["username"])
    assert operator.is_superuser
    assert operator.check_password(seeded["operator"]["password"])
    acme = Tenant.objects.get()
    assert (acme.slug, acme.brand.logo_media_type, acme.brand.accent) == ("acme", "image/svg+xml", "#b3420b")
    assert acme.return_urls == [f"{CUSTOMER_APP}/connected"]
    assert acme.reconnect_url == f"{CUSTOMER_APP}/reconnect?connection={{connection}}"
    assert {app.auth_style for app in ProviderApp.objects.usable_by(acme)} == {
        AuthorizationCodeMethod.style,
        ApiKeyMethod.style,
    }
    assert ApiClient.objects.get().tenant == acme
    answer = Client().get("/api/v1/connections", headers={"Authorization": f"Bearer {seeded['api_key']}"})
    assert answer.status_code == 200


def test_registers_the_redirect_uri_and_short_lived_tokens_at_the_sandbox(
    addresses: Addresses, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)

    assert registered(sandbox)["redirect_uris"] == [redirect_uri(sign_in_app().id)]
    assert registered(sandbox)["access_lifetime"] == 45
    assert registered(sandbox)["grace_seconds"] == 30


def test_a_second_run_shows_the_same_logins_and_makes_nothing_twice(addresses: Addresses, tmp_path: Path) -> None:
    first = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    records = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert lay_out(state=tmp_path, addresses=addresses, client=CLIENT) == first

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == records
    assert [model.objects.count() for model in (User, Tenant, ApiClient, ApiKey)] == [1, 1, 1, 1]
    assert ProviderApp.objects.count() == 2


def test_what_is_kept_in_the_state_folder_is_private(addresses: Addresses, tmp_path: Path) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_addresses_follow_the_customer_apps_port_and_other_ones_stay(addresses: Addresses, tmp_path: Path) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    acme = Tenant.objects.get()
    acme.return_urls.append("https://acme.example/back")
    acme.save()
    moved = replace(addresses, customer_app="http://127.0.0.1:8081")
    lay_out(state=tmp_path, addresses=moved, client=CLIENT)

    acme.refresh_from_db()
    assert acme.allowed_origins == ["http://127.0.0.1:8081"]
    assert acme.return_urls == ["https://acme.example/back", "http://127.0.0.1:8081/connected"]
    assert acme.reconnect_url == "http://127.0.0.1:8081/reconnect?connection={connection}"


def test_the_issuer_and_the_redirect_uri_follow_changed_ports(
    addresses: Addresses, sandbox: SandboxProcess, settings: Settings, tmp_path: Path
) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    before = sign_in_app()
    settings.WIDGET_URL = "http://127.0.0.1:8765"
    moved = replace(addresses, sandbox=sandbox.url.replace("127.0.0.1", "localhost"))
    lay_out(state=tmp_path, addresses=moved, client=CLIENT)

    after = sign_in_app()
    assert after.id == before.id
    assert after.params["issuer"] == moved.sandbox
    assert registered(sandbox)["redirect_uris"] == [f"http://127.0.0.1:8765/connect/callback/{after.id}"]


def test_branding_that_a_person_changed_stays(addresses: Addresses, tmp_path: Path) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    upsert_tenant(
        "acme",
        TenantProfile(
            name="Acme Corp.",
            brand=BrandProfile(colors={"accent": "#0f766e"}, logo=""),
            reconnect_url="https://acme.example/mend",
        ),
        actor=SYSTEM,
    )
    lay_out(state=tmp_path, addresses=replace(addresses, customer_app="http://127.0.0.1:8081"), client=CLIENT)

    acme = Tenant.objects.get()
    assert (acme.name, acme.brand.accent, bytes(acme.brand.logo)) == ("Acme Corp.", "#0f766e", b"")
    assert acme.reconnect_url == "https://acme.example/mend"
    assert acme.return_urls == ["http://127.0.0.1:8081/connected"]


def test_a_password_that_the_operator_chose_is_neither_overwritten_nor_shown(
    addresses: Addresses, tmp_path: Path
) -> None:
    lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    operator = User.objects.get()
    operator.set_password("one of my own")
    operator.save()
    seeded = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)

    assert seeded["operator"]["password"] is None
    assert "operator.json" in seeded["notes"][0]
    operator.refresh_from_db()
    assert operator.check_password("one of my own")


def test_a_forgotten_password_is_replaced_once_its_record_is_deleted(addresses: Addresses, tmp_path: Path) -> None:
    first = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    (tmp_path / "operator.json").unlink()
    second = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)

    assert second["operator"]["password"] != first["operator"]["password"]
    assert User.objects.get().check_password(second["operator"]["password"])


def test_a_key_that_was_revoked_is_replaced(addresses: Addresses, tmp_path: Path) -> None:
    first = lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    ApiKey.objects.update(revoked_at=database_now())
    assert lay_out(state=tmp_path, addresses=addresses, client=CLIENT)["api_key"] != first["api_key"]


def test_nothing_is_laid_out_in_a_production_installation(
    addresses: Addresses, settings: Settings, tmp_path: Path
) -> None:
    settings.DEVELOPMENT = False
    with pytest.raises(NotForDemos):
        lay_out(state=tmp_path, addresses=addresses, client=CLIENT)
    assert not User.objects.exists()
    assert not any(tmp_path.iterdir())
