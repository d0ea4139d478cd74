"""Scenarios: what the provider may answer to a refresh, and how it may fail to be reached."""

import datetime as dt
import json
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connections.drills.grants import move_app
from connections.drills.ground import Ground, Subject, expect
from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.outcomes import InsufficientScope
from connections.models import AttemptState, CredentialVersion, Incident, ProviderApp, Reason, Status
from providers import egress
from providers.sandbox.tokens import ACCESS_PREFIX

_SIZE = 64 * 1024 * 1024
_LEAST_CAP_SECONDS, _MOST_CAP_SECONDS = 600, 3700  # where an absurdly long wait may be cut
_MALFORMED = ("html", "truncated_json", "json_list", "json_null", "empty_body", "no_access_token", "null_access_token")
_LIFETIMES: tuple[dict[str, Any], ...] = ({"value": 0}, {"value": -1}, {"raw": "NaN"}, {"value": "soon"}, {})


def _unanswered(ground: Ground, subject: Subject, *, seconds: float) -> None:
    """Refresh once, and expect that the attempt is in doubt and all else as before."""
    before = ground.state(subject).current_version_id
    began = time.monotonic()
    outcome = ground.refresh(subject).outcome
    took = time.monotonic() - began
    expect(outcome is Outcome.UNAVAILABLE, f"the outcome is {outcome}")
    expect(took < seconds, f"it took {took:.1f} s")
    expect(ground.state(subject).current_version_id == before, "the current credential was replaced")
    attempt = ground.attempt(subject)
    expect(attempt.state == AttemptState.IN_DOUBT, f"the attempt is {attempt.state}, not in doubt")
    expect(ACCESS_PREFIX not in json.dumps(attempt.evidence), "the evidence quotes the answer")
    ground.expect_status(subject, Status.ACTIVE)


def malformed(ground: Ground) -> str:
    """200 with something else than a token response."""
    (subject,) = ground.connect()
    for kind in _MALFORMED:
        ground.fault(subject, kind)
        _unanswered(ground, subject, seconds=10)
    expect(ground.refresh(subject).outcome is Outcome.REFRESHED, "it does not recover")
    return f"{len(_MALFORMED)} kinds: current kept, in doubt, then recovered"


def trickle(ground: Ground) -> str:
    """The answer comes a byte at a time."""
    (subject,) = ground.connect()
    ground.fault(subject, "trickle", interval=0.2)
    policy = egress.current_policy()
    egress.configure(replace(policy, total_seconds=2.0))  # 20 s, shortened
    try:
        _unanswered(ground, subject, seconds=4)
    finally:
        egress.configure(policy)
    expect(ground.refresh(subject).outcome is Outcome.REFRESHED, "it does not recover")
    return "aborted at the deadline, in doubt, then recovered"


def huge(ground: Ground) -> str:
    """An answer without end, plain and packed."""
    (subject,) = ground.connect()
    for kind in ("huge_body", "gzip_bomb"):
        ground.fault(subject, kind, bytes=_SIZE)
        _unanswered(ground, subject, seconds=10)
    return "stopped at the cap on decoded bytes, twice"


def redirect(ground: Ground) -> str:
    """307 to another place."""
    (subject,) = ground.connect()
    before = len(ground.sandbox.log(endpoint="introspect"))
    ground.fault(subject, "redirect", location=f"{ground.sandbox.base_url}/introspect")
    _unanswered(ground, subject, seconds=10)
    expect(len(ground.sandbox.log(endpoint="introspect")) == before, "the target of the redirect was called")
    return "refused; nothing reached the target"


def error_in_success(ground: Ground) -> str:
    """200 with an error in it."""
    (subject,) = ground.connect()
    ground.fault(subject, "error_in_200", error="invalid_grant")
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFUSED, f"the outcome is {outcome}")
    ground.expect_status(subject, Status.SUSPECT, Reason.REFRESH_REFUSED)
    expect(ground.works(subject), "the valid token is not vended")
    return "taken for the refusal that it is; still vends while valid"


def server_errors(ground: Ground) -> str:
    """5xx."""
    (subject,) = ground.connect()
    for status in (500, 502, 503):
        ground.fault(subject, "status", status=status)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.UNAVAILABLE, f"the outcome is {outcome}")
        held_until = ground.state(subject).next_attempt_at
        expect(held_until is not None and held_until > database_now(), "the next try is not held back")
        expect(ground.works(subject), "the valid token is not vended")
    ground.expect_status(subject, Status.ACTIVE)
    return "held back, the valid token vended"


