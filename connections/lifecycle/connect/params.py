"""The parameters and provider apps of a connect session.

Parameters come from four sources: the operator or the renewed connection fixes them, the end user types them, the
metadata of the end user's own server names them, or the provider's callback brings them. Each dict of parameters maps a
name in the catalogue entry to its value.
"""

import uuid
from collections.abc import Mapping

from connections.access.targets import entry_of
from connections.models import IN_BROWSER, ConnectSession, ProviderApp
from connections.models.failures import Failure
from connections.refusals import InvalidRequest, SessionUnusable
from providers.catalog.fields import Param
from providers.vocabulary import ParamScope


def apps_for(session: ConnectSession) -> list[ProviderApp]:
    """Return the provider apps from which the end user of ``session`` may choose, in the order of the invitation.

    One query.
    """
    usable = [
        app
        for app in ProviderApp.objects.usable_by(session.tenant).filter(provider__in=session.providers)
        if session.takes(app) and not app.is_draft and app.suspended_at is None
    ]
    if session.tried_by:
        return [app for app in usable if app.id == session.provider_app_id]
    if session.reconnects is not None:
        return [app for app in usable if app.id == session.reconnects.provider_app_id]
    chosen: dict[tuple[str, str], ProviderApp] = {}
    for app in usable:  # the tenant's own come first and hide the shared one
        chosen.setdefault((app.provider, app.auth_style), app)
    return sorted(chosen.values(), key=lambda app: session.providers.index(app.provider))


def chosen_app(session: ConnectSession, app_id: uuid.UUID) -> ProviderApp:
    """Return the provider app of ``session`` with this id, if its step is open. Raises ``SessionUnusable``."""
    check_may_choose(session)
    for app in apps_for(session):
        if app.id == app_id:
            return app
    raise SessionUnusable(Failure.UNKNOWN)


def check_may_choose(session: ConnectSession) -> None:
    """Raise ``SessionUnusable`` unless the step in which an app is chosen is open: "used" or "suspended". No I/O."""
    if session.state not in IN_BROWSER:
        raise SessionUnusable(Failure.USED)
    if session.is_suspended:
        raise SessionUnusable(Failure.SUSPENDED)


def fixed_params(session: ConnectSession) -> dict[str, str]:
    """Return the parameters that the end user does not type: the renewed connection's, then the session's own."""
    fixed = {**session.params, **(session.reconnects.params if session.reconnects is not None else {})}
    return {name: value for name, value in fixed.items() if value}


def params_of(session: ConnectSession, app: ProviderApp) -> dict[str, str]:
    """Return the connection's parameters for ``app``. A fixed value comes before the value that was typed last.

    A parameter that only the callback carries takes its value from the session if the session fixes it, else from the
    callback, else from the renewed connection (``leads_elsewhere``). Parameters of other providers are left out: the
    session may fix some for the other apps on offer. Raises ``AppMisconfigured`` where the entry is gone.
    """
    entry = entry_of(app)
    known = {**session.typed_params, **fixed_params(session)}
    params = {param.name: known[param.name] for param in entry.typed_params(app.auth_style) if param.name in known}
    for param in entry.params_of(ParamScope.DISCOVERED):
        if session.found_params.get(param.name):
            params[param.name] = session.found_params[param.name]
    fixed = fixed_params(session)
    params |= {param.name: fixed[param.name] for param in entry.params_of(ParamScope.INVITATION) if param.name in fixed}
    if app.redirects:
        brought = {**known, **session.callback_params, **session.params}
        params |= {param.name: brought[param.name] for param in _carried(app) if brought.get(param.name)}
    return params


def brought_params(session: ConnectSession, brought: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that only the authorization response carries, checked, for the session to store.

    Raises ``SessionUnusable``: "parameter_missing" where a parameter is missing and no other source knows it, and
    "parameter_unknown" where a value is none of the entry's choices or has the wrong form.
    """
    app = session.provider_app
    known = fixed_params(session)
    checked: dict[str, str] = {}
    for param in _carried(app) if app is not None else ():
        value = brought.get(param.name, "")
        if not value and known.get(param.name):
            continue
        value = value or param.default
        if not value:
            raise SessionUnusable(Failure.PARAMETER_MISSING)
        if not param.accepts(value):
            raise SessionUnusable(Failure.PARAMETER_UNKNOWN)
        checked[param.name] = value
    return checked


def leads_elsewhere(session: ConnectSession) -> bool:
    """Whether the callback named another company, shop or region than the session or the renewed connection has.

    Raises ``AppMisconfigured``.
    """
    app = session.provider_app
    if app is None or not app.redirects:
        return False
    fixed = dict(session.params) if session.allows_account_change else fixed_params(session)
    return any(
        fixed.get(param.name) and session.callback_params.get(param.name, fixed[param.name]) != fixed[param.name]
        for param in _carried(app)
    )


def _carried(app: ProviderApp) -> tuple[Param, ...]:
    return entry_of(app).params_of(ParamScope.CALLBACK)


def checked_params(session: ConnectSession, app: ProviderApp, typed: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the end user typed, or their defaults, for the parameters that are not fixed.

    Raises ``InvalidRequest`` naming the field.
    """
    fixed = fixed_params(session)
    checked: dict[str, str] = {}
    for param in entry_of(app).typed_params(app.auth_style):
        value = fixed.get(param.name) or typed.get(param.name, "").strip() or param.default
        if not param.accepts(value):
            example = f" It looks like {param.example}." if param.example else ""
            raise InvalidRequest(f"Check {param.label}.{example}", field=param.name)
        if param.name not in fixed:
            checked[param.name] = value
    return checked
