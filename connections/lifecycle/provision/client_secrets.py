"""Client secrets one by one: rotated at a provider without an outage, since the earlier one goes on working beside.

A secret is named by its fingerprint, which reveals nothing of it and is another under each data key. All at once they
are replaced by ``provider_apps``.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from connections.access.secrets import current_data_key, open_client_secrets, seal_client_secrets
from connections.access.targets import registrar_of
from connections.journal import audit
from connections.lifecycle.provision.provider_apps import check_client_secrets, check_kept_secrets
from connections.models import ProviderApp
from connections.refusals import Busy, InvalidRequest, NotFound
from connections.vault.sealing import Unreadable, fingerprint

MOST = 10


def fingerprints(app: ProviderApp) -> list[str]:
    """Return what tells the client secrets of ``app`` apart, the preferred first. Two queries.

    Raises ``InvalidRequest`` where they do not open.
    """
    key = current_data_key(app.tenant_id)
    return [fingerprint(secret, key=key).hex() for secret in _opened(app)]


def add_client_secret(app: ProviderApp, secret: str, *, preferred: bool, actor: audit.Actor) -> bool:
    """Have ``app`` use one more client secret, before the others or after them. Return False if it has it already.

    One transaction with an audit row. Raises ``InvalidRequest``, and ``Busy`` where somebody else changes the app.
    """
    check_client_secrets([secret])
    known = _opened(app)
    if known:
        check_kept_secrets(app)
    rest = [one for one in known if one != secret]
    wanted = [secret, *rest] if preferred else [*rest, secret]
    if wanted == known or (secret in known and not preferred):
        return False
    if len(wanted) > MOST:
        raise InvalidRequest(f"An app has {MOST} client secrets at most: remove one first.", field="client_secret")
    _store(app, wanted, what="added", actor=actor)
    return True


def remove_client_secret(app: ProviderApp, named: str, *, actor: audit.Actor) -> None:
    """Destroy the client secret with this fingerprint. One transaction with an audit row.

    Raises ``NotFound``, ``InvalidRequest``, and ``Busy`` where somebody else changes the app.
    """
    key = current_data_key(app.tenant_id)
    known = _opened(app)
    rest = [secret for secret in known if fingerprint(secret, key=key).hex() != named]
    if len(rest) == len(known):
        raise NotFound("The app has no such client secret.")
    check_kept_secrets(app)
    _store(app, rest, what="removed", actor=actor)


def _opened(app: ProviderApp) -> list[str]:
    try:
        return [secret.get_secret_value() for secret in open_client_secrets(app)]
    except Unreadable:
        raise InvalidRequest(
            "The stored client secrets do not open: enter them again.", field="client_secrets"
        ) from None


def _store(app: ProviderApp, wanted: Sequence[str], *, what: str, actor: audit.Actor) -> None:
    sealed = seal_client_secrets(app, wanted, registrar=registrar_of(app))
    with transaction.atomic():
        unchanged = ProviderApp.objects.filter(id=app.id, updated_at=app.updated_at)
        if not unchanged.update(secrets=sealed, updated_at=timezone.now()):
            raise Busy("Somebody else is changing this app at the moment: ask again.", retry_after_seconds=1)
        detail = {"provider_app": str(app.id), "provider": app.provider, "client_secrets": len(wanted)}
        audit.record(f"provider_app.secret_{what}", actor=actor, tenant_id=app.tenant_id, detail=detail)
    app.refresh_from_db()
