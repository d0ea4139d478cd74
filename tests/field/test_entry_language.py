"""What entries have to be able to say: raw Basic, keys as Basic, GraphQL, and values found after consent."""

import base64
from typing import Any
from urllib.parse import quote_plus

import pytest

from connections.models import Connection
from providers.catalog.loader import CatalogError
from providers.catalog.methods import ApiKeyMethod
from tests.field.stage import CLIENT_ID, CLIENT_SECRET, Stage
from tests.flows import SAME_ORIGIN, call, completion_code

TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}
CODE = """
name = "Field"
base_url = "<base>"
<rest>
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
<method>
"""


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


# --- Client authentication --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("secret", [CLIENT_SECRET, "a b:c%20", "plain", "ü+/=&"])
@pytest.mark.parametrize("is_raw", [True, False])
def test_basic_goes_encoded_or_as_it_is_as_the_entry_says(secret: str, is_raw: bool, stage: Stage) -> None:
    stage.describe(method=f'client_authentication = "client_secret_basic{"_raw" if is_raw else ""}"')
    stage.register(name="own", client_secrets=[secret])
    stage.tokens(TOKENS)
    connection = stage.connect()
    stage.refresh(connection)
    sent = f"{CLIENT_ID}:{secret}" if is_raw else f"{CLIENT_ID}:{quote_plus(secret)}"
    assert [request.headers["Authorization"] for request in stage.requests()] == [basic(sent)] * 2
    assert all("client_secret" not in request.form for request in stage.requests())


# --- Keys as Basic ----------------------------------------------------------------------------------------------------
KEY = """
name = "Field"
base_url = "<url>/api"
[[api_key.fields]]
name = "email"
label = "E-mail"
secret = false
[[api_key.fields]]
name = "token"
label = "Token"
[presentation.api_key.headers]
Authorization = '<header>'
[probe]
url = "<url>/me"
account_id = "/id"
"""


def paste(stage: Stage, header: str, **typed: str) -> Connection:
    stage.write(KEY.replace("<header>", header))
    app = stage.register(name="keys", auth_style=ApiKeyMethod.style, client_id="", client_secrets=[])
    invitation = stage.invite()
    stage.alice.start(invitation)
    held = stage.alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", typed, headers=SAME_ORIGIN)
    answer = stage.alice.complete(invitation, completion_code(held))
    assert answer.status_code == 200, answer.content
    return Connection.objects.get(id=answer.json()["connection"]["id"])


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("Basic {base64:{email}/token:{token}}", basic("ann@x.example/token:k:1")),
        ("Basic {base64:{token}:}", basic("k:1:")),
        ("Basic {base64:{email}:{token}}", basic("ann@x.example:k:1")),
        ("Key {{{token}}}", "Key {k:1}"),
    ],
)
def test_a_key_travels_as_basic_made_of_its_fields(header: str, sent: str, stage: Stage) -> None:
    connection = paste(stage, header, email="ann@x.example", token="k:1")
    assert stage.requests("/me")[0].headers["Authorization"] == sent
    vended = stage.vend(connection).json()["credential"]
    assert vended["headers"] == {"Authorization": sent}
    assert connection.provider_account_id == "u-1"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Basic {email}/token:{token}", "write Basic {base64:{email}:{token}}"),
        ("basic {token}:x", "write Basic {base64:{email}:{token}}"),
        ("Basic {base64:{email}:{tokn}}", "uses {tokn}"),
        ("Basic {base64:{email}", "every other brace double"),
        ("Key {token}\\n", "every other brace|visible ASCII"),
        ("Kéy {token}", "visible ASCII"),
        ("Key { token }", "every other brace double"),
    ],
)
def test_a_template_that_can_never_work_is_refused(header: str, told: str, stage: Stage) -> None:
    with pytest.raises(CatalogError, match=told.replace("{", r"\{").replace("}", r"\}")):
        stage.write(KEY.replace("'<header>'", f'"{header}"'))


