"""Client secrets one by one: rotated at a provider without an outage, since the earlier one goes on working beside.

A secret is named by its fingerprint, which reveals nothing of it and is another under each data key. The others beside
the preferred one may be given an end: they are tried until then, and destroyed after it. All at once they are replaced
by ``provider_apps``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from connections.access.secrets import (
    current_data_key,
    open_client_secrets,
    open_registration,
    seal_client_secrets,
)
from connections.access.targets import registrar_of
from connections.journal import audit, events
from connections.journal.event_types import EventType
from connections.lifecycle.provision.check_app import check_client_secrets, check_kept_secrets
from connections.lifecycle.provision.provider_apps import MOST_SECRETS
from connections.models import ProviderApp
from connections.refusals import Busy, InvalidRequest, NotFound
from connections.vault.sealing import Unreadable, fingerprint

LONGEST_OVERLAP = timedelta(days=366)

_ENDED = "secrets_ended"

logger = structlog.get_logger(__name__)


def fingerprints(app: ProviderApp) -> list[str]:
    """Return what tells the client secrets of ``app`` apart, the preferred first. Two queries.

    Raises ``InvalidRequest`` where they do not open.
    """
    key = current_data_key(app.tenant_id)
    return [fingerprint(secret, key=key).hex() for secret in _opened(app)]


def add_client_secret(
    app: ProviderApp,
    secret: str,
    *,
    preferred: bool,
    now: datetime,
    actor: audit.Actor,
    others_end_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """Have ``app`` use one more client secret, before the others or after them. Return False if it has it already.

    A preferred one leaves the others until ``others_end_at`` (None: until they are removed). ``expires_at`` is when the
    provider lets it expire, None if nobody knows. One transaction with an audit row. Raises ``InvalidRequest``, and
    ``Busy`` where somebody else changes the app.
    """
    check_client_secrets([secret])
    if app.secret_source:
        raise InvalidRequest(
            "The client secret of this app is read from where the operator keeps it: change it there.",
            field="client_secret",
        )
    for name, moment in (("others_end_at", others_end_at), ("expires_at", expires_at)):
        if moment is not None and not preferred:
            raise InvalidRequest("This is said of a new secret only where it is preferred to the others.", field=name)
    _check_end(others_end_at, now=now)
    _check_expiry(expires_at, now=now)
    known = _opened(app)
    if known:
        check_kept_secrets(app)
    rest = [one for one in known if one != secret]
    wanted = [secret, *rest] if preferred else [*rest, secret]
    if wanted == known or (secret in known and not preferred):
        return False
    if len(wanted) > MOST_SECRETS:
        raise InvalidRequest(
            f"An app has {MOST_SECRETS} client secrets at most: remove one first.", field="client_secret"
        )
    ends = others_end_at if preferred else app.other_secrets_end_at
    expires = expires_at if preferred else app.secret_expires_at
    _store(app, wanted, others_end_at=ends, expires_at=expires, what="secret_added", actor=actor)
    return True


def set_end_of_others(app: ProviderApp, others_end_at: datetime | None, *, now: datetime, actor: audit.Actor) -> bool:
    """Have the client secrets beside the preferred one end then, or never (None). Return False if that is so already.

    One transaction with an audit row. Raises ``InvalidRequest``, and ``Busy`` where somebody else changes the app.
    """
    _check_end(others_end_at, now=now)
    if others_end_at == app.other_secrets_end_at:
        return False
    count = len(_opened(app))
    if others_end_at is not None and count < 2:
        raise InvalidRequest("The app has no client secret beside the preferred one.", field="others_end_at")
    _write(app, {}, count=count, others_end_at=others_end_at, what="secrets_end_set", actor=actor)
    return True


def set_expiry(app: ProviderApp, expires_at: datetime | None, *, now: datetime, actor: audit.Actor) -> bool:
    """Note when the provider lets the preferred client secret expire, None if nobody knows. False if it is noted.

    The forecast tells of it. One transaction with an audit row. Raises ``InvalidRequest``, and ``Busy`` where somebody
    else changes the app.
    """
    if expires_at == app.secret_expires_at:
        return False
    _check_expiry(expires_at, now=now)
    count = len(_opened(app))
    if not count:
        raise InvalidRequest("The app has no client secret.", field="expires_at")
    values = {"secret_expires_at": expires_at}
    _write(app, values, count=count, others_end_at=app.other_secrets_end_at, what="secret_expiry_set", actor=actor)
    return True


def end_others(*, now: datetime) -> int:
    """Destroy the client secrets whose end has come. Return of how many apps. One short transaction an app.

    Secrets that do not open are left with their end, for the next call.
    """
    ended = 0
    for app in ProviderApp.objects.filter(other_secrets_end_at__lte=now):
        try:
            kept = _opened(app)[:1]
            _store(app, kept, others_end_at=None, expires_at=app.secret_expires_at, what=_ENDED, actor=audit.SYSTEM)
            ended += 1
        except (InvalidRequest, Busy) as refusal:
            logger.warning("client_secrets_not_ended", provider_app=str(app.id), code=refusal.code)
    return ended


def remove_client_secret(app: ProviderApp, named: str, *, actor: audit.Actor) -> None:
    """Destroy the client secret with this fingerprint. One transaction with an audit row.

    Raises ``NotFound``, ``InvalidRequest``, and ``Busy`` where somebody else changes the app.
    """
    key = current_data_key(app.tenant_id)
    known = _opened(app)
    rest = [secret for secret in known if fingerprint(secret, key=key).hex() != named]
    if len(rest) == len(known):
        raise NotFound("The app has no such client secret.")
    if app.secret_source and rest[:1] != known[:1]:
        raise InvalidRequest("This client secret is read from where the operator keeps it: change it there.")
    check_kept_secrets(app)
    expires = app.secret_expires_at if rest[:1] == known[:1] else None  # it was said of the preferred one
    _store(app, rest, others_end_at=app.other_secrets_end_at, expires_at=expires, what="secret_removed", actor=actor)


def _opened(app: ProviderApp) -> list[str]:
    try:
        return [secret.get_secret_value() for secret in open_client_secrets(app)]
    except Unreadable:
        raise InvalidRequest(
            "The stored client secrets do not open: enter them again.", field="client_secrets"
        ) from None


def _check_end(others_end_at: datetime | None, *, now: datetime) -> None:
    if others_end_at is not None and not now < others_end_at <= now + LONGEST_OVERLAP:
        days = LONGEST_OVERLAP.days
        raise InvalidRequest(f"The end has to be to come, and within {days} days.", field="others_end_at")


def _check_expiry(expires_at: datetime | None, *, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("The moment at which the secret expires has to be to come.", field="expires_at")


def _store(
    app: ProviderApp,
    wanted: Sequence[str],
    *,
    others_end_at: datetime | None,
    expires_at: datetime | None,
    what: str,
    actor: audit.Actor,
) -> None:
    # Those that were there may go where they might go before, and nowhere else.
    registrar = open_registration(app).registrar if app.secrets is not None else registrar_of(app)
    sealed = seal_client_secrets(app, wanted, registrar=registrar)
    _write(
        app,
        {"secrets": sealed, "secrets_changed_at": timezone.now(), "secret_expires_at": expires_at},
        count=len(wanted),
        others_end_at=others_end_at,
        what=what,
        actor=actor,
    )


def _write(
    app: ProviderApp,
    values: dict[str, Any],
    *,
    count: int,
    others_end_at: datetime | None,
    what: str,
    actor: audit.Actor,
) -> None:
    ends = others_end_at if count > 1 else None
    named = {"provider_app": str(app.id), "provider": app.provider, "client_secrets": count}
    with transaction.atomic():
        unchanged = ProviderApp.objects.filter(id=app.id, updated_at=app.updated_at)
        if not unchanged.update(**values, other_secrets_end_at=ends, updated_at=timezone.now()):
            raise Busy("Somebody else is changing this app at the moment: ask again.", retry_after_seconds=1)
        detail = named if ends is None else named | {"others_end_at": ends.isoformat()}
        audit.record(f"provider_app.{what}", actor=actor, tenant_id=app.tenant_id, detail=detail)
        if what == _ENDED:
            events.emit_of_tenant(EventType.CLIENT_SECRETS_ENDED, app.tenant_id, payload=named)
    app.refresh_from_db()
