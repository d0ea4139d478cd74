"""Rotating a client secret is no outage: the next one is tried, and only where nothing can be lost by it."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from providers import send_window
from providers.catalog.calls import ErrorRule
from providers.catalog.loader import entry
from providers.catalog.methods import AuthorizationCodeMethod, ClientCredentialsMethod
from providers.catalog.resolve import Target, resolve
from providers.errors import ClientRejected, GrantRejected, MalformedResponse, NotSentInTime, ProviderUnavailable
from providers.oauth import client_authentication, introspection, pkce, revocation, token_endpoint
from providers.sandbox.client import SandboxProcess
from providers.sandbox.log import Entry
from providers.strategies import strategy_for
from providers.values import AuthorizationRequest, ClientRegistration, CodeGrant, Credential
from providers.vocabulary import Meaning, ProbeVerdict
from tests.person import Person

REDIRECT_URI = "http://127.0.0.1:1/callback"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_authentication, "_taken", {})


class App:
    """A client at the sandbox that takes some secrets, and our registration that holds some, in order."""

    def __init__(self, sandbox: SandboxProcess, *, held: tuple[str, ...], takes: list[str]) -> None:
        self.control = sandbox.control
        self.client_id = f"client-{uuid.uuid4().hex[:12]}"
        self.takes(takes)
        self.target = self.target_for(held, issuer=sandbox.url)
        minted = sandbox.control.mint(self.client_id)[0]
        self.credential = Credential(
            access_token=SecretStr(minted["access_token"]), refresh_token=SecretStr(minted["refresh_token"])
        )
        sandbox.control.clear_log()

    def takes(self, secrets: list[str]) -> None:
        self.control.register_client(
            self.client_id,
            client_secrets=secrets,
            redirect_uris=[REDIRECT_URI],
            scopes=["profile.read", "files.read"],
            rotate=True,
            grace_seconds=0,
        )

    def target_for(self, secrets: tuple[str, ...], *, issuer: str, style: str | None = None) -> Target:
        return resolve(
            entry=entry("sandbox"),
            style=style or AuthorizationCodeMethod.style,
            registration=ClientRegistration(
                client_id=self.client_id,
                client_secrets=tuple(map(SecretStr, secrets)),
                redirect_uri=REDIRECT_URI,
                params={"issuer": issuer},
            ),
            discovered={},
            params={},
        )

    def refresh(self) -> None:
        self.credential = token_endpoint.refresh(target=self.target, credential=self.credential).credential

    def seen(self, endpoint: str = "token") -> list[tuple[int | None, str]]:
        """What the provider answered since the last look."""
        entries: list[Entry] = self.control.log(endpoint=endpoint)
        self.control.clear_log()
        return [(item.status, item.error) for item in entries]


@pytest.fixture
def make_app(sandbox: SandboxProcess, egress_policy: Any) -> Callable[..., App]:
    return lambda **options: App(sandbox, **options)


REFUSED, TAKEN = (401, "invalid_client"), (200, "")


def test_rotation_of_the_secret_is_no_outage(make_app: Callable[..., App]) -> None:
    app = make_app(held=("new", "old"), takes=["old"])
    app.refresh()
    assert app.seen() == [REFUSED, TAKEN]
    app.refresh()
    assert app.seen() == [TAKEN], "the one that was taken is remembered"
    app.takes(["old", "new"])
    app.refresh()
    assert app.seen() == [TAKEN]
    app.takes(["new"])
    app.refresh()
    assert app.seen() == [REFUSED, TAKEN]
    app.refresh()
    assert app.seen() == [TAKEN]


def test_preferred_secret_goes_first_and_alone_where_it_is_taken(make_app: Callable[..., App]) -> None:
    app = make_app(held=("new", "old"), takes=["old", "new"])
    app.refresh()
    app.takes(["new"])
    app.refresh()
    assert app.seen() == [TAKEN, TAKEN]


def test_client_is_rejected_when_every_secret_is(make_app: Callable[..., App]) -> None:
    app = make_app(held=("a", "b", "c"), takes=["d"])
    with pytest.raises(ClientRejected) as caught:
        app.refresh()
    assert (caught.value.evidence.status, caught.value.evidence.error) == REFUSED
    assert app.seen() == [REFUSED] * 3
    app.takes(["c"])
    app.refresh()
    assert app.seen() == [REFUSED, REFUSED, TAKEN]


def test_a_second_secret_that_comes_too_late_leaves_the_first_ones_refusal(make_app: Callable[..., App]) -> None:
    app = make_app(held=("new", "old"), takes=["old"])
    now = time.monotonic()
    with send_window.open_until(now + 60, others_by=now), pytest.raises(ClientRejected) as caught:
        app.refresh()
    assert caught.value.sent, "the first request left"
    assert app.seen() == [REFUSED]
    with send_window.open_until(now, others_by=now), pytest.raises(NotSentInTime):
        app.refresh()
    assert app.seen() == []


@pytest.mark.parametrize(
    ("fault", "options", "expected"),
    [
        ("status", {"status": 503}, ProviderUnavailable),
        ("error", {"error": "invalid_client", "status": 500}, ProviderUnavailable),
        ("lost_response", {}, ProviderUnavailable),
        ("reset_before", {}, ProviderUnavailable),
        ("html", {}, MalformedResponse),
        ("truncated_json", {}, MalformedResponse),
    ],
)
def test_no_other_secret_is_tried_once_the_token_may_be_used_up(
    make_app: Callable[..., App], fault: str, options: dict[str, Any], expected: type[Exception]
) -> None:
    app = make_app(held=("one", "two"), takes=["one", "two"])
    app.control.fault(fault, client_id=app.client_id, times=0, **options)
    with pytest.raises(expected):
        app.refresh()
    assert len(app.seen()) == 1


def test_no_other_secret_is_tried_after_a_refusal_by_a_server_that_fails(make_app: Callable[..., App]) -> None:
    """The entry says what the code means; a status of 500 says that half of the work may be done."""
    app = make_app(held=("one", "two"), takes=["one", "two"])
    rule = ErrorRule(value="app_disabled", means=Meaning.CLIENT_REJECTED)
    described = app.target.entry.authorization_code
    assert described is not None
    method = described.model_copy(update={"errors": (rule,)})
    app.target = replace(app.target, entry=app.target.entry.model_copy(update={"authorization_code": method}))
    for status, requests in ((400, 2), (500, 1)):
        app.control.fault("error", client_id=app.client_id, times=0, error="app_disabled", status=status)
        with pytest.raises(ClientRejected):
            app.refresh()
        assert len(app.seen()) == requests
        app.control.clear_faults()


def test_doubt_after_a_refused_secret_ends_the_search(make_app: Callable[..., App]) -> None:
    app = make_app(held=("wrong", "right", "right"), takes=["right"])
    app.control.fault("no_access_token", client_id=app.client_id, times=2)  # a refusal passes it unchanged
    with pytest.raises(MalformedResponse):
        app.refresh()
    assert app.seen() == [REFUSED, TAKEN]


def test_refused_grant_is_not_asked_about_again(make_app: Callable[..., App]) -> None:
    app = make_app(held=("wrong", "right"), takes=["right"])
    app.control.revoke(client_id=app.client_id)
    with pytest.raises(GrantRejected):
        app.refresh()
    assert app.seen() == [REFUSED, (400, "invalid_grant")]
    with pytest.raises(GrantRejected):
        app.refresh()
    assert app.seen() == [(400, "invalid_grant")], "it was the grant that was refused: the secret is known"


def test_slow_refusal_leaves_no_time_for_another(make_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_authentication, "_TRY_OTHERS_WITHIN_SECONDS", -1.0)
    app = make_app(held=("wrong", "right"), takes=["right"])
    with pytest.raises(ClientRejected):
        app.refresh()
    assert app.seen() == [REFUSED]


def test_code_is_exchanged_by_the_secret_that_is_taken(make_app: Callable[..., App]) -> None:
    app = make_app(held=("new", "old"), takes=["old"])
    verifier = pkce.new_verifier()
    url = (
        strategy_for(AuthorizationCodeMethod.style)
        .depart(app.target, AuthorizationRequest(state="s", scopes=("profile.read",), code_verifier=verifier))
        .url
    )
    callback = Person("alice").authorize(url)
    code = callback.partition("code=")[2].partition("&")[0]
    app.seen()
    found = token_endpoint.exchange_code(target=app.target, grant=CodeGrant(SecretStr(code), SecretStr(verifier)))
    assert found.credential.refresh_token is not None
    assert app.seen() == [REFUSED, TAKEN]


def test_machine_token_is_fetched_by_the_secret_that_is_taken(
    make_app: Callable[..., App], sandbox: SandboxProcess
) -> None:
    app = make_app(held=("new", "old"), takes=["old"])
    target = app.target_for(("new", "old"), issuer=sandbox.url, style=ClientCredentialsMethod.style)
    assert strategy_for(ClientCredentialsMethod.style).accept(target, {}).credential.access_token is not None
    assert app.seen() == [REFUSED, TAKEN]


def test_introspection_and_revocation_go_by_what_was_learnt(make_app: Callable[..., App]) -> None:
    app = make_app(held=("new", "old"), takes=["old"])
    registration = app.target.registration
    asked = introspection.introspect(target=app.target, registration=registration, credential=app.credential)
    assert asked.verdict is ProbeVerdict.ALIVE
    assert [status for status, _ in app.seen("introspect")] == [401, 200]
    revocation.revoke(target=app.target, registration=registration, credential=app.credential)
    assert [status for status, _ in app.seen("revoke")] == [200, 200], "one for each token"
    app.takes(["new"])
    revocation.revoke(target=app.target, registration=registration, credential=app.credential)
    assert [status for status, _ in app.seen("revoke")] == [401, 200, 200]


def test_introspection_with_no_secret_that_is_taken_concludes_nothing(make_app: Callable[..., App]) -> None:
    app = make_app(held=("a", "b"), takes=["c"])
    asked = introspection.introspect(target=app.target, registration=app.target.registration, credential=app.credential)
    assert (asked.verdict, asked.status) == (ProbeVerdict.UNAVAILABLE, 401)
    assert len(app.seen("introspect")) == 2


def test_revocation_that_carries_no_secret_is_tried_once(make_target: Any, provider: Any) -> None:
    target = make_target(revocation={"authentication": "token_bearer"})
    provider.answers_with(401, b"")
    with pytest.raises(ClientRejected):
        revocation.revoke(
            target=target,
            registration=target.registration,
            credential=Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt")),
        )
    assert len(provider.requests) == 1


def test_what_is_remembered_is_bounded_and_no_secret(
    make_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_authentication, "_MOST_REMEMBERED", 2)
    for number in range(4):
        make_app(held=(f"new-{number}", "an old one"), takes=["an old one"]).refresh()
    remembered = client_authentication._taken
    assert 1 <= len(remembered) <= 2
    assert b"an old one" not in b"".join(remembered)
