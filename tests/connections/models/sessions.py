"""The constraints on connect sessions and visits: what breaks each, and what comes close."""

from django.utils import timezone

from connections.database.clock import database_now
from connections.models import SessionState
from tests.connections.models.cast import Cast
from tests.connections.models.issuers import Act

SESSIONS: dict[str, tuple[list[Act], list[Act]]] = {
    "connect_session_tries_an_app": (
        [lambda cast: cast.session(tried_by="olga")],
        [lambda cast: cast.session(tried_by="olga", provider_app=cast.connection.provider_app)],
    ),
    "connect_session_names_its_end_user": ([lambda cast: cast.session(end_user="")], [Cast.session]),
    "management_session_names_its_end_user": ([lambda cast: cast.visit(end_user="")], [Cast.visit]),
    "management_session_is_opened_whole": (
        [
            lambda cast: cast.visit(browser_hash=b"cookie"),
            lambda cast: cast.visit(seen_at=timezone.now(), ends_at=timezone.now()),
        ],
        [Cast.visit, lambda cast: cast.visit(browser_hash=b"c", seen_at=timezone.now(), ends_at=timezone.now())],
    ),
    "connect_session_holds_only_while_held": (
        [
            lambda cast, state=state: cast.session(state=state, held=b"held")  # type: ignore[misc]
            for state in SessionState
            if state not in ("held", "exchanging", "choosing")
        ],
        [lambda cast: [cast.session(state=state, held=b"held") for state in ("held", "exchanging", "choosing")]],
    ),
    "connect_session_polls_only_while_authorizing": (
        [
            lambda cast, state=state: cast.session(state=state, poll_at=database_now())  # type: ignore[misc]
            for state in SessionState
            if state != "authorizing"
        ],
        [lambda cast: cast.session(state="authorizing", poll_at=database_now())],
    ),
}
