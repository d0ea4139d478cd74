"""Token and authorization requests of providers that have names and addresses of their own."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from providers.catalog.checks import problems_of
from providers.catalog.schema import CatalogEntry
from providers.oauth import token_endpoint
from providers.strategies.authorization_code import AuthorizationCode
from providers.values import AuthorizationRequest, CodeGrant, Credential

GRANT = CodeGrant(code=SecretStr("the-code"), kept=SecretStr("v" * 43), scopes=())
HELD = Credential(access_token=SecretStr("old-at"), refresh_token=SecretStr("old-rt"))
SUCCESS = {"access_token": "new-at", "refresh_token": "new-rt", "expires_in": 3600}


def test_refreshes_go_to_an_address_of_their_own_and_codes_do_not(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(refresh_url=f"{provider.url}/refresh")
    token_endpoint.refresh(target=target, credential=HELD)
    assert provider.last.target == "/refresh"
    token_endpoint.exchange_code(target=target, grant=GRANT)
    assert provider.last.target == "/token"


def test_a_refresh_may_carry_other_parameters_than_a_code(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(token_params={"type": "web_server", "app": "{region}"}, refresh_params={"type": "refresh"})
    token_endpoint.exchange_code(target=target, grant=GRANT)
    assert (provider.last.form["type"], provider.last.form["app"]) == ("web_server", "eu")
    token_endpoint.refresh(target=target, credential=HELD)
    assert (provider.last.form["type"], provider.last.form["app"]) == ("refresh", "eu")


def test_a_refresh_names_the_redirect_uri_again_where_the_entry_says_so(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    token_endpoint.refresh(target=make_target(), credential=HELD)
    assert "redirect_uri" not in provider.last.form
    token_endpoint.refresh(target=make_target(refresh_repeats_redirect_uri=True), credential=HELD)
    assert provider.last.form["redirect_uri"] == "https://latchkey.example/connect/callback/1"


def test_parameters_go_by_the_provider_s_names_and_those_without_one_stay_away(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(
        client_authentication="client_secret_post",
        token_request_format="json",
        token_parameter_names={"client_id": "app_id", "client_secret": "secret", "code": "auth_code", "grant_type": ""},
    )
    token_endpoint.exchange_code(target=target, grant=GRANT)
    assert provider.last.json == {
        "app_id": "client:1",
        "secret": "s e/c+ret",
        "auth_code": "the-code",
        "code_verifier": "v" * 43,
        "redirect_uri": "https://latchkey.example/connect/callback/1",
    }


def asked(target: Any) -> dict[str, str]:
    request = AuthorizationRequest(state="s" * 43, scopes=("read",), code_verifier="v" * 43)
    query = parse_qs(urlsplit(AuthorizationCode().depart(target, request).url).query)
    return {name: values[0] for name, values in query.items()}


def test_the_authorization_request_has_names_of_its_own(make_target: Any) -> None:
    names = {"client_id": "client_key", "scope": "", "code_challenge_method": "method"}
    found = asked(make_target(authorization_parameter_names=names))
    assert found["client_key"] == "client:1"
    assert found["method"] == "S256"
    assert not {"client_id", "scope", "code_challenge_method"} & found.keys()
    assert asked(make_target())["client_id"] == "client:1"


def test_the_response_type_is_the_entry_s_if_it_names_one(make_target: Any) -> None:
    assert asked(make_target(authorization_params={"response_type": "auth_code"}))["response_type"] == "auth_code"
    assert asked(make_target(authorization_params={"client_id": "other", "state": "x"}))["client_id"] == "client:1"


def test_no_end_user_decides_where_refreshes_go() -> None:
    entry = CatalogEntry.model_validate(
        {
            "slug": "acme",
            "name": "Acme",
            "params": [{"name": "host", "label": "Host", "example": "acme.example"}],
            "authorization_code": {
                "authorization_url": "https://acme.example/a",
                "token_url": "https://acme.example/t",
                "refresh_url": "https://{host}/r",
            },
        }
    )
    assert [problem for problem in problems_of(entry, "acme") if problem.startswith("authorization_code.refresh_url:")]
