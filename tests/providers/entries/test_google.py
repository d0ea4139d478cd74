from typing import Any

from providers.catalog.loader import entry
from providers.values import Account
from tests.providers.entries.contract import (
    CLIENT,
    DEAD,
    FORBIDDEN,
    GRANT,
    LATER,
    ODD,
    UNAVAILABLE,
    EntryContract,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused

EMAIL = "https://www.googleapis.com/auth/userinfo.email"


class Google(Vendor):
    """Brings a refresh token only to those who ask for offline access, and keeps it for good."""

    slug = "google"
    token_path = "/oauth2.googleapis.com/token"
    probe_path = "/openidconnect.googleapis.com/v1/userinfo"
    revoke_path = "/oauth2.googleapis.com/revoke"

    def tokens(self, issued: Issued) -> dict[str, Any]:
        answer = {
            "access_token": issued.access_token,
            "expires_in": 3600,
            "scope": f"{EMAIL} openid",
            "token_type": "Bearer",
            "id_token": "e30.e30.",
        }
        return answer | ({"refresh_token": issued.refresh_token} if issued.refresh_token else {})

    def me(self) -> Answer:
        return 200, {"sub": "110000000000000000001", "email": "ada@acme.example", "email_verified": True}, {}

    def dead_grant(self) -> Answer:
        return refused(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})

    def wrong_client(self) -> Answer:
        return refused(401, {"error": "invalid_client", "error_description": "Unauthorized"})

    def dead_token(self) -> Answer:
        return refused(401, {"error": "invalid_request", "error_description": "Invalid Credentials"})

    def revoke(self, request: Any) -> Answer:
        if "client_secret" in request.form or "Authorization" in request.headers:
            return refused(400, {"error": "invalid_request"})
        if request.form["token"] not in self.live | self.renewable:
            return refused(400, {"error": "invalid_token", "error_description": "Token expired or revoked"})
        self.end_grant()
        return 200, {}, {}


class TestGoogle(EntryContract):
    vendor_class = Google
    authorize_path = "/accounts.google.com/o/oauth2/v2/auth"
    authorization = {"access_type": "offline", "prompt": "consent", "scope": f"openid {EMAIL}"}
    scopes = (EMAIL, "openid")
    account = Account("110000000000000000001", "ada@acme.example")
    base_url = "https://www.googleapis.com"
    answers = [
        (400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}, GRANT),
        (400, {"error": "admin_policy_enforced"}, GRANT),
        (401, {"error": "deleted_client", "error_description": "The OAuth client was deleted."}, CLIENT),
        (401, {"error": "disabled_client"}, CLIENT),
        (401, {"error": "unauthorized_client"}, CLIENT),
        (500, {"error": "internal_failure"}, LATER),
        (403, b"<html>sorry</html>", ODD),
    ]
    probes = [
        (401, {"error": "invalid_request"}, DEAD),
        (403, {"error": {"status": "PERMISSION_DENIED"}}, FORBIDDEN),
        (503, b"", UNAVAILABLE),
        (200, {"email": "ada@acme.example"}, UNAVAILABLE),
    ]

    def test_grants_that_lie_idle_are_known_to_end(self) -> None:
        method = entry("google").authorization_code
        assert method is not None
        assert (method.refresh_tokens_rotate, method.refresh_idle_lifetime_seconds) == (False, 180 * 86_400)

    def test_authorization_response_must_carry_no_other_issuer(self) -> None:
        method = entry("google").authorization_code
        assert method is not None
        assert method.issuer == "https://accounts.google.com"
