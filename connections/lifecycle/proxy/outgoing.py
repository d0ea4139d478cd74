"""With what a proxied request leaves: the opened credential, where it goes, and which texts may not come back."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.access.targets import access_of
from connections.lifecycle.credentials.subject_tokens import HeldToken
from connections.lifecycle.vend.opening import open_to_send
from connections.lifecycle.vend.query import VendRow
from connections.models import Connection
from connections.refusals import AppMisconfigured
from providers.catalog.proxying import ProxyLimits
from providers.errors import MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.calling import Attached, Sending
from providers.values import Presentation


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a request to the provider gets: the credential, and the limits of the entry."""

    attached: Attached
    limits: ProxyLimits

    @property
    def shown(self) -> Presentation:
        """How the credential goes into the request, below the ``base_url`` in it."""
        return self.attached.shown

    @property
    def sendings(self) -> Sequence[Sending]:
        """The ways in which the request may leave, the preferred first."""
        return self.attached.sendings


def open_outgoing(row: VendRow, held: HeldToken | None = None) -> Outgoing:
    """Open the credential of ``row`` for one request; ``held`` is one that acts for a subject in its place.

    A few queries where each request is signed by our client. Records a credential that does not open, as a vend does.
    Raises ``CredentialUnreadable``, ``AppMisconfigured`` and ``EndpointMoved``.
    """
    target, credential = open_to_send(row, held)
    if target.proxy_only and row.connection_id is not None:
        whole = Connection.objects.select_related("provider_app", "registered_client")
        access = access_of(whole.get(id=row.connection_id))  # with what signs: the registration and its key
        access.check_grantor(credential)
        target = access.target
    try:
        attached = strategy_for(target.style).attach(target, credential)
    except MisconfiguredProvider as error:
        raise AppMisconfigured(error.evidence.detail) from None
    if not attached.shown.base_url:
        raise AppMisconfigured("The provider's catalogue entry names no base_url, so there is nowhere to proxy to.")
    return Outgoing(attached, target.entry.proxy)
