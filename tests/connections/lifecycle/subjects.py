"""Subjects who are signed in at a product, and a connection that acts for them. Import the fixtures."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from connections.models import Connection, OwnerKind, ProviderApp, Tenant
from providers.catalog.exchange_method import TokenExchangeMethod
from providers.sandbox.client import SandboxProcess
from providers.sandbox.log import Entry
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_sandbox_app
from tests.flows import call

EXCHANGE = TokenExchangeMethod.style


@pytest.fixture
def acting_app(sandbox: SandboxProcess, acme: Tenant) -> ProviderApp:
    """acme's app that exchanges tokens."""
    return make_sandbox_app(sandbox, tenant=acme, style=EXCHANGE)


@pytest.fixture
def acting(acme: Tenant, acting_app: ProviderApp) -> Connection:
    """acme's permission to act for whoever is signed in."""
    return make_connection(acme, owner=OwnerKind.TENANT, app=acting_app, scopes=(), requested=())


@pytest.fixture
def sign_in(sandbox: SandboxProcess) -> Callable[..., str]:
    """Return what gives a token of somebody who is signed in at acme's product."""
    sandbox.control.register_client("product", client_secret="secret-of-the-product", scopes=["profile.read"])

    def signed_in(username: str = "alice") -> str:
        (issued,) = sandbox.control.mint("product", username=username, scope="profile.read")
        token: str = issued["access_token"]
        return token

    return signed_in


def vend(
    backend: Caller, connection: Connection, subject_token: str | None, *, end_user: str = "alice", **body: Any
) -> HttpResponse:
    asked = {"end_user": end_user, **({} if subject_token is None else {"subject_token": subject_token}), **body}
    return call(backend, "POST", f"/connections/{connection.id}/credential", asked)


def value(answer: HttpResponse) -> str:
    assert answer.status_code == 200, answer.content
    found: str = answer.json()["credential"]["value"]
    return found


def exchanges(sandbox: SandboxProcess, **wanted: Any) -> list[Entry]:
    """Return the exchanges in the provider's own log."""
    return sandbox.control.log(endpoint="token", **wanted)
