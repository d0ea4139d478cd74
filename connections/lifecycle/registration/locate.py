"""Locate: ask the server that the connection is about where its end user consents, and have our client there."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from connections.access.targets import entry_of
from connections.database.pool import release_database
from connections.journal import audit
from connections.lifecycle.registration.obtain import obtain
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import ProviderApp, RegisteredClient
from connections.refusals import AppMisconfigured, InvalidRequest, ProviderDown
from providers.catalog.resource_checks import RESOURCE
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill, names
from providers.errors import ProviderError, ProviderUnavailable
from providers.oauth.protected_resource import ProtectedServer, discover_server
from providers.vocabulary import ParamScope


@dataclass(frozen=True, slots=True)
class Located:
    """What a connect session needs before its authorization request.

    ``params`` are the parameters that the server's metadata names, ``scopes`` those that it asks for (None: it does not
    say). ``client`` is ours at its authorization server, for an app that registers itself.
    """

    params: dict[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] | None = None
    client: RegisteredClient | None = None


def has_to_locate(app: ProviderApp) -> bool:
    """Whether a session of ``app`` has to ask before its authorization request. Raises ``AppMisconfigured``. No I/O."""
    return app.registers_itself or bool(_server(app))


def locate(
    app: ProviderApp, params: Mapping[str, str], *, tenant_id: uuid.UUID | None = None, actor: audit.Actor
) -> Located:
    """Ask where the end user consents, and return what the authorization request needs. HTTP; no transaction is open.

    ``params`` holds the connection's parameters; ``tenant_id`` is whose it is. Raises ``InvalidRequest`` naming the
    field, where the end user typed a server that cannot be used; ``AppMisconfigured`` and ``ProviderDown``.
    """
    if not _server(app):
        return Located(client=obtain(app, app.discovered, actor=actor))
    found = look_at_server(app, params, tenant_id=tenant_id)
    located = {RESOURCE: found.resource}
    if app.registers_itself:
        return Located(located, found.scopes, obtain(app, found.discovered, actor=actor))
    if any(found.discovered[name] != app.discovered.get(name) for name in ("issuer", "token")):
        raise AppMisconfigured(
            f"The server of the provider app {app.name!r} has moved to the authorization server "
            f"{found.issuer}: register there by hand, and enter the client id and the secrets anew."
        )
    return Located(located, found.scopes)


def look_at_server(
    app: ProviderApp, params: Mapping[str, str], *, tenant_id: uuid.UUID | None = None
) -> ProtectedServer:
    """Ask the server at which ``app`` points for a connection with these ``params``. HTTP.

    Raises ``InvalidRequest`` naming the field, where the end user typed a server that cannot be used;
    ``AppMisconfigured`` for any other that cannot, and ``ProviderDown``.
    """
    url = fill(_server(app), {**app.params, **params})
    typed = typed_server(entry_of(app), app.auth_style)
    release_database()
    try:
        with bulkhead.place(*((app.id, tenant_id, url) if typed else (app.id,))):
            return discover_server(url, is_anybodys=bool(typed))
    except ProviderUnavailable:
        raise ProviderDown("The server cannot be reached at the moment. Try again soon.") from None
    except ProviderError as error:
        if typed:
            raise InvalidRequest(f"This server cannot be connected: {error.evidence.detail}", field=typed) from None
        raise AppMisconfigured(error.evidence.detail) from None


def typed_server(entry: CatalogEntry, style: str) -> str:
    """Return the parameter by which the end user names the server, "" where the entry or the operator does. No I/O."""
    method = entry.methods.get(style)
    used = names(method.server) if method is not None else frozenset()
    return next((param.name for param in entry.params_of(ParamScope.CONNECTION) if param.name in used), "")


def _server(app: ProviderApp) -> str:
    method = entry_of(app).methods.get(app.auth_style)
    return "" if method is None else method.server
