"""Parties: whom the calls of a connection go to. What one connection learns there counts for all of the same party.

Almost always that is the provider, by way of its provider app. But where a connection names a host that anybody may
run, or where the app registers itself at one server after the other, the app stands before many parties, and one of
them may be broken, or hostile. What it answers must not hold back the connections that lead elsewhere: neither its
``Retry-After`` nor its silence, and no incident of it.

A host that only carries an account's name (``{shop}.myshopify.com``) is the provider's own. It is no party by itself:
where such hosts fail, the provider fails. Only a wait that one of them asks for is that account's (``throttle``).
"""

import uuid
from collections.abc import Hashable
from dataclasses import dataclass
from urllib.parse import urlsplit

from connections.models import Connection, ProviderApp, RegisteredClient
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.own_hosts import own_addresses
from providers.catalog.resolve import Target


@dataclass(frozen=True, slots=True)
class Party:
    """One of the parties before which a provider app stands. ``at`` names it to people, by its host."""

    id: uuid.UUID
    at: str


def party_of(app: ProviderApp, target: Target, client: RegisteredClient | None) -> Party | None:
    """Return the party behind ``target``, None where it is the provider of ``app``. No I/O.

    It is known by the address that the connection names, as it is written, and by our client there: two servers with
    one authorization server are two parties, so that neither answers for the other.
    """
    return _party(app, target.own_addresses, client)


def party_named(app: ProviderApp, party_id: uuid.UUID) -> Party:
    """Return the party with this id, as one of its connections describes it. One query."""
    of_it = Connection.objects.filter(provider_app=app, party=party_id).select_related("registered_client").first()
    try:
        method = entry(app.provider).methods.get(app.auth_style)
        own = own_addresses(entry(app.provider), method, of_it.params) if of_it is not None and method else ()
    except UnknownProvider:
        own = ()
    return Party(party_id, _hosts(own, of_it.registered_client if of_it is not None else None))


def places(app_id: uuid.UUID, *, tenant_id: uuid.UUID | None, party: uuid.UUID | None) -> tuple[Hashable, ...]:
    """Return by whom a call counts in the bulkhead, the widest first. No I/O.

    Where the address is a connection's own, its tenant stands between: whoever types many addresses takes the places of
    that tenant, and not those of the others.
    """
    return (app_id,) if party is None else (app_id, tenant_id, party)


def _party(app: ProviderApp, own: tuple[str, ...], client: RegisteredClient | None) -> Party | None:
    if client is None and not own:
        return None
    named = "\n".join(["" if client is None else str(client.id), *own])
    return Party(uuid.uuid5(app.id, named), _hosts(own, client))


def _hosts(own: tuple[str, ...], client: RegisteredClient | None) -> str:
    """Return the hosts, without what else an address may hold: it is shown, and may be a secret."""
    addresses = own or ((client.issuer,) if client is not None else ())
    return ", ".join(_host(address) for address in addresses)[:200]


def _host(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
