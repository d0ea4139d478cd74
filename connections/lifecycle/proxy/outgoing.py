"""With what a proxied request leaves: the opened credential, where it goes, and which texts may not come back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from connections.access.targets import access_of
from connections.lifecycle.vend.opening import open_to_send
from connections.lifecycle.vend.query import VendRow
from connections.models import Connection
from connections.refusals import AppMisconfigured
from providers.catalog.proxying import ProxyLimits
from providers.catalog.resolve import Target
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.calling import Sending
from providers.values import Credential, Presentation


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a request to the provider gets.

    ``shown`` is how the credential goes into it, below ``shown.base_url``; ``sendings`` are the ways in which it may
    leave, the preferred first. ``secrets`` are taken out of the answer.
    """

    shown: Presentation
    limits: ProxyLimits
    sendings: Sequence[Sending] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def open_outgoing(row: VendRow, connection: Connection) -> Outgoing:
    """Open the credential of ``row`` for one request. A few queries where each request is signed by our client.

    Records a credential that does not open, as a vend does. Raises ``CredentialUnreadable``, ``AppMisconfigured`` and
    ``EndpointMoved``.
    """
    target, credential = open_to_send(row)
    if target.proxy_only:
        access = access_of(connection)  # with what signs: the registration and its key
        access.check_grantor(credential)
        target = access.target
    try:
        shown, sendings = strategy_for(target.style).attach(target, credential)
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    if not shown.base_url:
        raise AppMisconfigured("The provider's catalogue entry names no base_url, so there is nowhere to proxy to.")
    secrets = tuple(dict.fromkeys(_secrets(target, credential, shown)))
    return Outgoing(shown=shown, limits=target.entry.proxy, sendings=sendings, secrets=secrets)


def _secrets(target: Target, credential: Credential, shown: Presentation) -> Iterator[str]:
    """Yield every text that gives the credential away, or a part of it."""
    plain = {found.name for found in target.method.typed_fields if not found.secret}
    for token in (credential.access_token, credential.refresh_token, *target.registration.client_secrets):
        if token is not None:
            yield token.get_secret_value()
    for name, value in credential.fields.items():
        if name not in plain:
            yield value.get_secret_value()
    public = {value.get_secret_value() for name, value in credential.fields.items() if name in plain}
    for presented in chain(shown.headers.values(), shown.query.values(), shown.body.values()):
        # ``Basic dXNlcjpwYXNz`` is a scheme and a secret.
        yield from (
            word for word in presented.split() if word not in public and word.lower() not in ("bearer", "basic")
        )
