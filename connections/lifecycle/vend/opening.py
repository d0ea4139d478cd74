"""Opens the credential that a vend hands out, and says how to present it."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import structlog

from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.access.secrets import credential_place, unwrap_columns
from connections.access.targets import check_grantor, entry_named
from connections.journal import audit
from connections.lifecycle.credentials.subject_tokens import HeldToken
from connections.lifecycle.health.undecryptable import note_undecryptable
from connections.lifecycle.vend.query import VendRow
from connections.models.fields import StoredSecret
from connections.refusals import AppMisconfigured, Busy, CredentialUnreadable, EndpointMoved
from connections.vault.sealing import KeyAway, Unreadable, open_sealed
from providers.catalog.loader import catalog_edition
from providers.catalog.resolve import Target, resolve
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.values import ClientRegistration, Credential, Presentation

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vended:
    """A credential that is handed out, with the facts about it."""

    presentation: Presentation
    row: VendRow


class Openings:
    """Opens the credentials of rows that one statement returned: each version once, however many ask for it."""

    def __init__(self) -> None:
        self._presented: dict[tuple[uuid.UUID | None, uuid.UUID | None], Presentation] = {}

    def open_row(self, row: VendRow) -> Vended:
        """Open the credential of a row whose audit row is committed.

        Records in the audit, and for the operator, a credential that does not open. Raises ``Busy``,
        ``CredentialUnreadable``, ``AppMisconfigured`` and ``EndpointMoved``.
        """
        named = (row.connection_id, row.version_id)
        if named not in self._presented:
            self._presented[named] = _presented(row, _opened(row))
        return Vended(self._presented[named], row)


def open_to_send(row: VendRow, held: HeldToken | None = None) -> tuple[Target, Credential]:
    """Open the credential of a row for a request of ours, and return where it may go. Raises as ``Openings.open_row``.

    ``held`` is a token that acts for a subject in its place.
    """
    credential = _opened(row) if held is None else held.credential
    return _target_of(row, credential), credential


def _opened(row: VendRow) -> Credential:
    try:
        return _open(row)
    except KeyAway:
        _note_unopened(row, decision=Busy.code)
        raise Busy(
            "The stored credential does not open now: the service of its key does not answer. Try again.",
            retry_after_seconds=TRIES_AGAIN_SECONDS,
        ) from None
    except Unreadable:
        _note_unopened(row, decision=CredentialUnreadable.code)
        if row.connection_id is not None and row.version_id is not None:
            note_undecryptable(row.connection_id, row.version_id)
        raise CredentialUnreadable("The stored credential does not open: its key may be missing.") from None


def row_of_subject(row: VendRow, held: HeldToken, *, scopes: Sequence[str]) -> VendRow:
    """Return ``row`` with the facts about a token that acts for a subject in place of the connection's own. No I/O.

    ``scopes`` are those that the caller asked for.
    """
    return replace(
        row,
        version_id=held.version_id,
        scopes=held.scopes,
        missing_scopes=tuple(scopes),
        access_expires_at=held.expires_at,
        fingerprint=held.fingerprint,
        verified_at=held.obtained_at,
        verified_by="exchange",
    )


def open_held(row: VendRow, held: HeldToken) -> Vended:
    """Present a token that acts for a subject, whose audit row is committed. Raises as ``Openings.open_row``."""
    return Vended(_presented(row, held.credential), row)


def _presented(row: VendRow, credential: Credential) -> Presentation:
    target = _target_of(row, credential)
    try:
        return strategy_for(target.style).present(target, credential)
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None


def _target_of(row: VendRow, credential: Credential) -> Target:
    try:
        target = _target(catalog_edition(), row.provider, row.auth_style, row.app_params, row.discovered, row.params)
        check_grantor(target, credential.granted_by)
        return target
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    except EndpointMoved as moved:
        _note_unopened(row, decision=moved.code)
        logger.error("endpoint_moved", connection=str(row.connection_id), version=str(row.version_id))
        raise


def _note_unopened(row: VendRow, *, decision: str) -> None:
    """Record that the credential which the vend's audit row allowed was not handed out after all."""
    audit.record(
        "credential.open",
        decision=decision,
        actor=audit.Actor(api_client_id=row.client_id),
        tenant_id=row.tenant_id,
        connection_id=row.connection_id,
        version_id=row.version_id,
    )


def _open(row: VendRow) -> Credential:
    if row.secrets is None or row.connection_id is None or row.version_id is None or row.data_key_id is None:
        raise Unreadable("The connection has no stored credential.")
    key = unwrap_columns(key_id=row.data_key_id, tenant_id=row.tenant_id, kek_id=row.kek_id, wrapped=bytes(row.wrapped))
    place = credential_place(tenant_id=row.tenant_id, connection_id=row.connection_id, version_id=row.version_id)
    sealed = StoredSecret(bytes(row.secrets)).open_outer()
    return Credential.from_bytes(open_sealed(sealed, key=key, place=place))


@lru_cache(maxsize=2048)
def _target(edition: int, provider: str, auth_style: str, app_params: str, discovered: str, params: str) -> Target:
    """Return the target from which to present a credential. Opens no client secret; ``app_params``… are JSON texts.

    Cached. ``edition`` is that of the catalogue, so that an edited entry is in force from the next vend on.
    """
    return resolve(
        entry=entry_named(provider),
        style=auth_style,
        registration=ClientRegistration(client_id="", params=json.loads(app_params)),
        discovered=json.loads(discovered),
        params=json.loads(params),
    )
