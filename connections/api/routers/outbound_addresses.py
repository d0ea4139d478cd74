"""``/outbound-addresses``: from where providers see our calls."""

from django.http import HttpRequest
from ninja import Router
from ninja.params.functions import Query
from pydantic import BaseModel, Field

from connections.api.auth import operator_of
from connections.lifecycle.steer.outbound_addresses import outbound_addresses
from connections.models import Permission

router = Router(tags=["providers"])

_ASK = Query(True, description="ask the service that is set up for it, if there is one")


class OutboundAddressesOut(BaseModel):
    """From which addresses our calls come, as far as is known."""

    to_list: list[str] = Field(description="what to write on a provider's list; empty where nothing is known")
    stated: list[str] = Field(description="what the installation states")
    seen: str = Field(description='what the service that was asked saw of one call; "" where none told')
    asked: str = Field(description='the host of that service; "" where none was asked')
    proxy: str = Field(description='the proxy through which calls go; "" for none')
    notes: list[str] = Field(description="what to know of it, in words")


@router.get("", response=OutboundAddressesOut, summary="Say from which addresses providers are called")
def get_outbound_addresses(request: HttpRequest, ask: bool = _ASK) -> OutboundAddressesOut:
    """Say which addresses to allow at providers that keep a list. Operator-wide clients only.

    The service at EGRESS_ECHO_URL, if there is one, is asked what it sees, for up to 10 seconds.
    """
    operator_of(request, may=Permission.READ)
    found = outbound_addresses(asks=ask)
    return OutboundAddressesOut(
        to_list=list(found.to_list),
        stated=list(found.stated),
        seen=found.seen,
        asked=found.echo,
        proxy=found.proxy,
        notes=list(found.notes),
    )
