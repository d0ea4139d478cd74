"""What confirms a revocation: a token that was alive before it and is dead after it, whatever was answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from pydantic import SecretStr

from connections.access.secrets import current_data_key
from connections.access.targets import access_to
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.versions import row_of, seal_version
from connections.lifecycle.end import revoke as revoke_module
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.models import Connection, CredentialVersion, OutboxEvent, Revocation
from providers.values import Credential, Obtained
from tests.connections.lifecycle.clockwork import age
from tests.field.conftest import stage  # noqa: F401 - a fixture
from tests.field.stage import Stage
from tests.providers.conftest import Received, make_provider  # noqa: F401 - a fixture

REVOKES = 'revocation_url = "<url>/revoke"\n'
INTROSPECTS = REVOKES + 'introspection_url = "<url>/introspect"\n'
BOTH = frozenset({"at-1", "rt-1"})


@dataclass
class Grant:
    """The provider's view: which tokens are alive, which a revocation really ends, and which introspection tells of."""

    alive: set[str]
    ends: frozenset[str] = BOTH
    told: frozenset[str] = BOTH
    is_deaf: bool = False  # introspection fails
    on_revoke: Callable[[], object] = field(default=lambda: None)

    def respond(self, request: Received) -> tuple[int, bytes, dict[str, str]]:
        if request.path == "/revoke":
            self.alive -= self.ends
            self.on_revoke()
            return 200, b"", {}
        if request.path == "/introspect":
            if self.is_deaf:
                return 503, b"", {}
            token = request.form["token"]
            return 200, json.dumps({"active": token in self.alive & self.told}).encode(), {}
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return (200, b'{"id": "u-1"}', {}) if bearer in self.alive else (401, b"", {})


def disconnected(stage: Stage, grant: Grant, *, method: str = INTROSPECTS, hours: float = 0) -> Connection:  # noqa: F811
    """Connect, let ``hours`` pass, and disconnect; from then on the provider answers as ``grant`` is."""
    stage.describe(method=method)
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    connection = stage.connect()
    age(connection.id, hours=hours)
    stage.server.responder = grant.respond
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    return connection


def keeps_secrets(connection: Connection) -> bool:
    return CredentialVersion.objects.filter(connection=connection).exists()


CONFIRMED = {
    "both tokens die": ({"at-1", "rt-1"}, {}, INTROSPECTS, 0),
    "the access token had run out": ({"rt-1"}, {}, INTROSPECTS, 2),
    "the provider tells of access tokens only": ({"at-1", "rt-1"}, {"told": frozenset({"at-1"})}, INTROSPECTS, 0),
    "only a call can be tried": ({"at-1", "rt-1"}, {}, REVOKES, 0),
}
NOT_CONFIRMED = {
    "nothing happens": (set(BOTH), {"ends": frozenset()}, INTROSPECTS, 0),
    "nothing happens, and the access token had run out": ({"rt-1"}, {"ends": frozenset()}, INTROSPECTS, 2),
    "nothing happens, and the access token had run out early": ({"rt-1"}, {"ends": frozenset()}, INTROSPECTS, 0),
    "the refresh token lives on": (set(BOTH), {"ends": frozenset({"at-1"})}, INTROSPECTS, 0),
    "the access token lives on": (set(BOTH), {"ends": frozenset({"rt-1"})}, INTROSPECTS, 0),
    "refresh tokens are not told of, and the other had run out": (
        {"rt-1"},
        {"told": frozenset({"at-1"})},
        INTROSPECTS,
        2,
    ),
    "only a call can be tried, and the access token had run out": ({"rt-1"}, {"ends": frozenset()}, REVOKES, 2),
    "only a call can be tried, and the access token had run out early": ({"rt-1"}, {"ends": frozenset()}, REVOKES, 0),
    "the provider cannot answer": (set(BOTH), {"is_deaf": True}, INTROSPECTS, 0),
    "all was dead before": (set(), {}, INTROSPECTS, 0),
}


@pytest.mark.parametrize(("alive", "habits", "method", "hours"), CONFIRMED.values(), ids=CONFIRMED)
def test_confirms_what_died_by_it(stage: Stage, alive: set[str], habits: dict, method: str, hours: float) -> None:  # type: ignore[type-arg]  # noqa: F811
    connection = disconnected(stage, Grant(set(alive), **habits), method=method, hours=hours)
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert not keeps_secrets(connection)


@pytest.mark.parametrize(("alive", "habits", "method", "hours"), NOT_CONFIRMED.values(), ids=NOT_CONFIRMED)
def test_keeps_the_secrets_and_comes_again_where(
    stage: Stage,  # noqa: F811
    alive: set[str],
    habits: dict,  # type: ignore[type-arg]
    method: str,
    hours: float,
) -> None:
    connection = disconnected(stage, Grant(set(alive), **habits), method=method, hours=hours)
    for _ in range(3):
        assert revoke(connection.id) is Revocation.PENDING
    assert keeps_secrets(connection)
    assert len(stage.requests("/revoke")) == 6, "both tokens, each time"
    assert not OutboxEvent.objects.filter(type="connection.revocation_confirmed").exists()


