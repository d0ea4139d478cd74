"""Which authorization servers a client is told of: those that the operator trusts for this endpoint, and no others."""

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.trusted_issuers import Trust, trust_issuer
from connections.models import IssuerUse, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.mcp.speaking import post, request
from tests.issuing import IDP, Issuer

HERE = "http://testserver/mcp"
METADATA = "/.well-known/oauth-protected-resource/mcp"


def trust(tenant: Tenant | None, *, audience: str = HERE, use: IssuerUse = IssuerUse.CALLER, issuer: str = IDP) -> None:
    terms = Trust(use=use, issuer=issuer, audience=audience, keys=Issuer(IDP, "idp").keys)
    trust_issuer(terms, tenant=tenant, actor=SYSTEM)


def test_the_metadata_names_who_gives_tokens_for_this_endpoint(acme: Tenant) -> None:
    trust(None)
    answer = AsgiClient().get(METADATA)
    assert answer.json() == {
        "resource": HERE,
        "resource_name": "Latchkey",
        "authorization_servers": [IDP],
        "bearer_methods_supported": ["header"],
    }
    refused = post(None, request("ping"))
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == f'Bearer realm="latchkey", resource_metadata="http://testserver{METADATA}"'


@pytest.mark.parametrize("case", ["nobody", "another audience", "another use", "a tenant's own", "a trust domain"])
def test_where_nobody_does_no_client_is_sent_anywhere(case: str, acme: Tenant) -> None:
    match case:
        case "another audience":
            trust(None, audience="https://latchkey.example")
        case "another use":
            trust(None, use=IssuerUse.AGENT)
        case "a tenant's own":
            trust(acme)
        case "a trust domain":
            trust(None, issuer="spiffe://acme.example")
    assert AsgiClient().get(METADATA).status_code == 404
    assert post(None, request("ping"))["WWW-Authenticate"] == 'Bearer realm="latchkey"'
