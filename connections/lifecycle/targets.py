"""From rows to what the providers package works with: the entry, the strategy and the target of a provider app."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from connections.lifecycle.outcomes import AppMisconfigured
from connections.lifecycle.sealing import open_client_secrets
from connections.models import ProviderApp
from connections.vault.keyring import DataKey
from connections.vault.sealing import Unreadable
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.scopes import ScopeRules
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities, Strategy
from providers.values import ClientRegistration
from providers.vocabulary import AuthStyle


@dataclass(frozen=True, slots=True)
class Access:
    """A strategy with its target: all that is needed to talk to a provider for one connection."""

    strategy: Strategy
    target: Target

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked of the strategy here."""
        return self.strategy.capabilities(self.target)


def entry_named(slug: str) -> CatalogEntry:
    """Return the catalogue entry of a provider that is in use. Raises ``AppMisconfigured`` when it is gone."""
    try:
        return entry(slug)
    except UnknownProvider:
        raise AppMisconfigured(f"The provider {slug!r} is no longer in the catalogue: restore its entry.") from None


def entry_of(app: ProviderApp) -> CatalogEntry:
    """Return the catalogue entry of ``app``. Raises ``AppMisconfigured`` when it is gone."""
    return entry_named(app.provider)


def scope_rules_of(provider: str) -> ScopeRules:
    """Return when one scope of ``provider`` stands for another, by its entry as it is now; by name where it is gone."""
    try:
        return entry(provider).scope_rules
    except UnknownProvider:
        return ScopeRules()


def redirect_uri(app_id: uuid.UUID) -> str:
    """Return the callback of one provider app: a path of its own, so that an answer cannot be taken for another's."""
    return f"{settings.PUBLIC_URL}/connect/callback/{app_id}"


def access_to(app: ProviderApp, params: Mapping[str, str], *, key: DataKey | None = None) -> Access:
    """Return the strategy and target of ``app`` for a connection with these ``params``.

    Opens the client secrets (one query, unless ``key`` is theirs). Raises ``AppMisconfigured`` saying what the
    operator has to mend.
    """
    if app.is_draft:
        raise AppMisconfigured(f"The provider app {app.name!r} has no client id yet: enter it.")
    try:
        secrets = open_client_secrets(app, key=key)
        target = resolve(
            entry=entry_of(app),
            style=AuthStyle(app.auth_style),
            registration=ClientRegistration(
                client_id=app.client_id,
                client_secrets=secrets,
                redirect_uri=redirect_uri(app.id),
                params=app.params,
            ),
            discovered=app.discovered,
            params=params,
        )
    except Unreadable:
        raise AppMisconfigured(
            f"The client secret of the provider app {app.name!r} does not open: enter it again, or restore its key."
        ) from None
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    return Access(strategy_for(AuthStyle(app.auth_style)), target)
