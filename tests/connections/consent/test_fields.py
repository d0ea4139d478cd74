"""Fields before OAuth: what the end user has to say of their account, and what the operator has said already."""

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.lifecycle.connect.params import params_of
from connections.models import Connection, ProviderApp, Tenant
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from tests.connections.consent.observed import session_of
from tests.connections.consent.steps import leave_again, submit
from tests.factories import Caller, make_sandbox_app
from tests.flows import RETURN_URL, EndUser, call, completion_code, failure_of
from tests.person import parameters_of

ENTRY = """
name = "Shop"
base_url = "{issuer}"

[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = '^http://[0-9.:]+$'

[[params]]
name = "shop"
label = "Shop"
help = "The part before the first dot."
example = "acme"
pattern = '^[a-z]{1,20}$'

[authorization_code]
issuer = "{issuer}"
authorization_url = "{issuer}/authorize"
token_url = "{issuer}/token"
iss_parameter = "required"
authorization_params = { login_hint = "{shop}" }
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[None]:
    """A catalogue with one more entry, which asks for a shop."""
    (tmp_path / "shop.toml").write_text(ENTRY, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    yield
    loader.configure_catalog(None)


@pytest.fixture
def shop(catalogue: None, acme: Tenant, sandbox: SandboxProcess) -> ProviderApp:
    return make_sandbox_app(sandbox, tenant=acme, provider="shop", scopes=["profile.read"])


@pytest.fixture
def owner(backend: Caller, shop: ProviderApp) -> EndUser:
    """alice, who has a shop."""
    return EndUser("alice", backend)


def test_what_is_typed_goes_into_the_authorization_request_and_the_connection(
    owner: EndUser, shop: ProviderApp
) -> None:
    invitation = owner.invite(provider="shop")
    form = owner.visit(owner.start(invitation)["Location"]).content.decode()
    assert 'name="shop"' in form
    assert 'aria-describedby="help-shop"' in form

    url = leave_again(owner, f"/connect/{invitation.id}/method/{shop.id}", shop=" flowers ")

    assert parameters_of(url)["login_hint"] == "flowers"
    code = completion_code(owner.visit(owner.person.authorize(url)))
    assert owner.complete(invitation, code).json()["connection"]["params"] == {"shop": "flowers"}


def test_what_was_typed_wrongly_is_corrected_on_a_second_try(owner: EndUser, shop: ProviderApp) -> None:
    """As with a subdomain that exists and is not theirs: only the provider's page shows it."""
    invitation = owner.invite(provider="shop")
    owner.start(invitation)
    path = f"/connect/{invitation.id}/method/{shop.id}"
    first = leave_again(owner, path, shop="flwers")
    assert parameters_of(first)["login_hint"] == "flwers"

    back = owner.visit(path).content.decode()
    assert 'name="shop"' in back
    assert 'value="flwers"' in back
    again = leave_again(owner, path, shop="flowers")

    assert parameters_of(again)["login_hint"] == "flowers"
    assert failure_of(owner.visit(owner.person.authorize(first))) == "state"
    code = completion_code(owner.visit(owner.person.authorize(again)))
    assert owner.complete(invitation, code).json()["connection"]["params"] == {"shop": "flowers"}


def test_what_is_typed_for_one_choice_is_not_taken_for_another(
    owner: EndUser, shop: ProviderApp, app: ProviderApp
) -> None:
    invitation = owner.invite(provider=["shop", "sandbox"])
    owner.start(invitation)
    leave_again(owner, f"/connect/{invitation.id}/method/{shop.id}", shop="flowers")
    url = leave_again(owner, f"/connect/{invitation.id}/method/{app.id}")
    assert session_of(invitation).typed_params == {}
    code = completion_code(owner.visit(owner.person.authorize(url)))
    assert owner.complete(invitation, code).json()["connection"]["params"] == {}


@pytest.mark.parametrize("typed", ["", "Flowers!", "a" * 21, "a\x00b", "a.evil.example/", '"><script>'])
def test_a_wrong_value_is_told_beside_its_field(typed: str, owner: EndUser, shop: ProviderApp) -> None:
    invitation = owner.invite(provider="shop")
    owner.start(invitation)
    page = submit(owner, f"/connect/{invitation.id}/method/{shop.id}", shop=typed)
    text = page.content.decode()
    assert page.status_code == 422
    (field,) = re.findall(r'<input id="field-shop"[^>]*>', text)
    assert 'aria-invalid="true"' in field
    assert 'aria-describedby="error' in field
    assert "It looks like acme." in text
    assert "<script>" not in text


