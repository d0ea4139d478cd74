"""A provider may be named by an alias of its entry wherever a slug is taken; what is stored is the entry's own slug."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

from connections.models import ProviderApp, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.factories import Caller, make_sandbox_app
from tests.flows import EndUser, call
from tests.styles.lived import lives

STYLE = "oauth2_authorization_code"


@pytest.fixture(autouse=True)
def catalogue(tmp_path: Path) -> Iterator[None]:
    """The sandbox's entry has another name."""
    text = loader.catalog_files()["sandbox"].read_text(encoding="utf-8")
    aliases = 'aliases = { sandbox-login = "authorization_code", sandbox-key = "api_key" }\n'
    (tmp_path / "sandbox.toml").write_text(aliases + text, encoding="utf-8")
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


@pytest.mark.django_db
def test_an_operator_s_command_takes_an_alias_and_the_style_that_it_stands_for() -> None:
    call_command("provider_apps", "add", "sandbox-key", "--param", "issuer=http://127.0.0.1:9", stdout=io.StringIO())
    app = ProviderApp.objects.get()
    assert (app.provider, app.auth_style) == ("sandbox", "api_key")
    told = io.StringIO()
    call_command("providers", "show", "sandbox-key", "--json", stdout=told)
    assert json.loads(told.getvalue())["aliases"] == {"sandbox-login": "authorization_code", "sandbox-key": "api_key"}
