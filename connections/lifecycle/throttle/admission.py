"""Throttle: may a party be asked now? What one connection learns counts for all that lead to the same party.

A party is known by the id of its provider app, or by its own (``access.parties``).

There are three restraints, kept in Redis for all processes:

- ``Retry-After``, obeyed for all requests to the party
- a circuit breaker for each of its servers: it opens when several distinct connections in a row get no
  answer, lets one trial through when its time is up, and closes at the first answer
- a budget of requests, which a request for a waiting caller may overdraw

Work that is held back stays due, and the sweeps leave it out meanwhile.

Safety does not depend on any of this. If Redis is away or emptied, every request is admitted, and only each
connection's own backoff in the database remains. No function here raises (``shared``). The Lua is in ``scripts``.
"""

import random
import uuid
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import structlog

from connections.access.targets import entry_named
from connections.lifecycle.throttle import scripts
from connections.lifecycle.throttle.shared import run_script
from connections.refusals import AppMisconfigured
from providers.errors import (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
)
from providers.values import ProbeResult
from providers.vocabulary import ProbeVerdict

logger = structlog.get_logger(__name__)

_ANSWERS = (GrantRejected, ClientRejected, RequestRejected, AddressRefused)

DISTINCT_FAILURES = 5
OPEN_BASE_SECONDS = 10.0
OPEN_CAP_SECONDS = 300.0
LONGEST_HOLD_SECONDS = 900.0

# How much of a minute's budget may go at once; and the share of that which probes leave to refreshes.
BURST = 1 / 6
LEFT_TO_REFRESHES = 0.25


class Server(StrEnum):
    """Which server of a provider is asked: one may be down while the other answers."""

    AUTHORIZATION = "authorization"  # refreshes
    RESOURCE = "resource"  # probes

    @property
    def other(self) -> "Server":
        """The other one."""
        return Server.RESOURCE if self is Server.AUTHORIZATION else Server.AUTHORIZATION


@dataclass(frozen=True, slots=True)
class Restraints:
    """The parties to which less may be sent than is due: nothing (``held``), or one trial at a time (``on_trial``)."""

    held: frozenset[uuid.UUID] = frozenset()
    on_trial: frozenset[uuid.UUID] = frozenset()

    def most_at_once(self, party_id: uuid.UUID, *, budget: int) -> int:
        """Return how many requests to one party may begin now; ``budget`` is in requests a minute. No I/O."""
        if party_id in self.held:
            return 0
        return 1 if party_id in self.on_trial else burst(budget)


def burst(budget: int) -> int:
    """Return how many requests may go at once; ``budget`` is in requests a minute. No I/O."""
    return max(1, int(budget * BURST))


def budget_of(provider: str) -> int:
    """Return how many requests a minute one app of this provider may make in the background, by the catalogue."""
    try:
        return entry_named(provider).requests_per_minute
    except AppMisconfigured:  # nothing is sent to a provider that is not described
        return 1


def admit(
    party_id: uuid.UUID, *, budget: int, is_urgent: bool = False, server: Server = Server.AUTHORIZATION
) -> float | None:
    """Return None if one request to a party may be sent now, else the seconds to wait.

    ``budget`` is the catalogue's number of requests a minute; an admission takes one of them. ``is_urgent``: a caller
    waits for the request, so it may overdraw the budget. After an admission, report the outcome with ``note``, or that
    nothing was sent with ``give_back``. One round trip to Redis; call it outside of transactions.
    """
    found = _ask(party_id, server, budget=budget, is_urgent=is_urgent, count=1)
    return found if isinstance(found, float) else None


def admit_many(party_id: uuid.UUID, *, count: int, budget: int) -> int:
    """Return how many of ``count`` refreshes at a party a sweep may send now, as ``admit`` does for one."""
    found = _ask(party_id, Server.AUTHORIZATION, budget=budget, is_urgent=False, count=count)
    return found if isinstance(found, int) else 0


def _ask(party_id: uuid.UUID, server: Server, *, budget: int, is_urgent: bool, count: int) -> int | float:
    """Return how many of ``count`` requests may be sent now, as an int; or the seconds to wait, as a float."""
    room = burst(budget)
    left = room * LEFT_TO_REFRESHES if server is Server.RESOURCE and room > 1 else 0
    found = _run(scripts.ADMIT, party_id, server, budget, room, left, int(is_urgent), count)
    if isinstance(found, bytes):
        return max(0.05, float(found))
    granted, knows_failures = (count, 0) if found is None else found
    _calm[party_id, server] = not knows_failures
    return int(granted)


