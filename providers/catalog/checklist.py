"""The checklist of an entry: what an operator does at the provider before anybody can connect, a sentence each.

It is made of the entry's ``[registration]``, of its scopes, and of what its style needs. ``manage.py providers show``
and the admin show it.
"""

from providers.catalog.schema import CatalogEntry
from providers.vocabulary import ParamScope

_SHOWN_SCOPES = 12


def checklist_of(entry: CatalogEntry, style: str, *, redirect_uri: str = "") -> tuple[str, ...]:
    """Return the steps before end users can connect to ``entry`` by ``style``; () if there are none. No I/O.

    ``redirect_uri`` is that of the provider app, if there is one already.
    """
    method = entry.methods.get(style)
    if method is None:
        return ()
    steps: list[str] = []
    if method.registers_client:
        where = f" at {entry.registration.console}" if entry.registration.console else ""
        steps.append(f"Register an app with {entry.name}{where}, and enter its client id and secret here.")
    if method.redirects:
        uri = redirect_uri or "the redirect URI that the provider app shows once it is saved here"
        steps.append(f"Enter there as the redirect URI, exactly as it is: {uri}")
    if method.registers_client:
        steps += entry.registration.steps
        if method.takes_scopes and entry.scopes:
            steps.append(f"Allow the app these scopes, if the form asks for them: {_scopes(entry)}.")
    for param in entry.params_of(ParamScope.APP):
        if not param.default:
            steps.append(f"Have ready: {param.label}{f' ({param.help})' if param.help else ''}.".replace(".).", ")."))
    if method.registers_client and entry.registration.review:
        steps.append(entry.registration.review)
    return tuple(steps)


def _scopes(entry: CatalogEntry) -> str:
    asked = list(entry.with_required_scopes(entry.default_scopes)) or [scope.name for scope in entry.scopes]
    more = len(asked) - _SHOWN_SCOPES
    return ", ".join(asked[:_SHOWN_SCOPES]) + (f" and {more} more" if more > 0 else "")
