"""The proxy, as the OpenAPI document describes it. ``proxy_desk`` answers it before Django, because it streams."""

import uuid
from typing import Annotated, NoReturn

from django.http import HttpRequest
from ninja import Header, Path, Router, Schema
from pydantic import Field

from connections.refusals import NotFound

router = Router(tags=["proxy"])

# HEAD and OPTIONS pass as well.
_DOCUMENTED = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Stated(Schema):
    """What a caller states of a call, each in a header."""

    tenant: str | None = Field(None, alias="Latchkey-Tenant", description="for operator-wide clients")
    end_user: str | None = Field(None, alias="Latchkey-End-User", description="on whose behalf the call is made")
    groups: str | None = Field(None, alias="Latchkey-Groups", description="the end user's, with commas between them")
    agent: str | None = Field(None, alias="Latchkey-Agent", description="who acts, for the audit trail")
    purpose: str | None = Field(None, alias="Latchkey-Purpose", description="what for, for the audit trail")
    subject_token: str | None = Field(
        None,
        alias="Latchkey-Subject-Token",
        description="of whoever you serve, where a connection acts for subjects",
    )
    scopes: str | None = Field(None, alias="Latchkey-Scopes", description="that the credential must have, with spaces")
    prefer: str | None = Field(None, alias="Prefer", description="`wait=N`: seconds to wait for a refresh or a turn")


def call_through_proxy(
    request: HttpRequest,
    connection_id: uuid.UUID,
    path: Annotated[str, Path(description="below the connection's base URL; its query follows it")],
    stated: Annotated[Stated, Header()],
) -> NoReturn:
    """Send the request to the connection's provider with its credential, and get the provider's answer, as streams.

    Body, query and most headers pass as they are; what would name a caller or a credential does not. Allowed are the
    methods and paths of the API client's proxy rules, or of an access grant. `Latchkey-Outcome` of the answer is
    `upstream` for the provider's own, whatever its status, and `refused` for a problem document.
    """
    raise NotFound("The proxy is served by the ASGI application only.")


for _method in _DOCUMENTED:
    router.api_operation(
        [_method],
        "/connections/{connection_id}/proxy/{path:path}",
        response={200: None},
        operation_id=f"proxy_{_method.lower()}",
        summary=f"{_method} through the proxy",
    )(call_through_proxy)
