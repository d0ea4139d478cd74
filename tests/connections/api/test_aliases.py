"""A provider may be named by an alias of its entry wherever a slug is taken; what is stored is the entry's own slug."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from connections.lifecycle.connect.params import apps_for
from connections.models import Connection, ConnectSession, ProviderApp, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_sandbox_app
from tests.flows import RETURN_URL, EndUser, call
from tests.styles.lived import lives

STYLE = "oauth2_authorization_code"
ALIASES = {"sandbox-login": "authorization_code", "sandbox-key": "api_key", "sandbox-machine": "client_credentials"}


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path) -> Iterator[None]:
    """The sandbox's entry has another name."""
    text = loader.catalog_files()["sandbox"].read_text(encoding="utf-8")
    said = ", ".join(f'{alias} = "{section}"' for alias, section in ALIASES.items())
    (tmp_path / "sandbox.toml").write_text(f"aliases = {{ {said} }}\n{text}", encoding="utf-8")
    loader.configure_catalog(tmp_path)
    yield
    loader.configure_catalog(None)


@pytest.mark.django_db(transaction=True)
def test_a_life_under_an_alias(sandbox: SandboxProcess, acme: Tenant, backend: Caller) -> None:
    app = make_sandbox_app(sandbox, tenant=acme, provider="sandbox-login")
    assert app.provider == "sandbox"
    life, alice = lives()[STYLE](), EndUser("alice", backend)
    invitation = alice.invite(provider="sandbox-login")
    answer = alice.complete(invitation, life.go_through(alice, invitation, sandbox, app))
    assert answer.status_code == 200, answer.content
    assert answer.json()["connection"]["provider"] == "sandbox"
    (listed,) = call(backend, "GET", "/connections?provider=sandbox-login").json()["items"]
    assert listed["provider"] == "sandbox"
    assert call(backend, "GET", "/connections?provider=another").json()["items"] == []
    vended = call(backend, "POST", "/credentials", {"provider": "sandbox-login", "end_user": "alice"})
    assert vended.status_code == 200, vended.content
    assert call(backend, "GET", "/providers/sandbox-login").json()["slug"] == "sandbox"


def asked(provider: str) -> dict[str, str]:
    """Return the request for a connect session."""
    return {"end_user": "alice", "provider": provider, "return_url": RETURN_URL.format(slug="acme")}


def both_ways(sandbox: SandboxProcess, tenant: Tenant) -> tuple[ProviderApp, ProviderApp]:
    """Make apps for both styles that have an alias: by consent, and by our own credentials."""
    by_consent = make_sandbox_app(sandbox, tenant=tenant, provider="sandbox-login")
    by_itself = make_app(tenant, auth_style="oauth2_client_credentials", params=by_consent.params)
    return by_consent, by_itself


@pytest.mark.django_db(transaction=True)
def test_a_session_offers_the_style_that_an_alias_stands_for_and_no_other(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    by_consent, by_itself = both_ways(sandbox, acme)
    alice = EndUser("alice", backend)
    for named, offered in (
        (["sandbox-login"], {by_consent}),
        (["sandbox-machine"], {by_itself}),
        (["sandbox"], {by_consent, by_itself}),
        (["sandbox-machine", "sandbox-login"], {by_consent, by_itself}),
        (["sandbox", "sandbox-machine"], {by_consent, by_itself}),
    ):
        begun = ConnectSession.objects.get(id=alice.invite(provider=named).id)
        assert begun.providers == ["sandbox"]
        assert set(apps_for(begun)) == offered, named
    by_itself.delete()
    refused = call(backend, "POST", "/connect-sessions", asked("sandbox-machine"))
    assert refused.status_code == 422, refused.content
    assert "'sandbox-machine'" in refused.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_vend_and_a_list_by_an_alias_mean_the_connection_by_its_style(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    by_consent, by_itself = both_ways(sandbox, acme)
    consented, own = make_connection(acme, app=by_consent), make_connection(acme, app=by_itself)
    owner = {"end_user": consented.end_user}
    for named, meant in (("sandbox-login", consented), ("sandbox-machine", own)):
        vended = call(backend, "POST", "/credentials", owner | {"provider": named})
        assert vended.status_code == 200, vended.content
        assert vended.json()["version"] == str(meant.current_version_id)
        (listed,) = call(backend, "GET", f"/connections?provider={named}").json()["items"]
        assert listed["id"] == str(meant.id)
    assert (
        call(backend, "POST", "/credentials", owner | {"provider": "sandbox"}).json()["code"] == "ambiguous_connection"
    )
    Connection.objects.filter(id=own.id).delete()
    assert call(backend, "POST", "/credentials", owner | {"provider": "sandbox-machine"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_not_renewed_under_the_alias_of_another_style(
    sandbox: SandboxProcess, acme: Tenant, backend: Caller
) -> None:
    by_consent, _ = both_ways(sandbox, acme)
    connection = make_connection(acme, app=by_consent)
    renewal = {"connection": str(connection.id), "end_user": connection.end_user}
    refused = call(backend, "POST", "/connect-sessions", asked("sandbox-machine") | renewal)
    assert (refused.status_code, refused.json()["field"]) == (422, "provider")
    assert call(backend, "POST", "/connect-sessions", asked("sandbox-login") | renewal).status_code == 201


@pytest.mark.django_db
def test_an_operator_s_command_takes_an_alias_and_the_style_that_it_stands_for() -> None:
    call_command("provider_apps", "add", "sandbox-key", "--param", "issuer=http://127.0.0.1:9", stdout=io.StringIO())
    app = ProviderApp.objects.get()
    assert (app.provider, app.auth_style) == ("sandbox", "api_key")
    told = io.StringIO()
    call_command("providers", "show", "sandbox-key", "--json", stdout=told)
    assert json.loads(told.getvalue())["aliases"] == ALIASES
