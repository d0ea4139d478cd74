"""Scenarios: a stored secret does not decrypt, because it or the keys were changed. That must not condemn any grant."""

import base64
import secrets
from collections import Counter

from django.conf import settings
from django.db import connection as database

from connections.access.key_checks import most_open
from connections.drills.ground import Ground
from connections.drills.oracles import Broken, current_version, expect, expect_equal, expect_kept, expect_refreshed
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.models import AuditEvent, CredentialVersion, DataKey, Incident, RefreshAttempt, Status, Trigger
from connections.refusals import CredentialUnreadable

_POSITIONS = (0.0, 0.3, 0.6, 0.9, 1.0)
_TRIES = 3


def corrupt_row(ground: Ground) -> str:
    """One bit of the stored credential is flipped, at several positions; its token has expired."""
    (subject,) = ground.connect()
    ground.expire(subject)
    version = current_version(subject.id)
    stored = _stored(version)
    asked = len(ground.sandbox.log(endpoint="me"))
    for position in _POSITIONS:
        _write(version, _flipped(stored, position))
        for _ in range(_TRIES):
            outcome = ground.refresh(subject).outcome
            expect(outcome is Outcome.UNREADABLE, f"the outcome is {outcome}")
        expect(probe(subject.id, trigger=Trigger.DRILL).verdict is None, "a probe has a verdict")
        expect_equal(ground.refusal(subject).code, CredentialUnreadable.code, "what a vend is refused with")
        state = ground.state(subject)
        expect(state.undecryptable_at is not None, "it is not marked")
        expect_equal((state.status, state.failures, state.refused_at), (Status.ACTIVE, 0, None), "what is held of it")
        _write(version, stored)
    expect(not ground.requests(subject) and len(ground.sandbox.log(endpoint="me")) == asked, "a request was sent")
    expect(not ground.attempts(subject), "an attempt was made")
    expect(not Incident.objects.filter(provider_app_id=subject.app_id).exists(), "an incident was opened")
    audited = AuditEvent.objects.filter(connection_id=subject.id, decision=CredentialUnreadable.code)
    actions = Counter(audited.values_list("action", flat=True))
    expect_equal(
        dict(actions),
        {"credential.vend": len(_POSITIONS), "credential.undecryptable": 1},
        "audited: each vend, and one alert",
    )
    expect(ground.works(subject), "it does not work when it is restored")
    expect_equal(len(ground.requests(subject)), 1, "requests sent when it is restored")
    expect(ground.state(subject).undecryptable_at is None, "it is marked although what was refreshed opens")
    return "unreadable, told as such, once; nothing marked dead"


def corrupt_row_swept(ground: Ground) -> str:
    """A refresh is due for a credential that was changed; its token has not expired."""
    (subject,) = ground.connect()
    before = current_version(subject.id)
    stored = _stored(before)
    _write(before, _flipped(stored, 0.5))
    ground.due(subject)
    expect(ground.is_swept(subject), "it is not swept")
    outcome = ground.refresh_if_due(subject).outcome
    expect(outcome is Outcome.UNREADABLE, f"the outcome is {outcome}")
    expect(not any(ground.is_swept(subject) for _ in range(_TRIES)), "it is swept in a hot loop")
    ground.pass_time(subject)
    expect(ground.is_swept(subject), "it is not tried again a minute later")
    _write(before, stored)
    expect_kept(subject.id, before=before.id)
    expect(not ground.requests(subject), "a request was sent")
    return "tried again a minute later, and not before"


def corrupt_key(ground: Ground) -> str:
    """The data key that sealed the credential is changed, then restored."""
    (subject,) = ground.connect()
    ground.expire(subject)
    kept = {key.id: bytes(key.wrapped) for key in DataKey.objects.filter(tenant_id=ground.state(subject).tenant_id)}
    for key_id, wrapped in kept.items():
        DataKey.objects.filter(id=key_id).update(wrapped=_flipped(wrapped, 1.0))
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.UNREADABLE, f"the outcome is {outcome}")
    expect_equal(ground.refusal(subject).code, CredentialUnreadable.code, "what a vend is refused with")
    state = ground.state(subject)
    expect_equal((state.status, state.failures), (Status.ACTIVE, 0), "what is held of it")
    expect(not ground.requests(subject), "a request was sent")
    for key_id, wrapped in kept.items():
        DataKey.objects.filter(id=key_id).update(wrapped=wrapped)
    expect(ground.works(subject), "it does not work when the key is restored")
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")
    return "unreadable, nothing marked dead; works when it is restored"


def missing_key(ground: Ground) -> str:
    """The key that wraps the data keys is another one."""
    (subject,) = ground.connect()
    before = ground.state(subject).current_version_id
    kept = settings.KEK_KEYS
    settings.KEK_KEYS = [f"drill:{base64.b64encode(secrets.token_bytes(32)).decode()}"]
    try:
        expect(not most_open(), "readiness does not notice")
        ground.refresh(subject)
        ground.expect_status(subject, Status.ACTIVE)
    finally:
        settings.KEK_KEYS = kept
    RefreshAttempt.objects.filter(connection_id=subject.id).delete()
    expect(most_open(), "readiness does not notice that the key is back")
    expect_kept(subject.id, before=before)
    expect_refreshed(ground.refresh(subject).outcome)
    return "readiness fails; nothing marked dead"


def _flipped(stored: bytes, position: float) -> bytes:
    """Return ``stored`` with one bit flipped; ``position`` is a share of its length, from 0 to 1."""
    changed = bytearray(stored)
    changed[int(position * (len(changed) - 1))] ^= 1
    return bytes(changed)


def _stored(version: CredentialVersion) -> bytes:
    if version.secrets is None:
        raise Broken("the current credential holds no secrets")
    return bytes(version.secrets.stored)


def _write(version: CredentialVersion, stored: bytes) -> None:
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [stored, version.id])
