"""Which hosts of an entry's addresses a connection names itself: anybody's, or at least one with its account's name.

``host_checks`` keeps such values from deciding where a shared secret goes; here they decide who answers for whom.
"""

from collections.abc import Mapping
from functools import lru_cache

from providers.catalog.base_method import Method
from providers.catalog.fields import Param
from providers.catalog.host_checks import names_any_host, origin_of
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import uses
from providers.vocabulary import ParamScope


def own_addresses(entry: CatalogEntry, method: Method, params: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a connection with these ``params`` says of where it leads, if it could have named any host. No I/O.

    These are the values of the parameters by which it names a host that anybody may run, such as a server of its
    company's own; () where all addresses are the provider's, or the entry's default. ``params`` holds the values as
    templates get them.
    """
    typed = [param for param in entry.params if _is_its_own(param, params)]
    if not typed:
        return ()
    templates = _called(entry, method)
    return tuple(
        params[param.name]
        for param in typed
        if any(_leads_anywhere(template, param.name, param.pattern) for template in templates)
    )


def names_account_host(entry: CatalogEntry, method: Method, params: Mapping[str, str]) -> bool:
    """Whether a value of the connection's stands in the name of a host that is called: its shop, its subdomain. No I/O.

    A region out of the entry's list is none: all accounts of the region share that host.
    """
    typed = [param.name for param in entry.params if _is_its_own(param, params)]
    if not typed:
        return False
    origins = [origin_of(template) for template in _called(entry, method)]
    return any(uses(origin, name) for origin in origins for name in typed)


def base_url_of(entry: CatalogEntry, method: Method) -> str:
    """Return the template of the address to which the credential of this style goes. No I/O."""
    presentation = entry.presentations.get(method.style)
    return (presentation.base_url if presentation is not None else "") or entry.base_url


def _is_its_own(param: Param, params: Mapping[str, str]) -> bool:
    """Whether the connection brings a value of its own: no choice out of the entry's list, and no default."""
    is_free = param.scope is not ParamScope.APP and not param.choices
    return is_free and params.get(param.name, param.default) != param.default


def _called(entry: CatalogEntry, method: Method) -> tuple[str, ...]:
    """Return the templates of all addresses that are called for a connection of this style."""
    probe = entry.probe.url if entry.probe is not None else ""
    own = (own.call.url for own in method.calls.values())
    return (base_url_of(entry, method), probe, method.server, *method.urls.values(), *own)


@lru_cache(maxsize=4096)
def _leads_anywhere(template: str, name: str, pattern: str) -> bool:
    """Do as ``names_any_host``, once for each template: it tries some forty values."""
    return names_any_host(template, Param(name=name, label=name, pattern=pattern))
