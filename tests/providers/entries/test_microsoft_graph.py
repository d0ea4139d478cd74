from typing import Any

import pytest

from providers.catalog.resolve import Target
from providers.errors import GrantRejected
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

LOGIN = "/login.microsoftonline.com/organizations/oauth2/v2.0"


def aadsts(code: int, error: str) -> dict[str, Any]:
    return {"error": error, "error_description": f"AADSTS{code}: …", "error_codes": [code], "trace_id": "t"}


class MicrosoftGraph(Vendor):
    """Brings a new refresh token each time and goes on taking the old one; never names offline_access."""

    slug = "microsoft-graph"
    token_path = f"{LOGIN}/token"
    probe_path = "/graph.microsoft.com/v1.0/me"
    app_params = {"tenant": "organizations"}

    def tokens(self, issued: Issued) -> dict[str, Any]:
        refresh_token = f"refresh-{self.issued}"
        self.renewable.add(refresh_token)
        return {
            "token_type": "Bearer",
            "scope": "User.Read profile openid email",
            "expires_in": 4512,
            "ext_expires_in": 4512,
            "access_token": issued.access_token,
            "refresh_token": refresh_token,
        }

    def me(self) -> Answer:
        return 200, {"id": "87d349ed-44d7-43e1-9a83-5f2406dee5bd", "userPrincipalName": "ada@acme.example"}, {}

    def dead_grant(self) -> Answer:
        return refused(400, aadsts(700082, "invalid_grant"))

    def wrong_client(self) -> Answer:
        return refused(401, aadsts(7000215, "invalid_client"))

    def dead_token(self) -> Answer:
        return refused(401, {"error": {"code": "InvalidAuthenticationToken"}})


class TestMicrosoftGraph(EntryContract):
    vendor_class = MicrosoftGraph
    authorize_path = f"{LOGIN}/authorize"
    authorization = {"prompt": "select_account", "scope": "offline_access User.Read"}
    lifetime = 4512
    scopes = ("User.Read", "profile", "openid", "email", "offline_access")
    account = Account("87d349ed-44d7-43e1-9a83-5f2406dee5bd", "ada@acme.example")
    base_url = "https://graph.microsoft.com"
    answers = [
        (400, aadsts(50173, "invalid_grant"), GRANT),
        (400, aadsts(50076, "interaction_required"), GRANT),
        (400, aadsts(65001, "consent_required"), GRANT),
        (400, aadsts(50058, "login_required"), GRANT),
        (400, aadsts(700016, "unauthorized_client"), GRANT),
        (400, aadsts(7000112, "unauthorized_client"), GRANT),
        (400, aadsts(700025, "unauthorized_client"), CLIENT),
        (401, aadsts(7000222, "invalid_client"), CLIENT),
        (400, aadsts(90033, "temporarily_unavailable"), LATER),
        (429, b"", LATER),
    ]
    probes = [
        (401, {"error": {"code": "InvalidAuthenticationToken"}}, DEAD),
        (403, {"error": {"code": "Authorization_RequestDenied"}}, FORBIDDEN),
        (429, {"error": {"code": "TooManyRequests"}}, UNAVAILABLE),
        (503, b"", UNAVAILABLE),
    ]

    def test_refresh_keeps_or_rotates_as_the_vendor_does(self, vendor: Vendor, target: Any) -> None:
        """The newest token is kept, but an older one still works: a lost answer puts nothing in doubt."""
        first = exchange(vendor, target).credential
        second = STRATEGY.refresh(target, first).credential
        assert second.refresh_token is not None
        assert second.refresh_token.get_secret_value() == "refresh-2"
        assert STRATEGY.refresh(target, first).credential.access_token is not None
        assert not STRATEGY.capabilities(target).rotates

    def test_unused_grant_lasts_for_ninety_days(self, target: Target) -> None:
        method = target.entry.authorization_code
        assert method is not None
        assert method.refresh_idle_lifetime_seconds == 90 * 86_400

    def test_disabled_app_of_one_customer_is_no_word_about_the_others(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        vendor.scripted.append(refused(400, aadsts(700016, "unauthorized_client")))
        with pytest.raises(GrantRejected) as caught:
            STRATEGY.refresh(target, held)
        assert caught.value.evidence.error == "unauthorized_client"