# --- Probes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{ query = "query { viewer { id name } }" }', {"query": "query { viewer { id name } }"}),
        ('{ query = "{me{{id}}}" }', None),
        ('{ query = "query{{viewer{{id}}}}" }', {"query": "query{viewer{id}}"}),
        (
            '{ variables = { t = "{access_token}", n = 5, b = true, l = ["x", 1.5] }, query = "q { id }}" }',
            {
                "query": "q { id }}",
                "variables": {"t": "at-1", "n": 5, "b": True, "l": ["x", 1.5]},
            },
        ),
    ],
)
def test_a_probe_posts_json_with_braces_and_nesting(body: str, sent: Any, stage: Stage) -> None:
    stage.forget_answers("/me")
    stage.me({"data": {"viewer": {"id": "v-7", "name": "Ann"}}})
    parts = {"probe": f'method = "POST"\nbody = {body}'}
    if sent is None:
        with pytest.raises(CatalogError, match="every other brace double"):
            stage.describe(**parts)
        return
    stage.write(POSTED, **parts)
    stage.tokens(TOKENS)
    connection = stage.connect()
    assert (connection.provider_account_id, connection.provider_account_name) == ("v-7", "Ann")
    request = stage.requests("/me")[0]
    assert (request.method, request.json) == ("POST", sent)
    assert request.headers["Content-Type"] == "application/json"


POSTED = """
name = "Field"
base_url = "<url>/api"
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
[probe]
url = "<url>/me"
account_id = "/data/viewer/id"
account_name = "/data/viewer/name"
<probe>
"""


def test_a_probe_posts_a_form_and_headers_of_its_own(stage: Stage) -> None:
    probe = 'method = "POST"\nformat = "form"\nbody = { token = "{access_token}", fields = "a b" }\n'
    stage.describe(probe=probe + 'headers = { X-Version = "2", Accept = "application/vnd.api+json" }')
    stage.tokens(TOKENS)
    assert stage.connect().provider_account_id == "u-1"
    request = stage.requests("/me")[0]
    assert request.form == {"token": "at-1", "fields": "a b"}
    assert (request.headers["X-Version"], request.headers["Accept"]) == ("2", "application/vnd.api+json")


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ('body = { a = "b" }', "probe.body: a GET carries none"),
        ('method = "POST"\nformat = "form"\nbody = { a = 1 }', "probe.body.a: a form holds texts alone"),
        ('method = "POST"\nbody = { a = [{ b = "{nobody}" }] }', "probe.body.a.0.b: uses"),
        ('headers = { "X Y" = "1" }', "is no name of a header"),
        ('headers = { X-Y = "Basic {access_token}:x" }', "Basic wants the Base64"),
    ],
)
def test_a_probe_that_can_never_work_is_refused(probe: str, told: str, stage: Stage) -> None:
    with pytest.raises(CatalogError, match=told):
        stage.describe(probe=probe)


