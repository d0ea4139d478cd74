"""Hosts that end users type: they get no shared client secret, and what they refuse is no incident of the app's."""

import pytest

from connections.models import Connection, Incident
from providers.catalog.loader import CatalogError
from tests.field.stage import Stage

TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600}
TYPED = """
name = "Field"
base_url = "https://{host}/api"
[[params]]
name = "host"
label = "Host"
<pattern>
[authorization_code]
authorization_url = "https://{host}/authorize"
token_url = "<token>"
<method>
"""


@pytest.mark.parametrize(
    ("token", "pattern", "method", "is_refused"),
    [
        ("https://{host}:9555/token", "", "", True),
        ("https://{host}/token", "pattern = '^[a-z.]+$'", "", True),
        ("https://login.{host}/token", "", "", True),
        ("https://{host}.com/token", "pattern = '^[a-z]+$'", "", True),
        ("https://{host}/token", "pattern = '^[0-9.]+$'", "", True),
        ("https://{host}/token", r"pattern = '^[a-z]+\.field\.example$'", "", False),
        ("https://{host}.field.example/token", "pattern = '^[a-z]+$'", "", False),
        ("https://login.field.example/{host}/token", "", "", False),
        ("https://{host}/token", "scope = 'app'", "", False),
        ("https://{host}/token", "", 'client_authentication = "none"', False),
    ],
)
def test_a_shared_secret_never_goes_to_a_host_that_an_end_user_types(
    token: str, pattern: str, method: str, is_refused: bool, stage: Stage
) -> None:
    text = TYPED.replace("<token>", token).replace("<pattern>", pattern)
    if not is_refused:
        stage.write(text, method=method)
        return
    with pytest.raises(CatalogError, match=r"authorization_code\.token_url: the end user types \{host\}"):
        stage.write(text, method=method)


TENANTED = """
name = "Field"
base_url = "<url>/api"
[[params]]
name = "host"
label = "Host"
pattern = '^(127\\.0\\.0\\.1|localhost)$'
default = "<default>"
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "http://{host}:<port>/token"
"""


@pytest.mark.parametrize(("default", "is_ours"), [("localhost", False), ("127.0.0.1", True)])
@pytest.mark.parametrize("refused_at", ["exchange", "refresh"])
def test_a_host_that_an_end_user_typed_opens_no_incident_for_others(
    refused_at: str, default: str, is_ours: bool, stage: Stage
) -> None:
    port = stage.server.url.rpartition(":")[2]
    stage.write(TENANTED.replace("<default>", default).replace("<port>", port))
    stage.register(name="typed")
    if refused_at == "refresh":
        stage.tokens(TOKENS)
    stage.tokens({"error": "invalid_client"}, status=401)
    answer = stage.confirm(params={"host": "127.0.0.1"})
    if refused_at == "refresh":
        connection = Connection.objects.get()
        stage.refresh(connection)
        assert connection.status != "needs_reauth"
    else:
        assert answer.status_code >= 400
    assert Incident.objects.exists() is is_ours
