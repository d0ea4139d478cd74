"""The scopes of a connect session: what may be asked for, what is asked for, and what a connection keeps.

A session may add scopes to a connection (incremental consent). Some providers add what is newly asked for to what was
granted before; the entry says which (``consent_adds``), and only the new scopes are asked for there. At all others a
new grant replaces the earlier one, so that what the connection has is asked for again. In neither case does the
connection lose a scope by it: a grant that brings fewer than it has is not used.
"""

from collections.abc import Iterable, Sequence

from connections.access.targets import entry_of, scope_rules_of
from connections.lifecycle.credentials.scopes import held_scopes, not_allowed
from connections.models import VENDS, Connection, ConnectSession, ProviderApp
from connections.refusals import AppMisconfigured, ExchangeFailed, InvalidRequest
from providers.catalog.schema import CatalogEntry


def check_scopes(
    scopes: Sequence[str] | None,
    *,
    add_scopes: Sequence[str],
    apps: Iterable[ProviderApp],
    renews: Connection | None,
) -> None:
    """Raise ``InvalidRequest`` unless a session may ask for these, at whichever of ``apps`` the end user chooses.

    ``renews`` is the connection to renew. Reads its scopes where some are added: one query.
    """
    field = "add_scopes" if add_scopes else "scopes"
    if add_scopes and scopes is not None:
        raise InvalidRequest("Name either all scopes, or those to add.", field="add_scopes")
    if add_scopes and renews is None:
        raise InvalidRequest("Scopes are added to a connection: name it in `connection`.", field="connection")
    for app in apps:
        entry = entry_of(app)
        if add_scopes and not entry.methods[app.auth_style].takes_scopes:
            raise InvalidRequest(
                f"{entry.name} is connected with a credential whose scopes nobody asks for: let its end user enter"
                " another one.",
                field="add_scopes",
            )
        if denied := not_allowed(add_scopes or scopes or (), allowed=app.allowed_scopes, rules=entry.scope_rules):
            raise InvalidRequest(
                f"The provider app {app.name} does not allow the scopes {', '.join(denied)}: an operator may add them"
                " to its allowed scopes.",
                field=field,
            )
    if renews is not None and add_scopes and renews.status in VENDS:
        held = held_scopes(renews.scopes.all())
        if not scope_rules_of(renews.provider).missing(add_scopes, granted=held, asked=()):
            raise InvalidRequest("The connection has these scopes already.", field="add_scopes")


def requested_scopes(session: ConnectSession, app: ProviderApp, entry: CatalogEntry) -> tuple[str, ...]:
    """Return the scopes to request: the session's, else the provider app's, the server's own, or the entry's defaults.

    What the app and the entry require is added, and what the connection keeps where the session adds to it. Reads the
    scopes of that connection, unless they are loaded. Raises ``AppMisconfigured`` where the app does not allow some.
    """
    named = session.requested_scopes
    if named is None:
        found = session.found_scopes if not entry.default_scopes else None
        named = app.scopes or found or list(entry.default_scopes)
    if denied := not_allowed(named, allowed=app.allowed_scopes, rules=entry.scope_rules):
        raise AppMisconfigured(f"The provider app {app.name} does not allow the scopes {', '.join(denied)}.")
    kept = () if adds_at_provider(session, app, entry) else _kept(session)
    return entry.with_required_scopes([*kept, *named, *app.required_scopes])


def newly_asked(session: ConnectSession, scopes: Iterable[str]) -> list[str]:
    """Return those of the requested ``scopes`` that the connection to renew does not have yet; all for a new one."""
    renewed = session.reconnects
    if renewed is None or not session.adds_scopes:
        return list(scopes)
    return list(scope_rules_of(renewed.provider).missing(scopes, granted=held_scopes(renewed.scopes.all()), asked=()))


def adds_at_provider(session: ConnectSession, app: ProviderApp, entry: CatalogEntry) -> bool:
    """Whether the provider adds what is asked for now to what it granted before. A grant that is over has nothing."""
    renewed = session.reconnects
    lives = renewed is not None and renewed.status in VENDS
    return session.adds_scopes and lives and entry.methods[app.auth_style].consent_adds


def requested_in_all(session: ConnectSession, asked: Sequence[str]) -> tuple[str, ...]:
    """Return what counts as requested for the connection: ``asked`` now, and before where the session adds to it."""
    before = _requested_before(session) if session.adds_scopes else ()
    return tuple(dict.fromkeys([*before, *asked]))


def assumed_scopes(
    session: ConnectSession, app: ProviderApp, entry: CatalogEntry, asked: Sequence[str]
) -> tuple[str, ...]:
    """Return what counts as granted if the provider's answer names no scopes (RFC 6749 §5.1)."""
    if session.reconnects is None or not adds_at_provider(session, app, entry):
        return tuple(asked)
    return tuple(dict.fromkeys([*held_scopes(session.reconnects.scopes.all()), *asked]))


def refuse_loss(session: ConnectSession, connection: Connection, granted: Sequence[str]) -> ExchangeFailed | None:
    """Return the refusal of a grant that was to add scopes and would cost the working ``connection`` some, or None."""
    if not session.adds_scopes or connection.status not in VENDS:
        return None
    lost = scope_rules_of(connection.provider).missing(held_scopes(connection.scopes.all()), granted=granted)
    if not lost:
        return None
    return ExchangeFailed(
        f"The end user allowed less than the connection has: {', '.join(lost)} would be lost. It is as it was. Let them"
        " connect again and allow everything that is listed.",
        reason="scopes_lost",
    )


def _kept(session: ConnectSession) -> list[str]:
    """Return the scopes of the connection to ask for again, in the spelling in which they were requested."""
    if session.reconnects is None or not session.adds_scopes:
        return []
    rows = list(session.reconnects.scopes.all())
    requested = [row.name for row in rows if row.is_requested]
    lacking = scope_rules_of(session.reconnects.provider).missing(requested, granted=held_scopes(rows))
    return [name for name in requested if name not in lacking]


def _requested_before(session: ConnectSession) -> list[str]:
    rows = () if session.reconnects is None else session.reconnects.scopes.all()
    return [row.name for row in rows if row.is_requested]
