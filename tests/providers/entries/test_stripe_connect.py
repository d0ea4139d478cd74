from typing import Any

import pytest

from providers.errors import MisconfiguredProvider
from providers.values import Account, Credential, SecretStr
from tests.providers.entries.contract import (
    CLIENT,
    DEAD,
    FORBIDDEN,
    GRANT,
    LATER,
    STRATEGY,
    UNAVAILABLE,
    EntryContract,
    connect,
)
from tests.providers.entries.vendor import CLIENT_ID, CLIENT_SECRET, Answer, Issued, Vendor, refused

ACCOUNT = "acct_1032D82eZvKYlo2C"


class StripeConnect(Vendor):
    """The client secret is an API key; an account is disconnected by its name."""

    slug = "stripe-connect"
    token_path = "/connect.stripe.com/oauth/token"
    probe_path = "/api.stripe.com/v1/account"
    revoke_path = "/connect.stripe.com/oauth/deauthorize"
    takes_pkce = False

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token or "refresh-1",
            "livemode": False,
            "token_type": "bearer",
            "stripe_publishable_key": "pk_test_1",
            "stripe_user_id": ACCOUNT,
            "scope": "read_write",
        }

    def me(self) -> Answer:
        return 200, {"id": ACCOUNT, "settings": {"dashboard": {"display_name": "Acme", "timezone": "Etc/UTC"}}}, {}

    def dead_token(self) -> Answer:
        return refused(403, {"error": {"code": "account_invalid", "type": "invalid_request_error"}})

    def revoke(self, request: Any) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {CLIENT_SECRET}":
            return refused(401, {"error": {"type": "invalid_request_error"}})
        if request.form != {"client_id": CLIENT_ID, "stripe_user_id": ACCOUNT} or not self.live:
            text = "This application is not connected to that account, or it does not exist."
            return refused(401, {"error": "invalid_client", "error_description": text})
        self.end_grant()
        return 200, {"stripe_user_id": ACCOUNT}, {}


class TestStripeConnect(EntryContract):
    vendor_class = StripeConnect
    authorize_path = "/connect.stripe.com/oauth/authorize"
    authorization = {"scope": "read_write"}
    sends_challenge = False
    lifetime = 365 * 86_400
    scopes = ("read_write",)
    extra = {"stripe_user_id": ACCOUNT, "stripe_publishable_key": "pk_test_1"}
    account = Account(ACCOUNT, "Acme")
    base_url = "https://api.stripe.com"
    answers = [
        (400, {"error": "invalid_grant", "error_description": "Refresh token does not exist"}, GRANT),
        (401, {"error": "invalid_client", "error_description": "No such API key"}, CLIENT),
        (429, {"error": {"code": "rate_limit"}}, LATER),
        (500, {"error": {"type": "api_error"}}, LATER),
    ]
    probes = [
        (401, {"error": {"type": "invalid_request_error"}}, DEAD),
        (403, {"error": {"code": "account_invalid"}}, DEAD),
        (403, {"error": {"code": "more_permissions_required"}}, FORBIDDEN),
        (429, {"error": {"code": "rate_limit"}}, UNAVAILABLE),
    ]

    def test_caller_learns_the_account(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, {})
        assert STRATEGY.present(target, obtained.credential).params["stripe_user_id"] == ACCOUNT

    def test_account_that_is_not_known_cannot_be_disconnected(self, target: Any, provider: Any) -> None:
        with pytest.raises(MisconfiguredProvider, match="stripe_user_id"):
            STRATEGY.revoke(target, Credential(access_token=SecretStr("access-1")))
        assert provider.requests == []
