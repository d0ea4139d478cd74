"""What must agree where an MCP server's own metadata names the endpoints (RFC 9728)."""

from collections.abc import Iterator

from providers.catalog.schema import CatalogEntry
from providers.catalog.template import uses
from providers.vocabulary import ParamScope

RESOURCE = "resource"


def resource_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with what is found through a server of the end user's: the key, and what to do. No I/O."""
    found = entry.params_of(ParamScope.DISCOVERED)
    method = entry.authorization_code
    server = method.protected_resource if method is not None else ""
    for param in found:
        if param.name != RESOURCE or not server:
            yield (
                f"params.{param.name}: nothing fills it; only {RESOURCE!r} is discovered, from the server that "
                "authorization_code.protected_resource names"
            )
    if method is None or not server:
        return
    key = "authorization_code.protected_resource"
    if not method.discover or method.issuer:
        yield f"{key}: the server names its issuer; say discover = true, and no issuer"
    if not method.resource:
        yield f'{key}: an MCP server is named in each request; say resource = "{{{RESOURCE}}}", and declare that param'
    elsewhere = {"token_url": method.token_url, "authorization_url": method.authorization_url}
    elsewhere |= {"revocation_url": method.revocation_url, "introspection_url": method.introspection_url}
    for name, template in elsewhere.items():
        if template:
            yield f"authorization_code.{name}: each authorization server has its own; leave it to discovery"
    for param in (*entry.params_of(ParamScope.CALLBACK), *entry.params_of(ParamScope.WORKSPACE), *found):
        if uses(server, param.name):
            yield f"{key}: {{{param.name}}} is not known before the server is asked; let the end user type it"
