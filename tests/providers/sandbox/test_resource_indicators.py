"""Resource indicators (RFC 8707): a client that has to name an API names its own, in every request."""

from collections.abc import Callable

from tests.person import Person, parameters_of
from tests.providers.sandbox.conftest import App

ONE, OTHER = "https://api.example/one", "https://api.example/other"


def test_each_request_names_it(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(resources=[ONE])
    refused = parameters_of(alice.authorize(app.authorization_url()))
    assert refused["error"] == "invalid_target"
    code = app.code(alice, resource=ONE)
    assert app.exchange(code, resource=OTHER).json()["error"] == "invalid_target"
    issued = app.exchange(code, resource=ONE)
    assert issued.status_code == 200
    refresh_token = issued.json()["refresh_token"]
    assert app.refresh(refresh_token).json()["error"] == "invalid_target"
    assert app.refresh(refresh_token, resource=ONE).status_code == 200
    assert app.token(grant_type="client_credentials", resource=OTHER).json()["error"] == "invalid_target"


def test_the_log_shows_what_was_named(app: App, alice: Person) -> None:
    app.exchange(app.code(alice, resource=ONE), resource=OTHER)
    [entry] = app.server.control.log(client_id=app.client_id, endpoint="token")
    assert (entry.resource, entry.outcome) == (OTHER, "issued")