def rate_limited(ground: Ground) -> str:
    """429 with Retry-After, in seconds and as a date, and absurdly long."""
    for wait, form in ((40, False), (40, True), (10**9, False)):
        (one,) = ground.connect()
        ground.fault(one, "rate_limited", retry_after=wait, http_date=form)
        ground.refresh(one)
        held_until = ground.state(one).next_attempt_at
        held = 0.0 if held_until is None else (held_until - database_now()).total_seconds()
        expect(
            min(wait, _LEAST_CAP_SECONDS) - 5 <= held <= min(wait + 20, _MOST_CAP_SECONDS),
            f"held back for {held:.0f} s, not {wait}",
        )
    return "obeyed in both forms, capped"


def rate_limited_app(ground: Ground) -> str:
    """429 for one connection holds for all of the provider app. What is known of an app is kept in Redis."""
    one, other = ground.connect(count=2)
    ground.fault(one, "rate_limited", retry_after=40)
    ground.refresh(one)
    ground.refresh(other)
    sent = len(ground.requests(one))
    expect(sent == 1, f"another connection of the app was refreshed meanwhile (is Redis reachable?): {sent} requests")
    return "the other connection of the app waits as well"


def not_sent(ground: Ground) -> str:
    """No such name, nobody there, a certificate that nobody vouches for."""
    (subject,) = ground.connect()
    with _self_signed() as (secured, received):
        for issuer in ("https://drill.invalid", "http://127.0.0.1:1", secured):
            move_app(ProviderApp.objects.get(id=subject.app_id), issuer)
            outcome = ground.refresh(subject).outcome
            expect(outcome is Outcome.UNAVAILABLE, f"{issuer}: the outcome is {outcome}")
            attempt = ground.attempt(subject)
            expect(attempt.state == AttemptState.ABORTED, f"{issuer}: the attempt is {attempt.state}")
    expect(not received, "a request was sent over an unverified connection")
    ground.expect_status(subject, Status.ACTIVE)
    return "three ways: not sent, so not in doubt; verification not skipped"


@contextmanager
def _self_signed() -> Iterator[tuple[str, list[bytes]]]:
    """Run a TLS server with a certificate of its own making; what it is sent after the handshake is kept."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(hours=1)).sign(key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        no_password = serialization.NoEncryption()
        formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        Path(file.name).write_bytes(
            key.private_bytes(*formats, no_password) + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file.name)
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = server.accept()
                    with accepted, suppress(OSError), context.wrap_socket(accepted, server_side=True) as secured:
                        if data := secured.recv(1000):
                            received.append(data)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}", received
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def odd_lifetimes(ground: Ground) -> str:
    """expires_in is zero, negative, no number, text or missing."""
    (subject,) = ground.connect()
    for options in _LIFETIMES:
        ground.fault(subject, "expires_in", **options)
        outcome = ground.refresh(subject).outcome
        expect(outcome is Outcome.REFRESHED, f"{options}: the outcome is {outcome}")
        version = CredentialVersion.objects.get(connection_id=subject.id, stage="current")
        lifetime = version.lifetime_seconds or 0
        expect(30 <= lifetime <= 366 * 86_400, f"{options}: the lifetime is {lifetime} s")
        due_at = ground.state(subject).refresh_due_at
        expect(due_at is not None and due_at > database_now(), f"{options}: due again at once")
    return f"{len(_LIFETIMES)} values clamped or found out; none due at once"


def narrowed_scope(ground: Ground) -> str:
    """The answer grants less than before."""
    (subject,) = ground.connect()
    ground.fault(subject, "narrow_scope", scope="profile.read")
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFRESHED, f"the outcome is {outcome}")
    expect(ground.events(subject, "connection.scopes_lost") == 1, "nobody is told of the lost scope")
    ground.vend(subject, "profile.read")
    try:
        ground.vend(subject, "files.read")
    except InsufficientScope:
        return "stored, told, and vends that need the lost scope refused"
    expect(False, "a vend that needs the lost scope is answered")
    return ""


def client_rejected(ground: Ground) -> str:
    """Our own registration is refused, on every connection."""
    subjects = ground.connect(count=3)
    ground.fault(subjects[0], "error", times=0, error="invalid_client")
    for subject in subjects:
        ground.refresh(subject)
    ground.sandbox.clear()
    for subject in subjects:
        ground.expect_status(subject, Status.ACTIVE)
    incidents = Incident.objects.filter(provider_app_id=subjects[0].app_id).count()
    expect(incidents == 1, f"{incidents} incidents were opened")
    return "one incident on the provider app; no connection touched"
