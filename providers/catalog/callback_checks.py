"""What must agree where the authorization response brings parameters: their names, their choices and where they may go.

The browser delivers that response, so the end user can change a parameter in it. A parameter may choose among the hosts
that the entry lists, but must never name one.
"""

from collections.abc import Iterator

from providers.catalog.fields import Param
from providers.catalog.host_checks import names_any_host
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import uses
from providers.vocabulary import ParamScope

# Connection parameters are shown to people, so no secret may become one.
_NEVER_A_PARAM = frozenset({"access_token", "refresh_token", "id_token", "client_secret", "session_state", "iss"})


def callback_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with what ``entry`` says of its authorization response: the key, and what to do. No I/O."""
    brought = entry.params_of(ParamScope.CALLBACK)
    for param in entry.params:
        yield from _param_problems(entry, param)
    method = entry.authorization_code
    if method is None:
        for param in brought:
            yield f"params.{param.name}: only [authorization_code] has a callback; give it another scope"
        return
    ours = [method.callback.code, method.callback.state, method.callback.error]
    for name in sorted({name for name in ours if ours.count(name) > 1 or name == "iss"}):
        yield f"authorization_code.callback: {name!r} stands for two things; give each parameter a name of its own"
    keys = ("authorization_url", "pushed_authorization_url", "issuer", "resource")
    early = {key: getattr(method, key) for key in keys}
    early |= {f"authorization_params.{name}": value for name, value in method.authorization_params.items()}
    for key, template in early.items():
        for param in brought:
            if uses(template, param.name):
                yield (
                    f"authorization_code.{key}: uses {{{param.name}}}, which is not known before the callback; leave "
                    "it out, or let the end user type it (scope connection)"
                )
    for param in brought:
        for key, template in _addresses(entry):
            if names_any_host(template, param):
                yield (
                    f"{key}: lets the callback name any host by {{{param.name}}}; list the hosts as its choices, or "
                    "narrow its pattern to a domain of the provider's"
                )


def _param_problems(entry: CatalogEntry, param: Param) -> Iterator[str]:
    key = f"params.{param.name}"
    if (param.scope is ParamScope.CALLBACK) != (param.callback is not None):
        yield f'{key}: scope "callback" and `callback`, the name in the authorization response, go together'
    if param.choices and param.scope is ParamScope.WORKSPACE:
        yield f"{key}.choices: the workspaces are the choices; remove them"
    if "" in param.choices or "" in param.choices.values():
        yield f"{key}.choices: one is empty; give each a name and a value"
    method = entry.authorization_code
    if method is not None and param.callback in (*method.callback.model_dump().values(), *_NEVER_A_PARAM):
        yield f"{key}.callback: {param.callback!r} may be a secret or is read already; it cannot become a parameter"


def _addresses(entry: CatalogEntry) -> Iterator[tuple[str, str]]:
    method = entry.authorization_code
    if method is not None:
        for name in ("token_url", "refresh_url", "revocation_url", "introspection_url"):
            yield f"authorization_code.{name}", getattr(method, name)
    yield "base_url", entry.base_url
    for style, presentation in entry.presentations.items():
        yield f"presentation.{style}.base_url", presentation.base_url
    if entry.probe is not None:
        yield "probe.url", entry.probe.url
    if entry.workspaces is not None:
        yield "workspaces.url", entry.workspaces.url
