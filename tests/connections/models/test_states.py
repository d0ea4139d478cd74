"""The tables of states, and the mutators of a connect session, which take the table's steps and no others."""

import ast
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

import connections
from connections.database.clock import database_now
from connections.models import (
    AWAITING_WORD,
    IN_BROWSER,
    MAY_BECOME,
    REASONS_OF,
    SESSION_ENDED,
    SESSION_MAY_BECOME,
    SESSION_OPEN,
    UNFINISHED,
    ConnectSession,
    Reason,
    SessionState,
    Status,
)
from tests.connections.api.stored import make_connection
from tests.factories import make_caller, make_tenant

PRODUCT = Path(connections.__file__).parent

STEPS: dict[str, tuple[SessionState, Callable[[ConnectSession], None]]] = {
    "bind_browser": (
        SessionState.STARTED,
        lambda session: session.bind_browser(browser_hash=b"h", until=session.expires_at),
    ),
    "send_to_provider": (
        SessionState.AUTHORIZING,
        lambda session: session.send_to_provider(
            session.reconnects.provider_app,
            typed_params={},
            found_params={},
            found_scopes=None,
            registered_client=None,
            state_hash=b"s",
            code_verifier=b"v",
        ),
    ),
    "reopen": (SessionState.STARTED, lambda session: session.reopen("declined")),
    "hold": (
        SessionState.HELD,
        lambda session: session.hold(
            connection=session.reconnects, held=b"held", completion_hash=b"c", until=session.expires_at
        ),
    ),
    "begin_exchange": (
        SessionState.EXCHANGING,
        lambda session: session.begin_exchange(held=None, now=session.expires_at),
    ),
    "keep": (SessionState.EXCHANGING, lambda session: session.keep(b"held", until=session.expires_at)),
    "offer_choice": (SessionState.CHOOSING, lambda session: session.offer_choice(b"held", until=session.expires_at)),
    "put_back": (SessionState.HELD, lambda session: session.put_back(SessionState.HELD, held=b"held")),
    "complete": (SessionState.COMPLETED, lambda session: session.complete(session.reconnects)),
    "fail": (SessionState.FAILED, lambda session: session.fail("expired")),
}


@pytest.fixture(scope="module")
def stored(module_db: None) -> ConnectSession:
    acme = make_tenant("acme")
    return ConnectSession.objects.create(
        tenant=acme,
        api_client=make_caller(acme).client,
        owner_kind="end_user",
        end_user="alice",
        providers=["sandbox"],
        return_url="https://app.example/done",
        token_hash=b"token",
        expires_at=database_now(),
        reconnects=make_connection(acme),
    )


@pytest.fixture
def connect_session(stored: ConnectSession, db: None) -> ConnectSession:
    return deepcopy(stored)


def test_the_state_table_is_complete_and_disconnected_is_final() -> None:
    assert set(REASONS_OF) == set(MAY_BECOME) == set(Status)
    listed = [reason for reasons in REASONS_OF.values() for reason in reasons]
    assert sorted(listed) == sorted(Reason), "each reason belongs to exactly one status"
    assert MAY_BECOME[Status.DISCONNECTED] == ()


def test_the_session_table_is_complete_and_every_step_of_it_can_be_taken() -> None:
    assert set(SESSION_MAY_BECOME) == set(SessionState)
    assert {state for steps in SESSION_MAY_BECOME.values() for state in steps} == set(SessionState) - {
        SessionState.CREATED
    }
    ends = {state for state, steps in SESSION_MAY_BECOME.items() if not steps}
    assert ends == {SessionState.COMPLETED, SessionState.FAILED}
    assert set(UNFINISHED) == set(SessionState) - ends - {SessionState.CREATED}
    assert (set(SESSION_ENDED), set(SESSION_OPEN)) == (ends, set(SessionState) - ends)
    assert {*IN_BROWSER, *AWAITING_WORD, SessionState.EXCHANGING} == set(UNFINISHED)


@pytest.mark.parametrize("before", SessionState)
@pytest.mark.parametrize("step", STEPS)
def test_a_session_takes_the_steps_of_the_table_alone(
    connect_session: ConnectSession, before: SessionState, step: str
) -> None:
    ConnectSession.objects.update(state=before)
    connect_session.refresh_from_db()
    after, take = STEPS[step]
    if after in SESSION_MAY_BECOME[before]:
        take(connect_session)
        assert ConnectSession.objects.get().state == after
    else:
        with pytest.raises(ValueError, match="does not become"):
            take(connect_session)
        assert ConnectSession.objects.get().state == before
        assert connect_session.state == before


def test_nothing_but_a_step_saves_a_session_or_writes_its_state() -> None:
    names = {path: str(path.relative_to(PRODUCT)) for path in sorted(PRODUCT.rglob("*.py"))}
    past = [
        name
        for path, name in names.items()
        if not name.startswith(("migrations/", "models/", "management/showcase/"))  # the last lays out rows as they end
        and any(_goes_past_the_steps(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert past == []


def test_the_search_for_code_past_the_steps_finds_what_it_looks_for() -> None:
    for source in ("session.state = 1", "session.save()", "locked_session.state = 1", "session.held = b''"):
        assert any(_goes_past_the_steps(node) for node in ast.walk(ast.parse(source)))


def _goes_past_the_steps(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name), attr=attr)]) if "session" in name:
            return attr in {"state", "failure", "held", "code_verifier", "kept_until", "connection", "completion_hash"}
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="save")):
            return "session" in name
    return False