# --- Values of the token response -------------------------------------------------------------------------------------
@pytest.mark.parametrize("lacks", ["headers", "query"])
def test_an_entry_that_begins_to_need_what_was_never_kept_is_told_and_ends_nothing(lacks: str, stage: Stage) -> None:
    stage.describe()
    stage.register()
    stage.tokens(TOKENS)
    stage.me({"id": "u-1"})
    connection = stage.connect()
    stage.describe(
        method='extra_response_fields = ["org"]',
        rest=f'[presentation.oauth2_authorization_code.{lacks}]\nX-Org = "{{org}}"\nAuthorization = "{{access_token}}"',
    )
    tried = call(stage.alice.backend, "POST", f"/connections/{connection.id}/probe")
    assert (tried.status_code, tried.json()["outcome"]) == (200, "unavailable"), tried.content
    refused = stage.vend(connection)
    assert (refused.status_code, refused.json()["code"]) == (502, "app_misconfigured")
    assert "org" in refused.json()["detail"]
    assert len(stage.requests("/me")) == 1, "nothing is sent that lacks a part"


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ('{ instance = "/context/instance/url" }', {"context": {"instance": {"url": "https://eu.field.example"}}}),
        ('{ instance = "/hosts/0" }', {"hosts": ["https://eu.field.example"]}),
        ('{ instance = "/a~1b~0c" }', {"a/b~c": "https://eu.field.example"}),
        ('["instance"]', {"instance": "https://eu.field.example"}),
    ],
)
def test_a_nested_value_of_the_token_response_is_kept(fields: str, answer: Any, stage: Stage) -> None:
    stage.write(CODE.replace("<base>", "{instance}/v1"), method=f"extra_response_fields = {fields}")
    stage.tokens(TOKENS | answer)
    stage.tokens(TOKENS | {"access_token": "at-2"})
    connection = stage.connect()
    assert stage.vend(connection).json()["credential"]["base_url"] == "https://eu.field.example/v1"
    stage.refresh(connection)
    assert stage.vend(connection).json()["credential"]["base_url"] == "https://eu.field.example/v1"


# --- Values found after consent ---------------------------------------------------------------------------------------
METADATA = """
[[params]]
name = "dc"
label = "Data centre"
scope = "workspace"
pattern = '^[a-z]{2}[0-9]{1,3}$'
[workspaces]
url = "<url>/metadata"
headers = { Authorization = "OAuth {access_token}" }
id = "/dc"
name = "/accountname"
param = "dc"
"""


@pytest.mark.parametrize("dc", ["us2", "eu10"])
def test_a_call_after_consent_names_the_host(dc: str, stage: Stage) -> None:
    stage.write(
        CODE.replace("<base>", "https://{dc}.api.field.example"), rest=METADATA.replace("<url>", stage.server.url)
    )
    stage.tokens(TOKENS)
    stage.answers("/metadata", {"dc": dc, "accountname": "Acme", "user_id": 123})
    connection = stage.connect()
    assert stage.requests("/metadata")[0].headers["Authorization"] == "OAuth at-1"
    vended = stage.vend(connection).json()["credential"]
    assert (vended["base_url"], vended["params"]) == (f"https://{dc}.api.field.example", {"dc": dc})
    stage.refresh(connection)
    assert stage.vend(connection).json()["credential"]["base_url"] == f"https://{dc}.api.field.example"


@pytest.mark.parametrize("dc", ["evil.example/", "us2.evil.example#", "", None, {"a": 1}, "us2 x", "US2"])
def test_a_host_that_the_entry_does_not_allow_is_never_taken(dc: Any, stage: Stage) -> None:
    stage.write(
        CODE.replace("<base>", "https://{dc}.api.field.example"), rest=METADATA.replace("<url>", stage.server.url)
    )
    stage.tokens(TOKENS)
    stage.answers("/metadata", {"dc": dc, "accountname": "Acme"})
    assert stage.confirm().status_code >= 400
    assert not Connection.objects.filter(status="active").exists()


@pytest.mark.parametrize("body", [{"accountname": "Acme"}, [{"accountname": "Acme"}], {"dc": "US 2"}])
def test_what_the_entry_looks_for_in_vain_is_told_as_the_entry_s_fault(body: Any, stage: Stage) -> None:
    stage.write(
        CODE.replace("<base>", "https://{dc}.api.field.example"), rest=METADATA.replace("<url>", stage.server.url)
    )
    stage.tokens(TOKENS)
    stage.answers("/metadata", body)
    answer = stage.confirm()
    assert (answer.status_code, answer.json()["code"]) == (502, "app_misconfigured")
    assert "[workspaces]" in answer.json()["detail"]


