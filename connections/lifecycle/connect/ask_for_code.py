"""Ask for a code: the end user will enter it at the provider's own page, on whichever device (RFC 8628 §3.1)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connections.access.targets import access_to, registrar_of
from connections.database.locks import lock_session
from connections.database.pool import release_database, short_transaction
from connections.lifecycle.connect.not_asked import refusal_to_ask
from connections.lifecycle.connect.params import checked_params, chosen_app, params_of
from connections.lifecycle.connect.scopes import requested_scopes
from connections.lifecycle.connect.session import check_browser, data_key_of
from connections.lifecycle.connect.shown_code import ShownCode, seal_shown
from connections.lifecycle.connect.trace import traced
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import ConnectSession, ProviderApp
from connections.models.failures import Failure
from connections.refusals import SessionUnusable
from providers.errors import ProviderError


@traced("ask_for_code")
def ask_for_code(
    session: ConnectSession,
    app: ProviderApp,
    *,
    params: Mapping[str, str],
    browser_secret: str | None,
    now: datetime,
) -> None:
    """Ask the provider for a code, and keep it in the session for its page.

    ``session`` and ``app`` are as the caller has just read them for this browser (``own_session``, ``chosen_app``).
    ``params`` holds what the end user typed, by the names of the entry's parameters. A new code replaces an earlier
    one. Makes an HTTP call and holds no lock during it; then one short transaction that locks the session. Raises
    ``InvalidRequest`` naming the field, ``ProviderDown``, ``AppMisconfigured`` and ``SessionUnusable``.
    """
    typed = checked_params(session, app, params)
    session.typed_params = typed
    key = data_key_of(session)
    access = access_to(app, params_of(session, app), key=key)
    registrar, scopes = registrar_of(app), requested_scopes(session, app, access.target.entry)
    release_database()
    try:
        with bulkhead.place(*access.places(app, tenant_id=session.tenant_id)):
            grant = access.strategy.ask_for_code(access.target, scopes)
    except ProviderError as error:
        raise refusal_to_ask(session, app, access, error) from None
    with short_transaction() as then:
        locked = lock_session(id=session.id)
        if locked is None:
            raise SessionUnusable(Failure.UNKNOWN)
        check_browser(locked, browser_secret, now=then)
        chosen_app(locked, app.id)
        shown = ShownCode(grant, then + timedelta(seconds=grant.lifetime_seconds), registrar)
        locked.show_code(
            app, typed_params=typed, code_verifier=seal_shown(locked, shown, key=key), poll_at=then + shown.interval
        )