def give_back(party_id: uuid.UUID, *, server: Server = Server.AUTHORIZATION, count: int = 1) -> None:
    """Take back unused admissions: nothing was due, or another process is at it. One round trip to Redis."""
    _run(scripts.GIVE_BACK, party_id, server, count)


def note(
    party_id: uuid.UUID,
    *,
    connection_id: uuid.UUID,
    failure: ProviderError | None,
    server: Server = Server.AUTHORIZATION,
    grace_seconds: int = 0,
    is_accounts_own: bool = False,
) -> None:
    """Learn from the outcome of a request; ``failure`` is None where it succeeded. At most two round trips to Redis.

    A success takes none where the admission has said that there is nothing to clear.
    A refusal counts as an answer. A request that we could not send, for reasons of ours, teaches nothing.
    ``grace_seconds`` is how long the provider still accepts a refresh token that an unanswered request may have used
    up. A wait that we impose ourselves never lasts longer than that (0: no limit). ``is_accounts_own``: a host that
    bears the account's name was asked. A wait that it asks for is the connection's own, and holds nobody else back.
    """
    if isinstance(failure, ProviderUnavailable):
        wait = None if is_accounts_own else failure.retry_after_seconds
        _note_silence(party_id, server, connection_id, wait, grace_seconds=grace_seconds)
    elif failure is None or (isinstance(failure, _ANSWERS) and failure.sent):
        _note_answer(party_id, server)
    elif not isinstance(failure, MalformedResponse):  # after a malformed answer the trial is still under way
        give_back(party_id, server=server)


def note_probe(
    party_id: uuid.UUID, *, connection_id: uuid.UUID, found: ProbeResult, server: Server, is_accounts_own: bool = False
) -> None:
    """Learn from the result of a probe or an introspection, as ``note`` does."""
    status = found.status
    is_down = found.unanswered or (status is not None and (status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS))
    if found.verdict not in (ProbeVerdict.ALIVE, ProbeVerdict.DEAD) and (is_down or found.retry_after_seconds):
        _note_silence(party_id, server, connection_id, None if is_accounts_own else found.retry_after_seconds)
    elif status is None:
        give_back(party_id, server=server)
    else:
        _note_answer(party_id, server)


def restraints(server: Server) -> Restraints:
    """Return the parties that the sweeps leave out, and those that they try once. One round trip to Redis."""
    found = _run(scripts.RESTRAINED, None, server)
    if found is None:
        return Restraints()
    held, on_trial = (frozenset(uuid.UUID(item.decode()) for item in group) for group in found)
    return Restraints(held, on_trial)


def _note_answer(party_id: uuid.UUID, server: Server) -> None:
    """Report an answer. If nothing was to be cleared at the last admission, remember it until a failure comes."""
    if _calm.get((party_id, server)):
        _unreported.add((party_id, server))
    else:
        _run(scripts.ANSWERED, party_id, server)


def _note_silence(
    party_id: uuid.UUID,
    server: Server,
    connection_id: uuid.UUID,
    retry_after_seconds: float | None,
    *,
    grace_seconds: int = 0,
) -> None:
    """Hold the party back for as long as it asks. Where it names no time, count the failure for the breaker."""
    if retry_after_seconds:
        wait = min(retry_after_seconds, LONGEST_HOLD_SECONDS)
        _run(scripts.HOLD, party_id, server, wait)
        logger.warning("party_held", party=str(party_id), server=server.value, seconds=wait)
        return
    _calm[party_id, server] = False
    if (party_id, server) in _unreported:
        _unreported.discard((party_id, server))
        _run(scripts.ANSWERED, party_id, server)
    opened = _run(
        scripts.FAILED,
        party_id,
        server,
        connection_id,
        DISTINCT_FAILURES,
        OPEN_BASE_SECONDS,
        min(OPEN_CAP_SECONDS, grace_seconds / 3) if grace_seconds else OPEN_CAP_SECONDS,
        random.random(),
    )
    if opened is not None:
        wait = round(float(opened), 1)
        logger.warning("circuit_opened", party=str(party_id), server=server.value, seconds=wait)


# Of each party and server: whether Redis knew of no failure at the last admission; and whether an answer has come since
# that Redis was not told of. The next failure tells it first, so that failures still count in a row.
_calm: dict[tuple[uuid.UUID, Server], bool] = {}
_unreported: set[tuple[uuid.UUID, Server]] = set()


def _run(script: str, party_id: uuid.UUID | None, server: Server, *arguments: object) -> Any:
    return run_script(script, str(party_id or ""), server.value, *arguments, server.other.value)
