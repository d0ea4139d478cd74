"""Passkeys in real Chromium, with a device of its own: enrolled, to log in with, as a second factor, and as a proof."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from connections.lifecycle.provision.staff import new_token
from connections.models import AuditEvent, Tenant
from tests.browser import account
from tests.campaigns.screens import chromium, visitor
from tests.connections.admin.conftest import press_url
from tests.factories import make_tenant


@pytest.fixture
def home(transactional_db: None, settings: Any) -> Iterator[str]:
    """Latchkey at a name, without which there are no passkeys: served by this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings.SECOND_FACTOR_REQUIRED = True
    settings.ADMIN_URL = settings.WIDGET_URL = settings.API_URL = f"http://localhost:{port}"
    settings.CSRF_TRUSTED_ORIGINS = [settings.ADMIN_URL]
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    server = LiveServer(f"localhost:{port}")
    try:
        yield settings.ADMIN_URL
    finally:
        server.stop()


def walk(
    home: str, token: str, address: str, look: account.Look, *, size: str = "desktop", scheme: Any = "light"
) -> list[str]:
    """Go all the way from a fresh installation, and return what the browser complained about."""
    with chromium() as browser, visitor(browser, size, scheme) as (_, page, complaints):
        account.give_device(page)
        account.make_first(page, home, token, look)
        account.type_password(page, home)
        account.set_up_app(page, look)
        account.add_passkey(page, home, look)
        account.log_out(page)
        account.log_in_by_passkey(page, look)
        account.log_out(page)
        account.log_in_by_both(page, home, look)
        account.suspend(page, f"{home}{address}", look)
        return complaints


def test_a_passkey_logs_in_is_a_second_factor_and_proves_who_it_is(home: str) -> None:
    tenant = make_tenant("acme")
    complaints = walk(home, new_token(), press_url(tenant, "suspend"), lambda page, name: None)
    assert complaints == []
    assert Tenant.objects.get().suspended_at is not None
    logins = AuditEvent.objects.filter(action="operator.login", decision="allowed").order_by("id")
    assert [row.detail["by"] for row in logins] == [["password"], ["webauthn"], ["password", "webauthn"]]
    proof = AuditEvent.objects.filter(action="operator.proof", decision="allowed").latest("id")
    assert proof.detail == {"by": "webauthn"}