def test_what_the_operator_says_is_not_asked_and_cannot_be_changed(owner: EndUser, shop: ProviderApp) -> None:
    invitation = owner.invite(provider="shop", params={"shop": "flowers"})
    assert parameters_of(owner.leave(invitation))["login_hint"] == "flowers"
    again = leave_again(owner, f"/connect/{invitation.id}/method/{shop.id}", shop="weapons")
    assert parameters_of(again)["login_hint"] == "flowers"


def test_a_renewed_connection_keeps_its_parameters_and_asks_for_none(owner: EndUser, shop: ProviderApp) -> None:
    before = owner.connect(provider="shop", params={"shop": "flowers"})
    invitation = owner.invite(provider="shop", connection=before["id"], params={"shop": "weapons"})
    link = re.search(r'id="leave" href="([^"]+)"', owner.start(invitation).content.decode())
    assert link is not None
    assert parameters_of(link[1].replace("&amp;", "&"))["login_hint"] == "flowers"
    assert params_of(session_of(invitation), shop) == {"shop": "flowers"}
    assert Connection.objects.get().params == {"shop": "flowers"}


@pytest.mark.parametrize("params", [{"shop": "Flowers!"}, {"unknown": "x"}, {"issuer": "http://evil.example"}])
def test_the_operators_parameters_are_checked_as_well(params: dict[str, str], owner: EndUser) -> None:
    body = {"end_user": "alice", "provider": "shop", "return_url": "https://app.acme.example/connected"}
    answer = call(owner.backend, "POST", "/connect-sessions", body | {"params": params})
    assert (answer.status_code, answer.json()["field"]) == (422, f"params.{next(iter(params))}")


def test_each_choice_asks_for_the_scopes_of_its_own_provider_app(
    owner: EndUser, shop: ProviderApp, app: ProviderApp
) -> None:
    ProviderApp.objects.filter(id=app.id).update(scopes=["files.read"])
    invitation = owner.invite(provider=["sandbox", "shop"], params={"shop": "flowers"})
    owner.start(invitation)
    paths = [f"/connect/{invitation.id}/method/{choice.id}" for choice in (app, shop)]
    assert [parameters_of(leave_again(owner, path))["scope"] for path in paths] == ["files.read", "profile.read"]


BOTH_WAYS = (
    ENTRY.replace(
        'label = "Shop"',
        'label = "Shop"\nscope = "invitation"\ntyped_by = ["authorization_code"]',
    )
    + """
[client_credentials]
token_url = "{issuer}/{shop}/token"
"""
)


def test_a_parameter_is_typed_where_the_end_user_consents_and_nowhere_else(
    tmp_path: Path, owner: EndUser, shop: ProviderApp
) -> None:
    """Our secret alone opens whichever shop is named: only the operator's backend may name it for that way."""
    (tmp_path / "shop.toml").write_text(BOTH_WAYS, encoding="utf-8")
    loader.configure_catalog(tmp_path)
    invitation = owner.invite(provider="shop")
    owner.start(invitation)
    url = leave_again(owner, f"/connect/{invitation.id}/method/{shop.id}", shop="flowers")
    assert parameters_of(url)["login_hint"] == "flowers"
    code = completion_code(owner.visit(owner.person.authorize(url)))
    assert owner.complete(invitation, code).json()["connection"]["params"] == {"shop": "flowers"}

    machine = ProviderApp.objects.get(id=shop.id)
    machine.pk, machine.auth_style, machine._state.adding = uuid.uuid4(), "oauth2_client_credentials", True
    machine.save()
    refused = call(
        owner.backend,
        "POST",
        "/connect-sessions",
        {"end_user": "alice", "provider": "shop", "return_url": RETURN_URL.format(slug="acme")},
    )
    assert refused.status_code == 422
    assert refused.json()["field"] == "params.shop"
    invited = owner.invite(provider="shop", params={"shop": "flowers"})
    owner.start(invited)
    assert 'name="shop"' not in owner.open(f"/connect/{invited.id}/method/{machine.id}").content.decode()
    session = session_of(invited)
    session.params, session.typed_params = {}, {"shop": "weapons"}
    assert params_of(session, machine) == {}