ACCOUNTS = r"""
[[params]]
name = "account_id"
label = "Account"
scope = "workspace"
[[params]]
name = "base_uri"
label = "Server"
scope = "workspace"
pattern = '^https://[a-z0-9-]{1,20}\.field\.example$'
[workspaces]
label = "Account"
url = "<url>/userinfo"
items = "/accounts"
id = "/account_id"
name = "/account_name"
"""
BOTH = [
    'param = "account_id"\nparams = { base_uri = "/base_uri" }',
    'params = { account_id = "/account_id", base_uri = "/base_uri" }',
]


def describe_accounts(stage: Stage, how: str) -> None:
    rest = ACCOUNTS.replace("<url>", stage.server.url) + how
    stage.write(CODE.replace("<base>", "{base_uri}/restapi/v2.1/accounts/{account_id}"), rest=rest)
    stage.tokens(TOKENS)


def account(number: int, uri: str = "https://eu.field.example") -> dict[str, str]:
    return {"account_id": f"a{number}", "account_name": f"Acme {number}", "base_uri": uri}


@pytest.mark.parametrize("how", BOTH)
def test_several_values_of_the_only_workspace_are_taken(how: str, stage: Stage) -> None:
    describe_accounts(stage, how)
    stage.answers("/userinfo", {"accounts": [account(1)]})
    vended = stage.vend(stage.connect()).json()["credential"]
    assert vended["base_url"] == "https://eu.field.example/restapi/v2.1/accounts/a1"
    assert vended["params"] == {"account_id": "a1", "base_uri": "https://eu.field.example"}


@pytest.mark.parametrize("how", BOTH)
def test_several_values_of_the_chosen_workspace_are_taken(how: str, stage: Stage) -> None:
    describe_accounts(stage, how)
    stage.answers(
        "/userinfo",
        {"accounts": [account(1), account(2, "https://na.field.example"), account(3, "https://evil.example")]},
    )
    invitation = stage.invite()
    due = stage.alice.complete(invitation, completion_code(stage.come_back(invitation)))
    page = stage.alice.visit(due.json()["next"]).content.decode()
    assert ("Acme 1" in page, "Acme 2" in page, "Acme 3" in page) == (True, True, False)
    token = due.json()["next"].partition("token=")[2]
    path = f"/connect/{invitation.id}/workspace"
    chosen = stage.alice.browser.post(path, {"token": token, "workspace": "a2"}, headers=SAME_ORIGIN)
    assert chosen.status_code < 400, chosen.content
    vended = stage.vend(Connection.objects.get()).json()["credential"]
    assert vended["base_url"] == "https://na.field.example/restapi/v2.1/accounts/a2"


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example",
        "http://eu.field.example",
        "https://eu.field.example.evil.example",
        "https://eu.field.example@evil.example",
        "https://eu.field.example/../x",
        "",
        None,
    ],
)
def test_a_workspace_at_a_foreign_host_is_never_taken(uri: Any, stage: Stage) -> None:
    describe_accounts(stage, BOTH[0])
    stage.answers("/userinfo", {"accounts": [{**account(1), "base_uri": uri}]})
    assert stage.confirm().status_code >= 400
    assert not Connection.objects.filter(status="active").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((r"'^https://[a-z0-9-]{1,20}\.field\.example$'", "'^https://.*$'"), "base_url: lets an answer"),
        (('params = { base_uri = "/base_uri" }', 'params = { base_uri = "base_uri" }'), "is no JSON Pointer"),
        (('param = "account_id"\n', ""), "no parameter is filled with the id"),
        (('params = { base_uri = "/base_uri" }', ""), "params.base_uri: nothing fills it"),
        (('params = { base_uri = "/base_uri" }', 'params = { other = "/x" }'), "'other' is not declared"),
    ],
)
def test_values_of_a_workspace_are_checked(change: tuple[str, str], told: str, stage: Stage) -> None:
    rest = (ACCOUNTS.replace("<url>", stage.server.url) + BOTH[0]).replace(*change)
    with pytest.raises(CatalogError, match=told):
        stage.write(CODE.replace("<base>", "{base_uri}/v1"), rest=rest)