def test_what_it_saw_alive_serves_the_next_run_where_the_provider_could_not_answer(stage: Stage) -> None:  # noqa: F811
    grant = Grant({"rt-1"})
    grant.on_revoke = lambda: setattr(grant, "is_deaf", True)
    connection = disconnected(stage, grant, hours=2)
    assert revoke(connection.id) is Revocation.PENDING
    grant.is_deaf, grant.on_revoke = False, lambda: None
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert Connection.objects.get(id=connection.id).evidence == {}


def test_what_it_saw_alive_serves_the_next_run_where_the_process_was_killed(
    stage: Stage,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = disconnected(stage, Grant({"rt-1"}), hours=2)

    def die(*_: object, **__: object) -> Revocation:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(revoke_module, "_record_outcome", die)
        with pytest.raises(KeyboardInterrupt):
            revoke(connection.id)
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_what_was_alive_long_ago_may_have_died_of_something_else(stage: Stage) -> None:  # noqa: F811
    grant = Grant({"rt-1"}, ends=frozenset())
    connection = disconnected(stage, grant, hours=2)
    assert revoke(connection.id) is Revocation.PENDING
    row = Connection.objects.get(id=connection.id)
    (seen,) = row.evidence["revocation"].values()
    seen["active"]["refresh_token"] = (database_now() - timedelta(minutes=4)).isoformat()
    row.save(update_fields=["evidence"])
    grant.alive.clear()
    assert revoke(connection.id) is Revocation.PENDING
    assert keeps_secrets(connection)


def test_a_dead_refresh_token_stays_proof_until_the_access_token_has_run_out(stage: Stage) -> None:  # noqa: F811
    grant = Grant(set(BOTH), ends=frozenset({"rt-1"}))
    connection = disconnected(stage, grant)
    assert revoke(connection.id) is Revocation.PENDING
    age(connection.id, hours=2)
    assert revoke(connection.id) is Revocation.CONFIRMED


def _second(connection: Connection, *, is_stale: bool = False) -> None:
    """Store one more credential of the same grant, at-2 and rt-2."""
    row = Connection.objects.get(id=connection.id)
    assert row.grant_id is not None
    tokens = Credential(access_token=SecretStr("at-2"), refresh_token=SecretStr("rt-2"))
    version = row_of(
        seal_version(
            Obtained(tokens, 3600),
            tenant_id=row.tenant_id,
            connection_id=row.id,
            grant_id=row.grant_id,
            key=current_data_key(row.tenant_id),
            scopes=(),
            is_refreshable=True,
            received_at=database_now() - timedelta(hours=2 if is_stale else 0),
            grantor=access_to(row.provider_app, row.params).target.grantor,
        )
    )
    version.save(force_insert=True)


ALL = BOTH | {"at-2", "rt-2"}


def test_one_credential_of_the_grant_that_lives_on_forbids_it(stage: Stage) -> None:  # noqa: F811
    grant = Grant(set(ALL), ends=BOTH, told=ALL)
    connection = disconnected(stage, grant)
    _second(connection)
    assert revoke(connection.id) is Revocation.PENDING
    grant.ends = ALL
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_a_credential_that_was_replaced_before_does_not_stand_in_its_way(stage: Stage) -> None:  # noqa: F811
    connection = disconnected(stage, Grant({"rt-2"}, ends=ALL, told=ALL), hours=2)
    _second(connection, is_stale=True)
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_a_credential_that_nobody_can_be_asked_about_stands_in_its_way(stage: Stage) -> None:  # noqa: F811
    grant = Grant(set(ALL), ends=ALL)
    connection = disconnected(stage, grant, method=REVOKES)
    _second(connection, is_stale=True)
    assert revoke(connection.id) is Revocation.PENDING


def test_what_arrives_meanwhile_is_revoked_too_before_anything_goes(stage: Stage) -> None:  # noqa: F811
    grant = Grant(set(ALL), ends=BOTH, told=ALL)
    connection = disconnected(stage, grant)
    grant.on_revoke = lambda: _second(connection)
    assert revoke(connection.id) is Revocation.PENDING
    assert keeps_secrets(connection)
    grant.ends, grant.on_revoke = ALL, lambda: None
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert not grant.alive


def test_nothing_is_revoked_where_the_end_user_connected_anew_meanwhile(stage: Stage) -> None:  # noqa: F811
    grant = Grant(set(BOTH))
    connection = disconnected(stage, grant)
    respond = grant.respond

    def reconnected(request: Received) -> tuple[int, bytes, dict[str, str]]:
        Connection.objects.filter(id=connection.id).update(revocation="", revocation_due_at=None)
        return respond(request)

    stage.server.responder = reconnected
    assert revoke(connection.id) is Revocation.NOT_ASKED
    assert not stage.requests("/revoke")


def test_what_cannot_be_revoked_is_destroyed_at_once_and_never_called_confirmed(stage: Stage) -> None:  # noqa: F811
    connection = disconnected(stage, Grant(set(BOTH)), method="")
    row = Connection.objects.get(id=connection.id)
    assert (row.revocation, row.revocation_due_at) == ("unsupported", None)
    assert not keeps_secrets(connection)
    assert revoke(connection.id) is Revocation.UNSUPPORTED
