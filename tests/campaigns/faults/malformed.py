"""Malformed token responses by the thousand: none is unhandled, none damages what is stored.

Real: a provider on a socket that sends any bytes at all (``bodies``), the egress client, ``refresh``, PostgreSQL.
After each answer the connection is judged as after the drills' answers (``connections/drills/oracles``). The drills
know what the sandbox can be told to say; the bytes that no server would send are made here.
"""

import contextlib
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connections.access.secrets import open_credential
from connections.drills.faults import CANARY
from connections.drills.oracles import Broken, expect, expect_kept, expect_replaced
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.reread import discard_unread
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection
from tests.campaigns.faults.bodies import Case, case
from tests.campaigns.faults.figures import Figure
from tests.campaigns.faults.ground import Ground

_CONNECTIONS = 40


@dataclass(slots=True)
class _OddProvider:
    """A provider that answers every token request with the bytes of ``case``."""

    url: str
    case: Case
    answered: int = 0


def malformed(ground: Ground) -> Figure:
    """Count what was let out as an exception, and the states that were damaged."""
    wanted = ground.count(10_000, least=40)  # by then each kind has come
    damaged: list[str] = []
    unhandled: list[str] = []
    kinds: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    with _odd_provider() as provider:
        ids = [member.id for member in ground.make_members(ground.make_app(issuer=provider.url), _CONNECTIONS)]
        for number in range(wanted):
            connection_id = ids[number % len(ids)]
            provider.case = case(number)
            kinds[provider.case.kind] += 1
            before = Connection.objects.get(id=connection_id).current_version_id
            assert before is not None
            # A token that ran out on a slow machine would rightly make the next failure a suspicion.
            ground.rows(
                "UPDATE connections_connection SET access_expires_at = now() + interval '1 hour' WHERE id = %s",
                connection_id,
            )
            try:
                outcome = refresh(connection_id, trigger="campaign", need=Need(instead_of=before, at_once=True)).outcome
            except Exception as error:  # noqa: BLE001 (what is let out is what is measured)
                unhandled.append(f"case {number} ({provider.case.kind}): {type(error).__name__}")
                ground.recover([connection_id])
                continue
            outcomes[f"{provider.case.kind}: {outcome}"] += 1
            discard_unread(connection_id, actor=SYSTEM)  # or it would hold back the next case
            try:
                _judge(connection_id, before, provider.case, outcome)
            except Broken as broken:
                damaged.append(f"case {number} ({provider.case.kind}): {broken}")
        answered = provider.answered
    ((leaked,),) = ground.rows(
        "SELECT count(*) FROM connections_refreshattempt WHERE evidence::text LIKE %s", f"%{CANARY}%"
    )
    if leaked:
        damaged.append(f"{leaked} attempts quote a body in their evidence")
    return Figure(
        row="malformed",
        measure="malformed token responses",
        measured=f"{answered:,} cases, {len(unhandled)} unhandled, {len(damaged)} states damaged",
        target="≥ 10,000 cases, 0 unhandled, 0 state damaged",
        is_kept=not unhandled and not damaged and answered >= wanted,
        facts={
            "cases": dict(kinds),
            "outcomes": dict(outcomes),
            "unhandled": unhandled[:20],
            "damaged": damaged[:20],
        },
    )


def _judge(connection_id: uuid.UUID, before: uuid.UUID, served: Case, outcome: Outcome) -> None:
    """Raise ``Broken`` unless what the drills promise after such an answer holds."""
    if not served.token:
        expect_kept(connection_id, before=before)
        expect(outcome is Outcome.UNAVAILABLE, f"the outcome is {outcome}")
        return
    expect(outcome is Outcome.REFRESHED, f"a usable token was not taken: {outcome}")
    version = expect_replaced(connection_id, before=before)
    token = open_credential(version.connection, version).access_token
    expect(token is not None and token.get_secret_value() == served.token, "another token is current than was sent")


@contextmanager
def _odd_provider() -> Iterator[_OddProvider]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        provider = _OddProvider(f"http://127.0.0.1:{server.getsockname()[1]}", case(0))
        thread = threading.Thread(target=_serve, args=(server, provider), name="odd provider")
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(server: socket.socket, provider: _OddProvider) -> None:
    while True:
        try:
            accepted, _ = server.accept()
        except OSError:
            return  # the block has ended and shut the socket; anything else shows in the count of what was answered
        # The client hangs up on a body over its cap, and at its deadline: a reset or a broken pipe is part of the case.
        with accepted, contextlib.suppress(OSError), accepted.makefile("rb") as stream:
            accepted.settimeout(5)
            path, length = stream.readline().split(b" ")[1], 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
            stream.read(length)
            if path == b"/token":
                provider.answered += 1
                accepted.sendall(provider.case.wire)
            else:
                accepted.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
