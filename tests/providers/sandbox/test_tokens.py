"""Refresh with rotation, reuse detection and grace; client credentials; revocation; introspection."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from tests.person import Person
from tests.providers.sandbox.conftest import App


def test_refresh_rotates_the_refresh_token(app: App, alice: Person) -> None:
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()
    third = app.refresh(second["refresh_token"]).json()

    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert third["scope"] == first["scope"]
    assert app.me(third["access_token"]).status_code == 200
    assert app.outcomes() == ["issued", "rotated", "rotated"]


def test_reuse_of_a_rotated_refresh_token_revokes_the_grant(app: App, alice: Person) -> None:
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()

    reused = app.refresh(first["refresh_token"])

    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert app.me(second["access_token"]).status_code == 401
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.outcomes()[-2:] == ["refresh_reused", "grant_revoked"]
    [grant] = app.server.control.grants(client_id=app.client_id)
    assert grant["revoked_by"] == "refresh token reuse"


def test_reuse_spares_the_persons_other_grants(app: App, alice: Person) -> None:
    lost, kept = app.connect(alice), app.connect(alice)
    app.refresh(lost["refresh_token"])
    app.refresh(lost["refresh_token"])

    assert app.refresh(kept["refresh_token"]).status_code == 200


def test_predecessor_works_within_the_grace_and_gets_a_new_pair(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(grace_seconds=30)
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()

    retried = app.refresh(first["refresh_token"]).json()

    assert retried["refresh_token"] not in (first["refresh_token"], second["refresh_token"])
    assert app.refresh(retried["refresh_token"]).status_code == 200
    assert app.outcomes() == ["issued", "rotated", "refreshed_in_grace", "rotated"]
    assert len({entry.grant_id for entry in app.entries()}) == 1


def test_grace_ends_counted_from_the_first_rotation(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(grace_seconds=600)
    first = app.connect(alice)
    app.refresh(first["refresh_token"])
    rotated_at = time.monotonic()
    time.sleep(0.1)
    app.refresh(first["refresh_token"])
    since_first = time.monotonic() - rotated_at
    app.server.control.register_client(app.client_id, **{**app.document, "grace_seconds": since_first})

    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.outcomes()[-1] == "refresh_reused"


def test_inside_a_grace_on_demand_each_late_retry_gets_a_pair_and_past_it_the_family_ends(
    app: App, alice: Person
) -> None:
    first = app.connect(alice)
    app.arm("late_retry", endpoint="token", seconds=30, times=4)
    pairs = [app.refresh(first["refresh_token"]).json() for _ in range(3)]
    assert len({pair["refresh_token"] for pair in pairs}) == 3
    assert app.outcomes()[1:] == ["rotated", "refreshed_in_grace", "refreshed_in_grace"]
    assert app.refresh(pairs[0]["refresh_token"]).status_code == 200  # each pair lives on by itself

    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.outcomes()[-1] == "refresh_reused"
    assert app.refresh(pairs[2]["refresh_token"]).json()["error"] == "invalid_grant"


def test_without_rotation_the_refresh_token_stays(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(rotate=False)
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()

    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert app.refresh(first["refresh_token"]).status_code == 200
    assert app.outcomes() == ["issued", "refreshed", "refreshed"]


def test_of_simultaneous_refreshes_exactly_one_succeeds(app: App, alice: Person) -> None:
    token = app.connect(alice)["refresh_token"]

    with ThreadPoolExecutor(8) as pool:
        statuses = [answer.status_code for answer in pool.map(app.refresh, [token] * 8)]

    assert sorted(statuses) == [200] + [400] * 7
    assert app.outcomes().count("refresh_reused") == 1


def test_refresh_may_narrow_but_never_widen_the_scope(app: App, alice: Person) -> None:
    tokens = app.connect(alice, scope="profile files.read")

    narrowed = app.refresh(tokens["refresh_token"], scope="profile").json()
    widened = app.refresh(narrowed["refresh_token"], scope="profile files.write")
    unchanged = app.refresh(narrowed["refresh_token"]).json()

    assert narrowed["scope"] == "profile"
    assert widened.json()["error"] == "invalid_scope"
    assert unchanged["scope"] == "profile files.read"


def test_refresh_token_of_another_client_is_refused_and_stays_good(make_app: Callable[..., App], alice: Person) -> None:
    ours, theirs = make_app(), make_app()
    token = ours.connect(alice)["refresh_token"]

    assert theirs.refresh(token).json()["error"] == "invalid_grant"
    assert ours.refresh(token).status_code == 200


def test_unknown_refresh_token_is_an_invalid_grant(app: App) -> None:
    assert app.refresh("made-up").json()["error"] == "invalid_grant"
    assert app.outcomes() == ["refresh_unknown"]


def test_client_without_the_refresh_grant_gets_no_refresh_token(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(grant_types=["authorization_code"])

    assert "refresh_token" not in app.connect(alice)
    assert app.refresh("any").json()["error"] == "unauthorized_client"


def test_access_token_lives_as_long_as_the_client_says(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(access_lifetime=1)
    tokens = app.connect(alice)
    assert tokens["expires_in"] == 1
    time.sleep(1.05)

    dead = app.me(tokens["access_token"])

    assert dead.status_code == 401
    assert 'error="invalid_token"' in dead.headers["WWW-Authenticate"]
    assert app.outcomes("me") == ["token_expired"]


def test_client_credentials_give_an_access_token_alone(app: App) -> None:
    answer = app.token(grant_type="client_credentials", scope="files.read").json()

    assert "refresh_token" not in answer
    assert answer["scope"] == "files.read"
    assert app.me(answer["access_token"]).json()["sub"] == app.client_id


def test_public_client_has_no_client_credentials(make_app: Callable[..., App]) -> None:
    assert make_app(public=True).token(grant_type="client_credentials").json()["error"] == "invalid_client"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revoking_either_token_kills_the_grant(app: App, alice: Person, kind: str) -> None:
    tokens = app.connect(alice)

    answer = app.post("/revoke", token=tokens[kind])

    assert (answer.status_code, answer.text) == (200, "")
    assert app.me(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.outcomes("revoke") == ["revoked"]


def test_revoking_an_unknown_token_is_a_200(app: App) -> None:
    assert app.post("/revoke", token="made-up").status_code == 200
    assert app.outcomes("revoke") == ["token_unknown"]


def test_revoking_needs_the_client_that_owns_the_token(make_app: Callable[..., App], alice: Person) -> None:
    ours, theirs = make_app(), make_app()
    tokens = ours.connect(alice)

    assert theirs.post("/revoke", token=tokens["refresh_token"]).status_code == 200
    assert ours.post("/revoke", token=tokens["refresh_token"], secret="wrong").status_code == 401
    assert ours.me(tokens["access_token"]).status_code == 200


def test_public_client_revokes_without_a_secret(make_app: Callable[..., App], alice: Person) -> None:
    app = make_app(public=True)
    tokens = app.connect(alice)

    app.post("/revoke", token=tokens["refresh_token"])

    assert app.me(tokens["access_token"]).status_code == 401


def test_introspection_describes_a_live_access_token(app: App, alice: Person) -> None:
    tokens = app.connect(alice, scope="profile")

    claims = app.post("/introspect", token=tokens["access_token"]).json()

    assert claims["active"] is True
    assert (claims["client_id"], claims["username"], claims["sub"]) == (app.client_id, "alice", "person-1001")
    assert (claims["scope"], claims["iss"], claims["token_type"]) == ("profile", app.server.url, "Bearer")
    assert claims["exp"] - claims["iat"] == tokens["expires_in"]


def test_introspection_follows_rotation_and_revocation(app: App, alice: Person) -> None:
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()

    def is_active(token: str) -> bool:
        return bool(app.post("/introspect", token=token).json()["active"])

    assert [is_active(first["refresh_token"]), is_active(second["refresh_token"])] == [False, True]
    app.post("/revoke", token=second["access_token"])
    assert [is_active(second["refresh_token"]), is_active(second["access_token"]), is_active("x")] == [False] * 3


def test_introspection_needs_client_authentication(make_app: Callable[..., App], alice: Person) -> None:
    app, public = make_app(), make_app(public=True)
    token = app.connect(alice)["access_token"]

    assert app.post("/introspect", token=token, secret="wrong").status_code == 401
    assert requests.post(f"{app.server.url}/introspect", data={"token": token}, timeout=20).status_code == 401
    assert public.post("/introspect", token=token).json() == {"active": False}


def test_grants_show_which_refresh_token_is_the_live_one(app: App, alice: Person) -> None:
    first = app.connect(alice)
    second = app.refresh(first["refresh_token"]).json()

    [grant] = app.server.control.grants(client_id=app.client_id, username="alice")

    assert grant["refresh_tokens"] == [fingerprint(second["refresh_token"])]
    assert grant["revoked_at"] is None


def test_a_password_brings_the_tokens_of_its_person(sandbox: SandboxProcess, make_app: Callable[..., App]) -> None:
    app = make_app()
    good = app.token(grant_type="password", username="bob", password="bob", scope="profile").json()
    assert app.me(good["access_token"]).json()["sub"] == "person-1002"
    assert app.token(grant_type="refresh_token", refresh_token=good["refresh_token"]).status_code == 200
    wrong = app.token(grant_type="password", username="bob", password="wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert sandbox.control.log(endpoint="token")[-1].outcome == "wrong_password"


def test_a_client_without_the_password_grant_gets_nothing_for_one(make_app: Callable[..., App]) -> None:
    app = make_app(grant_types=["authorization_code"])
    answer = app.token(grant_type="password", username="bob", password="bob")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
