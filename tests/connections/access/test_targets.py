"""What is kept of a resolved target: never a secret, and nothing that a change of the app has overtaken."""

from pydantic import SecretStr

from connections.access import targets
from connections.access.targets import access_to
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import ProviderApp, Tenant
from tests.connections.api.stored import make_app


def enter(app: ProviderApp, secret: str, **params: str) -> ProviderApp:
    """Save the app anew with this client secret, and with parameters of its own."""
    registration = Registration(
        provider=app.provider,
        auth_style=app.auth_style,
        client_id=app.client_id,
        client_secrets=[secret],
        params=app.params | params,
    )
    save_provider_app(registration, tenant=app.tenant, actor=SYSTEM)
    return ProviderApp.objects.get(id=app.id)


def test_a_target_is_resolved_once_and_its_secrets_are_opened_each_time(acme: Tenant) -> None:
    app = enter(make_app(acme), "the first")
    targets._resolved.cache_clear()
    assert access_to(app, {}).target.registration.client_secrets == (SecretStr("the first"),)
    app = enter(app, "the second")
    found = access_to(app, {}).target
    assert found.registration.client_secrets == (SecretStr("the second"),)
    assert targets._resolved.cache_info()[:2] == (1, 1)
    bare, _ = targets._resolved(
        app.provider,
        app.auth_style,
        app.client_id,
        found.registration.redirect_uri,
        frozenset(app.params.items()),
        frozenset(),
        frozenset(),
        False,
        targets.catalog_edition(),
    )
    assert bare.registration.client_secrets == ()
    assert targets._resolved.cache_info()[:2] == (2, 1), "it is the one that was kept"


def test_a_changed_parameter_is_another_target(acme: Tenant) -> None:
    app = enter(make_app(acme), "any")
    before = access_to(app, {}).target
    after = access_to(enter(app, "any", issuer="https://elsewhere.example"), {}).target
    assert before.endpoints.token != after.endpoints.token
    assert after.endpoints.token.startswith("https://elsewhere.example/")
