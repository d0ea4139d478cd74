"""Token exchange (RFC 8693) at a server that nobody here wrote: neither Authlib nor the toolkit offers it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connections.models import AuditEvent, Connection
from tests.connections.management.conftest import Run
from tests.flows import SAME_ORIGIN, EndUser, completion_code
from tests.interop.conftest import Added, add_entry
from tests.interop.foreign import ForeignServer, run_foreign
from tests.interop.summary import Report


@pytest.fixture(scope="module")
def idpy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignServer]:
    """IdentityPython's server."""
    folder = str(tmp_path_factory.mktemp("idpy"))
    with run_foreign(
        "tests.interop.idpy_server", folder, kind="RFC 8693", scopes=("files",), probed_by="exchange"
    ) as server:
        yield server


@pytest.fixture
def foreign(idpy: ForeignServer) -> ForeignServer:
    return idpy


@pytest.fixture
def exchanging(foreign: ForeignServer, run: Run, catalogue: Path, acme: object) -> Added:
    """The server, by an entry of two lines."""
    return add_entry(
        foreign,
        run,
        section=f'[token_exchange]\ntoken_url = "{foreign.issuer}/token"',
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        folder=catalogue,
        discovers=False,
    )


@pytest.fixture
def connection(alice: EndUser, exchanging: Added) -> Connection:
    invitation = alice.invite(provider=exchanging.app.provider, owner="tenant")
    alice.start(invitation)
    method = f"/connect/{invitation.id}/method/{exchanging.app.id}"
    code = completion_code(alice.browser.post(method, {}, headers=SAME_ORIGIN))
    answer = alice.complete(invitation, code)
    assert answer.status_code == 200, answer.content
    return Connection.objects.get(id=answer.json()["connection"]["id"])


def test_each_subject_s_token_is_exchanged_once_and_opens_what_is_theirs(
    foreign: ForeignServer, connection: Connection, alice: EndUser, bob: EndUser, report: Report
) -> None:
    report.step("connected once, for the whole tenant; the server was not asked")
    before = foreign.mark()
    tokens = {user.name: foreign.oracle("sign_in", user=user.name) for user in (alice, bob)}
    values = set()
    for user in (alice, bob):
        for _ in range(2):
            vended = user.vend(str(connection.id), subject_token=tokens[user.name])
            assert vended.status_code == 200, vended.content
            credential = vended.json()["credential"]
            files = foreign.files(credential["headers"])
            assert (files.status_code, files.json()["owner"]) == (200, user.name)
            values.add(credential["value"])
    asked = foreign.log("/token", after=before)
    assert [(entry.status, entry.authentication) for entry in asked] == [(200, "basic"), (200, "basic")]
    assert {"subject_token", "subject_token_type", "scope"} <= {*asked[0].parameters}
    assert len(values) == 2
    report.step("two people signed in elsewhere vended twice each: one exchange for each, client_secret_basic")
    report.step("what came of it opens the protected resource as each of them")


def test_a_token_that_has_ended_is_refused_in_words_that_help(
    foreign: ForeignServer, connection: Connection, alice: EndUser, report: Report
) -> None:
    token = foreign.oracle("sign_in", user="alice")
    foreign.oracle("sign_out", token=token)
    refused = alice.vend(str(connection.id), subject_token=token)
    assert (refused.status_code, refused.json()["code"]) == (409, "subject_token_refused")
    assert foreign.log("/token")[-1].error == "invalid_request"  # RFC 8693 §2.2.2
    assert token not in refused.content.decode() + repr([*AuditEvent.objects.values_list()])
    assert Connection.objects.get(id=connection.id).status == "active"
    report.step("a token that was revoked meanwhile: subject_token_refused, and the connection stays")
