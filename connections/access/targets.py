"""Turn a provider app's row into what the ``providers`` package works with: entry, strategy and target."""

import uuid
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from connections.access.app_keys import open_signing_key
from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.access.parties import Party, party_of, places
from connections.access.secrets import open_registration
from connections.models import Connection, ProviderApp, RegisteredClient
from connections.refusals import AppMisconfigured, EndpointMoved
from connections.vault.keyring import DataKey
from connections.vault.sealing import KeyAway, Unreadable
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.resolve import Target, registrar, resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.scopes import ScopeRules
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities, Strategy
from providers.values import ClientRegistration, Credential


@dataclass(frozen=True, slots=True)
class Access:
    """A strategy with its target: all that a call to the provider of one connection needs.

    ``party`` is whom it calls, None for the provider of the app.
    """

    strategy: Strategy
    target: Target
    party: Party | None = None

    @property
    def party_id(self) -> uuid.UUID | None:
        """The id of the party, as ``Connection.party`` holds it."""
        return None if self.party is None else self.party.id

    @property
    def asks_accounts_own(self) -> bool:
        """Whether the host is the provider's and bears the account's name: its limits are the account's."""
        return self.party is None and self.target.has_account_host

    def places(self, app: ProviderApp, *, tenant_id: uuid.UUID) -> tuple[Hashable, ...]:
        """Return by whom a call of ``tenant_id`` counts in the bulkhead. No I/O."""
        return places(app.id, tenant_id=tenant_id, party=self.party_id)

    @property
    def capabilities(self) -> Capabilities:
        """What the strategy can do at this target."""
        return self.strategy.capabilities(self.target)

    def check_grantor(self, credential: Credential) -> None:
        """Raise ``EndpointMoved`` unless the party behind the target issued ``credential``. No I/O.

        Call it before sending a credential, so that no credential goes to a party that did not issue it.
        """
        check_grantor(self.target, credential.granted_by)


def check_grantor(target: Target, granted_by: str) -> None:
    """Raise ``EndpointMoved`` unless ``granted_by`` and ``target`` are the same party. No I/O.

    ``granted_by`` names the party that issued a credential. A credential without a known issuer may be sent nowhere.
    """
    if granted_by != target.grantor:
        raise EndpointMoved(
            "The provider app's endpoints are not those that gave this credential. Put them back, or let the end user "
            "connect again."
        )


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
    """Return the rules by which one scope of ``provider`` stands for another, from its catalogue entry of now.

    Where the entry is gone, a scope stands only for itself.
    """
    try:
        return entry(provider).scope_rules
    except UnknownProvider:
        return ScopeRules()


def redirect_uri(client_id: uuid.UUID) -> str:
    """Return the callback URL of one provider app, or of one client that it has registered.

    Each has a path of its own, so that an answer for one cannot pass as an answer for another (mix-up).
    """
    return f"{settings.WIDGET_URL}/connect/callback/{client_id}"


def push_address(app_id: uuid.UUID) -> str:
    """Return the address to which the provider of an app sends what it tells us by itself. No I/O."""
    return f"{settings.WIDGET_URL}/pushes/{app_id}"


def access_of(connection: Connection, *, key: DataKey | None = None) -> Access:
    """Return the strategy and target of ``connection``. Raises as ``access_to``.

    One query for the app and one for its registered client, where they are not loaded.
    """
    app, client = connection.provider_app, connection.registered_client
    return access_to(app, connection.params, client=client, key=key)


def access_to(
    app: ProviderApp,
    params: Mapping[str, str],
    *,
    client: RegisteredClient | None = None,
    key: DataKey | None = None,
    before_callback: bool = False,
) -> Access:
    """Return the strategy and target of ``app`` for a connection with these ``params``.

    ``params`` holds the connection's values by the names of the entry's parameters, such as a shop or a region.
    ``client`` is the one with which it is made, for an app that registers itself.
    ``before_callback`` says that the parameters which only the callback carries are not known yet. Opens the client
    secrets: one query, unless ``key`` is the data key under which they are sealed. Where the app proves itself by a
    key pair, opens that as well: one query more. Raises ``AppMisconfigured`` with what the operator has to mend, and
    ``EndpointMoved`` where the client secrets were entered for other endpoints.
    """
    if app.is_draft:
        raise AppMisconfigured(f"The provider app {app.name!r} has no client id yet: enter it.")
    if app.registers_itself and client is None:
        raise AppMisconfigured(
            f"The provider app {app.name!r} is not registered at this authorization server yet: connect once more."
        )
    method = entry_of(app).methods.get(app.auth_style)
    if method is not None and method.is_legacy and not app.allows_legacy:
        # The statement of a plain claim does not read that word: such a refresh goes by the rules in Python.
        raise AppMisconfigured(f"The provider app {app.name!r} connects by a legacy style, which is off: allow it.")
    try:
        opened = open_registration(app, client=client, key=key)
        target = resolve(
            entry=entry_of(app),
            style=app.auth_style,
            registration=ClientRegistration(
                client_id=app.client_id if client is None else client.client_id,
                client_secrets=opened.secrets,
                redirect_uri=redirect_uri(app.id) if client is None else client.redirect_uri,
                params=app.params,
            ),
            discovered=app.discovered if client is None else client.discovered,
            params=params,
            before_callback=before_callback,
        )
    except KeyAway:
        raise _away(app) from None
    except Unreadable:
        raise AppMisconfigured(
            f"The client secret of the provider app {app.name!r} does not open: enter it again, or restore its key."
        ) from None
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    if opened.secrets and opened.registrar != registrar_of(app, client):
        raise EndpointMoved(
            f"The endpoints or the client id of the provider app {app.name!r} have changed since its client secrets "
            "were entered: enter them again."
        )
    if target.method.needs_app_key:
        target = _with_key(app, target, key=key)
    return Access(strategy_for(app.auth_style), target, party_of(app, target, client))


def _away(app: ProviderApp) -> AppMisconfigured:
    return AppMisconfigured(
        f"What is stored for the provider app {app.name!r} does not open now: the service of its key does not answer.",
        retry_after_seconds=TRIES_AGAIN_SECONDS,
    )


def _with_key(app: ProviderApp, target: Target, *, key: DataKey | None) -> Target:
    """Return ``target`` with the key of ``app`` that signs now. Raises ``AppMisconfigured`` if there is none."""
    try:
        found = open_signing_key(app, key=key)
    except KeyAway:
        raise _away(app) from None
    except Unreadable:
        raise AppMisconfigured(
            f"The key of the provider app {app.name!r} does not open: make another, or restore the key it is sealed by."
        ) from None
    if found is None:
        raise AppMisconfigured(f"The provider app {app.name!r} has no key that signs now: make or bring one.")
    return replace(target, registration=replace(target.registration, key=found))


def registrar_of(app: ProviderApp, client: RegisteredClient | None = None) -> str:
    """Return the name of the party to which the secrets of ``app``, or of its ``client``, may be sent.

    Raises ``AppMisconfigured``.
    """
    holder = app if client is None else client
    return registrar(
        entry=entry_of(app),
        style=app.auth_style,
        registration=ClientRegistration(client_id=holder.client_id, params=app.params),
        discovered=holder.discovered,
    )
