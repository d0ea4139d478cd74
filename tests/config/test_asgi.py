"""The entry point: what a call of the API goes through, and that a page goes through all."""

import gc
import json
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from connections.lifecycle.vend import vend
from connections.models import Connection, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def backend(acme: Tenant) -> Caller:
    return make_caller(acme)


@pytest.fixture
def connection(acme: Tenant) -> Connection:
    return make_connection(acme)


def test_a_call_of_the_api_passes_by_what_only_pages_need(connection: Connection, backend: Caller) -> None:
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert answer.status_code == 200
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    for header in ("Content-Security-Policy", "Vary", "Set-Cookie", "X-Frame-Options"):
        assert header not in answer
    page = AsgiClient().get("/admin/login/")
    assert (page.status_code, page["X-Frame-Options"]) == (200, "DENY")
    assert "Content-Security-Policy" in page and "Vary" in page


@pytest.mark.parametrize("path", settings.API_MIDDLEWARE)
def test_no_middleware_of_the_api_hooks_into_views(path: str) -> None:
    """``ApiApart`` calls the view itself."""
    for hook in ("process_view", "process_exception", "process_template_response"):
        assert not hasattr(import_string(path), hook)


def test_a_foreign_host_gets_nothing_of_the_api(backend: Caller) -> None:
    answer = AsgiClient().get("/api/v1/connections", headers={**backend.headers, "host": "evil.example"})
    assert answer.status_code == 400


def test_another_name_of_this_host_leads_to_the_public_one() -> None:
    answer = AsgiClient().get("/api/v1/openapi.json", headers={"host": "localhost:1"})
    assert (answer.status_code, answer["Location"]) == (301, f"{settings.PUBLIC_URL}/api/v1/openapi.json")


def test_a_crash_is_the_document_that_a_caller_gets(
    connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("of our own")

    monkeypatch.setattr(vend, "run_vend_statement", fail)
    answer = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (500, "internal_error")
    assert b"of our own" not in answer.content


def test_garbage_is_collected_once_a_web_process_is_loaded() -> None:
    import_string("config.asgi.application")
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
