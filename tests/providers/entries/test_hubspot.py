from typing import Any

from providers.values import Account
from tests.providers.entries.contract import (
    CLIENT,
    DEAD,
    FORBIDDEN,
    GRANT,
    LATER,
    STRATEGY,
    UNAVAILABLE,
    EntryContract,
    exchange,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused

API = "/api.hubapi.com"


class HubSpot(Vendor):
    """Names its errors twice, lists scopes under another name, and forgets access tokens one by one."""

    slug = "hubspot"
    token_path = f"{API}/oauth/2026-03/token"
    probe_path = f"{API}/account-info/2026-03/details"
    revoke_path = f"{API}/oauth/2026-03/token/revoke"

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "token_type": "bearer",
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token or "refresh-1",
            "expires_in": 1800,
            "hub_id": 123456,
            "scopes": ["oauth", "crm.objects.contacts.read"],
        }

    def me(self) -> Answer:
        return 200, {"portalId": 123456, "accountType": "STANDARD", "uiDomain": "app.hubspot.com"}, {}

    def dead_grant(self) -> Answer:
        text = "refresh token is invalid, expired or revoked"
        body = {"error": "invalid_grant", "error_description": text, "status": "BAD_REFRESH_TOKEN", "message": text}
        return refused(400, body)

    def wrong_client(self) -> Answer:
        return refused(400, {"status": "BAD_CLIENT_SECRET", "message": "client secret does not match"})

    def dead_token(self) -> Answer:
        return refused(401, {"status": "error", "category": "EXPIRED_AUTHENTICATION"})

    def revoke(self, request: Any) -> Answer:
        if not self.is_our_client(request):
            return self.wrong_client()
        token = request.form["token"]
        known = self.renewable if request.form["token_type_hint"] == "refresh_token" else self.live
        if token not in known:
            return refused(400, {"category": "VALIDATION_ERROR", "message": "Token is invalid", "correlationId": "c"})
        known.discard(token)
        return 200, b"", {}


class TestHubSpot(EntryContract):
    vendor_class = HubSpot
    authorize_path = "/app.hubspot.com/oauth/authorize"
    authorization = {"scope": "oauth crm.objects.contacts.read"}
    lifetime = 1800
    scopes = ("oauth", "crm.objects.contacts.read")
    extra = {"hub_id": "123456"}
    account = Account("123456")
    base_url = "https://api.hubapi.com"
    answers = [
        (400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, GRANT),
        (400, {"status": "BAD_AUTH_CODE", "message": "missing or unknown auth code"}, GRANT),
        (400, {"error": "invalid_grant"}, GRANT),
        (400, {"status": "BAD_CLIENT_ID", "message": "missing or unknown client id"}, CLIENT),
        (401, {"error": "invalid_client"}, CLIENT),
        (429, {"status": "error", "errorType": "RATE_LIMIT"}, LATER),
        (502, b"", LATER),
    ]
    probes = [
        (401, {"category": "INVALID_AUTHENTICATION"}, DEAD),
        (403, {"category": "MISSING_SCOPES"}, FORBIDDEN),
        (429, {}, UNAVAILABLE),
        (200, {}, UNAVAILABLE),
    ]

    def test_scopes_stay_as_granted_where_none_are_listed(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        vendor.scripted.append((200, {"access_token": "a", "expires_in": 1800}, {}))
        assert STRATEGY.refresh(target, held).scopes is None

    def test_access_token_is_revoked_besides_the_refresh_token(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        STRATEGY.revoke(target, held)
        assert (vendor.live, vendor.renewable) == (set(), set())
