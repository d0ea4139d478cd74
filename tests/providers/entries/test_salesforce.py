import time
from typing import Any

import pytest

from providers.errors import MisconfiguredProvider
from providers.values import Account
from providers.vocabulary import ProbeVerdict
from tests.providers.entries.contract import (
    ALIVE,
    CLIENT,
    DEAD,
    FORBIDDEN,
    GRANT,
    LATER,
    ODD,
    STRATEGY,
    UNAVAILABLE,
    EntryContract,
    authorization_url,
    connect,
    exchange,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused, target_at

LOGIN = "/login.salesforce.com/services/oauth2"
HOME = "/acme.my.salesforce.com"
ME = {
    "sub": "https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
    "user_id": "005000000000001AAA",
    "organization_id": "00D000000000001EAA",
    "preferred_username": "ada@acme.example",
}


class Salesforce(Vendor):
    """Names no lifetime, answers dead tokens with plain text, and takes no client at its revocation endpoint."""

    slug = "salesforce"
    token_path = f"{LOGIN}/token"
    probe_path = f"{HOME}/services/oauth2/userinfo"
    revoke_path = f"{LOGIN}/revoke"

    def tokens(self, issued: Issued) -> dict[str, Any]:
        answer = {
            "access_token": issued.access_token,
            "instance_url": f"{self.url}{HOME}",
            "id": "https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
            "token_type": "Bearer",
            "issued_at": "1790000000000",
            "signature": "c2lnbmF0dXJl",
            "scope": "api openid refresh_token",
        }
        return answer | ({"refresh_token": issued.refresh_token} if issued.refresh_token else {})

    def me(self) -> Answer:
        return 200, ME, {}

    def dead_grant(self) -> Answer:
        return refused(400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})

    def wrong_client(self) -> Answer:
        return refused(400, {"error": "invalid_client", "error_description": "invalid client credentials"})

    def dead_token(self) -> Answer:
        return 403, b"Bad_OAuth_Token", {"Content-Type": "text/html"}

    def revoke(self, request: Any) -> Answer:
        if set(request.form) - {"token", "token_type_hint"} or "Authorization" in request.headers:
            return refused(400, {"error": "unsupported_token_type"})
        if request.form["token"] not in self.live | self.renewable:
            return refused(400, {"error": "invalid_token"})
        self.end_grant()
        return 200, b"", {}

    def other(self, request: Any) -> Answer:
        if request.path != f"{LOGIN}/introspect" or not self.is_our_client(request):
            return super().other(request)
        if request.form["token"] not in self.live:
            return 200, {"active": False}, {}
        return 200, {"active": True, "scope": "api openid refresh_token", "exp": int(time.time()) + 7200}, {}


class TestSalesforce(EntryContract):
    vendor_class = Salesforce
    params = {"login_host": "login.salesforce.com"}
    authorize_path = f"{LOGIN}/authorize"
    authorization = {"scope": "api refresh_token openid"}
    may_lose_tokens = True  # in organisations that have switched rotation on
    lifetime = None
    scopes = ("api", "openid", "refresh_token")
    extra = {"instance_url": "https://acme.my.salesforce.com"}
    account = Account("00D000000000001EAA:005000000000001AAA", "ada@acme.example")
    base_url = "https://acme.my.salesforce.com"
    answers = [
        (400, {"error": "invalid_grant", "error_description": "authentication failure"}, GRANT),
        (400, {"error": "inactive_user", "error_description": "user is inactive"}, GRANT),
        (400, {"error": "inactive_org", "error_description": "organization is inactive"}, GRANT),
        (400, {"error": "OAUTH_APP_BLOCKED", "error_description": "this app is blocked by admin"}, GRANT),
        (400, {"error": "OAUTH_APP_ACCESS_DENIED"}, GRANT),
        (400, {"error": "invalid_client_id", "error_description": "client identifier invalid"}, CLIENT),
        (400, {"error": "unknown_error", "error_description": "retry your request"}, LATER),
        (503, b"<html>maintenance</html>", LATER),
        (200, {"instance_url": "https://acme.my.salesforce.com"}, ODD),
    ]
    probes = [
        (403, b"Bad_OAuth_Token", DEAD),
        (401, [{"errorCode": "INVALID_SESSION_ID"}], DEAD),
        (403, b"Missing_OAuth_Scope", FORBIDDEN),
        (403, [{"errorCode": "API_DISABLED_FOR_ORG"}], FORBIDDEN),
        (500, b"", UNAVAILABLE),
        (200, {"user_id": "005000000000001AAA"}, UNAVAILABLE),
        (200, ME, ALIVE),
    ]

    def test_introspection_knows_the_lifetime_and_the_end(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, self.params)
        found = STRATEGY.introspect(target, obtained.credential)
        assert found.verdict is ProbeVerdict.ALIVE
        assert found.expires_in_seconds is not None
        assert 7100 < found.expires_in_seconds <= 7200
        vendor.end_grant()
        assert STRATEGY.introspect(target, obtained.credential).verdict is ProbeVerdict.DEAD

    def test_rotated_token_is_taken_where_the_setting_is_on(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        vendor.scripted.append((200, {"access_token": "a", "refresh_token": "rotated"}, {}))
        renewed = STRATEGY.refresh(target, held).credential
        assert renewed.refresh_token is not None
        assert renewed.refresh_token.get_secret_value() == "rotated"

    def test_person_may_name_their_own_login_host(self, vendor: Vendor) -> None:
        target = target_at(vendor, params={"login_host": "acme--uat.sandbox.my.salesforce.com"})
        assert "/acme--uat.sandbox.my.salesforce.com/services/oauth2/authorize?" in authorization_url(target)
        assert target_at(vendor).params == {"login_host": "login.salesforce.com"}

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "login.salesforce.com.evil.example",
            "my.salesforce.com",
            "acme.my.salesforce.com@evil.example",
            "evil.example/login.salesforce.com",
            "acme.my.salesforce.com:8443",
        ],
    )
    def test_nobody_is_sent_to_a_host_that_is_not_salesforce(self, vendor: Vendor, host: str) -> None:
        with pytest.raises(MisconfiguredProvider, match="login_host"):
            target_at(vendor, params={"login_host": host})
