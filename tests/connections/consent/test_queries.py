"""What each page of the widget asks of the database: people wait for every query."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import ProviderApp, Tenant
from providers.catalog.methods import ApiKeyMethod
from providers.sandbox.client import SandboxProcess
from tests.factories import make_sandbox_app
from tests.flows import EndUser

# With a query more a page is looked at again; nobody is told off for one less.
MOST = {"landing": 6, "choose": 6, "method": 7, "outcome": 4, "nowhere": 0}


@pytest.fixture
def asked(alice: EndUser, app: ProviderApp, acme: Tenant, sandbox: SandboxProcess) -> dict[str, int]:
    """How many queries each page makes, its first time left out."""
    make_sandbox_app(sandbox, tenant=acme, style=ApiKeyMethod.style)
    fresh, begun = alice.invite(), alice.invite()
    alice.start(begun)
    paths = {
        "landing": f"/connect/{fresh.id}",
        "choose": f"/connect/{begun.id}/choose",
        "method": f"/connect/{begun.id}/method/{app.id}",
        "outcome": f"/connect/{begun.id}/outcome/not_finished",
        "nowhere": "/nowhere",
    }
    counted = {}
    for name, path in paths.items():
        for _ in range(2):
            with CaptureQueriesContext(database) as queries:
                answer = alice.browser.get(path, headers={"sec-fetch-dest": "document"})
            assert answer.status_code == (404 if name == "nowhere" else 200), name
        counted[name] = len(queries)
    return counted


def test_no_page_asks_more_than_it_has_to(asked: dict[str, int]) -> None:
    assert {name: count for name, count in asked.items() if count > MOST[name]} == {}
