"""An assertion that we sign (RFC 7523 §2.1) at Authlib's server; django-oauth-toolkit does not offer it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection
from providers.signing.key_set import PublishedKey, key_set
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.connections.lifecycle.clockwork import age
from tests.connections.management.conftest import Run
from tests.flows import SAME_ORIGIN, EndUser, completion_code
from tests.interop.conftest import add_entry
from tests.interop.foreign import ForeignServer
from tests.interop.steps import held, row, tokens_of, use
from tests.interop.summary import Report

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SECTION = """[jwt_bearer]
token_url = "{issuer}/token"
[jwt_bearer.key_file]
values = {{ signer = "/client_id", key_id = "/private_key_id", private_key = "/private_key" }}
[[jwt_bearer.fields]]
name = "subject"
label = "Act for"
secret = false
[jwt_bearer.assertion]
algorithm = "{algorithm}"
kid = "{{key_id}}"
claims = {{ iss = "{{signer}}", sub = "{{subject}}", aud = "{{token_url}}" }}"""

pytestmark = [
    pytest.mark.parametrize("foreign", ["authlib"], indirect=True),
    pytest.mark.parametrize("algorithm", [SigningAlgorithm.ES256, SigningAlgorithm.RS256], ids=str),
]


@pytest.fixture
def connect(
    foreign: ForeignServer, alice: EndUser, run: Run, catalogue: Path, acme: object
) -> Callable[[SigningAlgorithm], Connection]:
    """Return what has alice paste a key file of a machine whose public key the server knows, and confirms."""

    def connected(algorithm: SigningAlgorithm) -> Connection:
        pair = make_key_pair(algorithm)
        section = SECTION.format(issuer=foreign.issuer, algorithm=algorithm.value)
        keys = key_set([PublishedKey("k1", algorithm, pair.public_key)])
        added = add_entry(
            foreign,
            run,
            section=section,
            grant_type=GRANT,
            folder=catalogue,
            discovers=False,
            keys=keys,
        )
        pem = pair.private_key.get_secret_value()
        file = json.dumps({"client_id": added.client_id, "private_key_id": "k1", "private_key": pem})
        invitation = alice.invite(provider=added.app.provider)
        alice.start(invitation)
        method = f"/connect/{invitation.id}/method/{added.app.id}"
        page = alice.browser.post(method, {"key_file": file, "subject": "alice"}, headers=SAME_ORIGIN)
        answer = alice.complete(invitation, completion_code(page))
        assert answer.status_code == 200, answer.content
        return Connection.objects.get(id=answer.json()["connection"]["id"])

    return connected


def test_a_signed_assertion_buys_tokens_that_open_what_is_theirs(
    foreign: ForeignServer,
    connect: Callable[[SigningAlgorithm], Connection],
    algorithm: SigningAlgorithm,
    alice: EndUser,
    report: Report,
) -> None:
    before = foreign.mark()
    key = str(connect(algorithm).id)
    (bought,) = foreign.log("/token", after=before)
    assert (bought.status, bought.grant_type, bought.authentication) == (200, GRANT, "")
    use(foreign, alice, key)
    report.step(f"key file pasted; an assertion by {algorithm.value} bought a token; vended and used")

    old = tokens_of(held(key))
    age(key, seconds=3300)
    assert refresh(row(key).id, trigger="sweep").outcome == "refreshed"
    assert tokens_of(held(key))["access_token"] != old["access_token"]
    first, second = foreign.log("/token", after=before)
    assert first.assertion != second.assertion
    use(foreign, alice, key)
    report.step("refreshed with another assertion")
