"""Push secrets: by which what a provider sends by itself is known to be its own. Two of an app may be in use at a time.

The newest is the one that the provider signs with from now on; the one before it goes on being known, until it is
retired or a third one comes. No secret is ever shown: each is named by its fingerprint, as client secrets are.
"""

import re

from django.db import transaction

from connections.access.secrets import current_data_key, open_push_secrets, seal_push_secrets
from connections.database.locks import lock_to_compare
from connections.journal import audit
from connections.models import ProviderApp
from connections.refusals import InvalidRequest, NotFound
from connections.vault.sealing import Unreadable, fingerprint
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.pushes import PushRules

MOST = 2
_SHORTEST, _LONGEST = 8, 1000
_PUBLIC_KEY = re.compile(r"[0-9a-fA-F]{64}")


def push_fingerprints(app: ProviderApp) -> list[str]:
    """Return what tells the push secrets of ``app`` apart, the newest first; none of those that do not open.

    Two queries.
    """
    key = current_data_key(app.tenant_id)
    return [fingerprint(secret, key=key).hex() for secret in _opened(app)]


def add_push_secret(app: ProviderApp, secret: str, *, actor: audit.Actor) -> bool:
    """Have pushes to ``app`` be known by ``secret``, and by the one before. Return False if it is the newest already.

    One transaction with an audit row. Raises ``InvalidRequest``.
    """
    _check(_rules(app), secret)
    with transaction.atomic():
        known = _locked(app)
        if known[:1] == [secret]:
            return False
        _store(app, [secret, *(one for one in known if one != secret)][:MOST], what="added", actor=actor)
    return True


def retire_push_secret(app: ProviderApp, named: str, *, actor: audit.Actor) -> None:
    """Destroy the push secret with this fingerprint. One transaction with an audit row. Raises ``NotFound``."""
    key = current_data_key(app.tenant_id)
    with transaction.atomic():
        known = _locked(app)
        rest = [secret for secret in known if fingerprint(secret, key=key).hex() != named]
        if len(rest) == len(known):
            raise NotFound("The app has no such push secret.")
        _store(app, rest, what="retired", actor=actor)


def _locked(app: ProviderApp) -> list[str]:
    """Lock ``app``, and return its push secrets as they are now."""
    lock_to_compare(app, lambda row: None)
    app.refresh_from_db(fields=["push_secrets"])
    return _opened(app)


def _rules(app: ProviderApp) -> PushRules:
    try:
        rules = entry(app.provider).push
    except UnknownProvider:
        rules = None
    if rules is None:
        raise InvalidRequest("This provider sends nothing by itself, as far as its entry says.", field="secret")
    if rules.key != "push_secret":
        by = "the client secrets" if rules.key == "client_secret" else "the keys of its issuer"
        raise InvalidRequest(f"What this provider sends is known by {by}: it needs no secret here.", field="secret")
    return rules


def _check(rules: PushRules, secret: str) -> None:
    if not (_SHORTEST <= len(secret) <= _LONGEST and secret.isascii() and secret.isprintable()):
        raise InvalidRequest(
            f"Copy it again: a secret has {_SHORTEST} to {_LONGEST} printable characters of ASCII.", field="secret"
        )
    if rules.scheme == "ed25519" and _PUBLIC_KEY.fullmatch(secret) is None:
        raise InvalidRequest("Copy it again: this is a public key of 64 hexadecimal digits.", field="secret")


def _opened(app: ProviderApp) -> list[str]:
    try:
        return [secret.get_secret_value() for secret in open_push_secrets(app)]
    except Unreadable:
        return []  # what does not open verifies nothing, and is replaced


def _store(app: ProviderApp, wanted: list[str], *, what: str, actor: audit.Actor) -> None:
    app.push_secrets = seal_push_secrets(app, wanted)
    app.save(update_fields=["push_secrets", "updated_at"])
    app.refresh_from_db(fields=["push_secrets"])  # as it is stored, to be opened
    detail = {"provider_app": str(app.id), "provider": app.provider, "push_secrets": len(wanted)}
    audit.record(f"provider_app.push_secret_{what}", actor=actor, tenant_id=app.tenant_id, detail=detail)
