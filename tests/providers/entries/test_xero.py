from typing import Any

import pytest

from providers.catalog.loader import entry
from providers.errors import MisconfiguredProvider
from providers.strategies.workspaces import workspaces
from providers.values import Account
from tests.providers.entries.contract import (
    ALIVE,
    CLIENT,
    DEAD,
    FORBIDDEN,
    GRANT,
    LATER,
    STRATEGY,
    UNAVAILABLE,
    EntryContract,
    connect,
    exchange,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused, target_at

DEMO = "fe79f7dd-b6d4-4a92-ba7b-538af6289c58"
OTHER = "0e9f7dd1-a6d4-4a92-ba7b-538af6289c59"
CONNECTIONS = [
    {"id": "7cb59f93", "tenantId": DEMO, "tenantName": "Demo Company (NZ)", "tenantType": "ORGANISATION"},
    {"id": "8cb59f93", "tenantId": OTHER, "tenantName": "Globex Ltd", "tenantType": "ORGANISATION"},
]
DEFAULTS = "offline_access accounting.settings.read accounting.contacts.read accounting.invoices.read"


class Xero(Vendor):
    """Basic, rotation, and a list of organisations that is both the choice and the proof of life."""

    slug = "xero"
    token_path = "/identity.xero.com/connect/token"
    probe_path = "/api.xero.com/connections"
    revoke_path = "/identity.xero.com/connect/revocation"
    proves_by = "basic"
    rotates = True

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": 1800,
            "token_type": "Bearer",
            "scope": DEFAULTS,
        }

    def me(self) -> Answer:
        return 200, CONNECTIONS, {}

    def dead_token(self) -> Answer:
        return refused(401, {"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"})


class TestXero(EntryContract):
    vendor_class = Xero
    authorize_path = "/login.xero.com/identity/connect/authorize"
    authorization = {"scope": DEFAULTS}
    lifetime = 1800
    scopes = tuple(DEFAULTS.split())
    account = Account(DEMO, "Demo Company (NZ)")
    headers = {"Authorization": "Bearer access-1", "Xero-tenant-id": DEMO}
    base_url = "https://api.xero.com"
    answers = [
        (400, {"error": "invalid_grant"}, GRANT),
        (400, {"error": "invalid_client"}, CLIENT),
        (400, {"error": "unauthorized_client"}, CLIENT),
        (503, b"", LATER),
    ]
    probes = [
        (401, {"Title": "Unauthorized"}, DEAD),
        (403, {"Title": "Forbidden"}, FORBIDDEN),
        (200, CONNECTIONS[1:], FORBIDDEN),
        (200, [], FORBIDDEN),
        (200, {"Title": "odd"}, UNAVAILABLE),
        (200, CONNECTIONS, ALIVE),
    ]

    def test_organisations_are_listed_without_one_being_chosen(
        self, vendor: Vendor, target: Any, provider: Any
    ) -> None:
        held = exchange(vendor, target).credential
        assert target.entry.workspaces.label == "Organisation"
        assert [item.name for item in workspaces(target, held)] == ["Demo Company (NZ)", "Globex Ltd"]
        assert "Xero-tenant-id" not in provider.last.headers

    def test_nothing_is_presented_before_the_choice(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        with pytest.raises(MisconfiguredProvider, match="tenant_id"):
            STRATEGY.present(target, held)

    def test_connection_is_about_the_chosen_organisation(self, vendor: Vendor) -> None:
        _, obtained = connect(vendor, {})
        target = target_at(vendor, params={"tenant_id": OTHER})
        assert STRATEGY.present(target, obtained.credential).headers["Xero-tenant-id"] == OTHER
        assert STRATEGY.probe(target, obtained.credential).account == Account(OTHER, "Globex Ltd")

    def test_used_refresh_token_has_half_an_hour_of_grace(self) -> None:
        method = entry("xero").authorization_code
        assert method is not None
        assert (method.refresh_grace_seconds, method.refresh_idle_lifetime_seconds) == (1800, 60 * 86_400)
