"""Refreshes that did not end: open attempts, and answers that were received and not stored."""

from typing import Any

from pydantic import SecretStr

from connections.access.secrets import current_data_key
from connections.access.targets import access_to
from connections.database.clock import database_now
from connections.lifecycle.credentials.versions import SealedVersion, seal_version
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt
from providers.sandbox.client import SandboxProcess
from providers.values import Credential, Obtained


def open_attempt(connection: Connection, **values: Any) -> RefreshAttempt:
    """Make an attempt that was sent just now, with a lease that is over unless ``deadline_at`` says otherwise."""
    now = database_now()
    row = Connection.objects.get(id=connection.id)
    assert row.current_version_id is not None
    sent = {"state": AttemptState.SENT, "claimed_at": now, "deadline_at": now, **values}
    return RefreshAttempt.objects.create(connection=connection, parent_version_id=row.current_version_id, **sent)


def answered(attempt: RefreshAttempt, sandbox: SandboxProcess) -> SealedVersion:
    """Return what ``attempt`` bought, sealed but not stored; its tokens work."""
    connection = Connection.objects.get(id=attempt.connection_id)
    (tokens,) = sandbox.control.mint(connection.provider_app.client_id)
    assert connection.grant_id is not None
    return seal_version(
        Obtained(
            Credential(
                access_token=SecretStr(tokens["access_token"]), refresh_token=SecretStr(tokens["refresh_token"])
            ),
            60,
        ),
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        grant_id=connection.grant_id,
        key=current_data_key(connection.tenant_id),
        scopes=("profile.read",),
        is_refreshable=True,
        received_at=database_now(),
        grantor=access_to(connection.provider_app, connection.params).target.grantor,
        parent_id=attempt.parent_version_id,
        attempt_id=attempt.id,
    )


def made_up(connection: Connection, **changes: Any) -> SealedVersion:
    """Return an answer to a new attempt, sealed but not stored; no provider knows its tokens."""
    attempt = open_attempt(connection)
    parent = CredentialVersion.objects.get(id=attempt.parent_version_id)
    values: dict[str, Any] = {
        "tenant_id": connection.tenant_id,
        "connection_id": connection.id,
        "grant_id": parent.grant_id,
        "key": current_data_key(connection.tenant_id),
        "scopes": tuple(parent.scopes),
        "is_refreshable": True,
        "received_at": database_now(),
        "parent_id": parent.id,
        "attempt_id": attempt.id,
        "grantor": access_to(connection.provider_app, connection.params).target.grantor,
        **changes,
    }
    credential = Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt"))
    return seal_version(Obtained(credential, 3600), **values)


def received(connection: Connection, sandbox: SandboxProcess) -> SealedVersion:
    """Return the answer to a new attempt."""
    return answered(open_attempt(connection), sandbox)
