from typing import Any, ClassVar

import pytest

from providers.errors import MalformedResponse
from providers.values import Account
from tests.providers.entries.contract import (
    ALIVE,
    CLIENT,
    DEAD,
    GRANT,
    LATER,
    ODD,
    UNAVAILABLE,
    EntryContract,
    authorization_url,
    exchange,
    redeem,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor

API = "/slack.com/api"
ME = {"ok": True, "url": "https://acme.slack.com/", "team": "Acme", "team_id": "T1", "user": "ada", "user_id": "W1"}


def not_ok(error: str) -> Answer:
    return 200, {"ok": False, "error": error}, {}


class Slack(Vendor):
    """Every answer is a 200; a code brings the app's token and the person's, each to be refreshed apart."""

    slug = "slack"
    token_path = f"{API}/oauth.v2.access"
    probe_path = f"{API}/auth.test"
    probe_method = "POST"
    revoke_path = f"{API}/auth.revoke"
    proves_by = "basic"
    takes_pkce = False
    rotates = True
    acts_as: ClassVar[str] = "bot"

    def tokens(self, issued: Issued) -> dict[str, Any]:
        own = {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": 43200,
            "token_type": self.acts_as,
            "scope": self.scope,
        }
        about = {"ok": True, "app_id": "A1", "team": {"id": "T1", "name": "Acme"}, "enterprise": None}
        if not issued.is_first:
            return about | own
        if self.acts_as == "user":
            bot = {"access_token": "xoxb-not-this", "refresh_token": "xoxe-not-this", "token_type": "bot"}
            return about | bot | {"authed_user": {"id": "W1", **own}}
        return about | own | {"bot_user_id": "U0", "authed_user": {"id": "W1"}}

    def me(self) -> Answer:
        return 200, ME, {"X-OAuth-Scopes": self.scope}

    def dead_grant(self) -> Answer:
        return not_ok("invalid_refresh_token")

    def wrong_client(self) -> Answer:
        return not_ok("bad_client_secret")

    def dead_token(self) -> Answer:
        return not_ok("token_revoked")

    def revoke(self, request: Any) -> Answer:
        if request.body or not self.is_live(request):
            return not_ok("invalid_auth")
        self.end_grant()
        return 200, {"ok": True, "revoked": True}, {}


class TestSlack(EntryContract):
    vendor_class = Slack
    authorize_path = "/slack.com/oauth/v2/authorize"
    authorization = {"scope": "chat:write,channels:read"}
    separator = ","
    sends_challenge = False
    lifetime = 43200
    scopes = ("chat:write", "channels:read")
    extra = {"app_id": "A1", "bot_user_id": "U0"}
    account = Account("T1", "Acme")
    observed_scopes = ("chat:write", "channels:read")
    base_url = "https://slack.com/api"
    answers = [
        (200, {"ok": False, "error": "invalid_refresh_token"}, GRANT),
        (200, {"ok": False, "error": "invalid_code"}, GRANT),
        (200, {"ok": False, "error": "code_already_used"}, GRANT),
        (200, {"ok": False, "error": "token_revoked"}, GRANT),
        (200, {"ok": False, "error": "token_expired"}, GRANT),
        (200, {"ok": False, "error": "account_inactive"}, GRANT),
        (200, {"ok": False, "error": "invalid_client_id"}, CLIENT),
        (200, {"ok": False, "error": "bad_redirect_uri"}, CLIENT),
        (200, {"ok": False, "error": "internal_error"}, LATER),
        (200, {"ok": False, "error": "fatal_error"}, LATER),
        (200, {"ok": False, "error": "service_unavailable"}, LATER),
        (429, {"ok": False, "error": "ratelimited"}, LATER),
        (200, {"ok": False, "error": "something_new"}, ODD),
        (200, {"ok": True}, ODD),
    ]
    probes = [
        (200, {"ok": False, "error": "invalid_auth"}, DEAD),
        (200, {"ok": False, "error": "account_inactive"}, DEAD),
        (200, {"ok": False, "error": "token_expired"}, DEAD),
        (200, {"ok": False, "error": "org_login_required"}, UNAVAILABLE),
        (200, {"ok": False, "error": "internal_error"}, UNAVAILABLE),
        (429, {"ok": False, "error": "ratelimited"}, UNAVAILABLE),
        (200, ME, ALIVE),
    ]

    def test_app_without_rotation_has_a_token_that_does_not_expire(self, vendor: Vendor, target: Any) -> None:
        code = vendor.consent(authorization_url(target))
        vendor.scripted.append((200, {"ok": True, "access_token": "xoxb-1", "token_type": "bot", "scope": "a,b"}, {}))
        found = redeem(target, code)
        assert (found.credential.refresh_token, found.lifetime_seconds, found.scopes) == (None, None, ("a", "b"))


class SlackAsPerson(Slack):
    slug = "slack-user"
    scope_parameter = "user_scope"
    acts_as = "user"


class TestSlackAsPerson(EntryContract):
    vendor_class = SlackAsPerson
    authorize_path = "/slack.com/oauth/v2/authorize"
    authorization = {"user_scope": "channels:read"}
    separator = ","
    sends_challenge = False
    lifetime = 43200
    scopes = ("channels:read",)
    extra = {"app_id": "A1"}
    account = Account("T1:W1", "Acme")
    observed_scopes = ("channels:read",)
    base_url = "https://slack.com/api"
    answers = TestSlack.answers
    probes = TestSlack.probes

    def test_token_of_the_app_is_left_alone(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        assert b"not-this" not in held.to_bytes()
        assert held.token_type == "user"

    def test_answer_without_a_token_of_the_person_is_no_success(self, vendor: Vendor, target: Any) -> None:
        for within in ({"id": "W1"}, None, []):
            code = vendor.consent(authorization_url(target))
            vendor.scripted.append((200, {"ok": True, "access_token": "xoxb-1", "authed_user": within}, {}))
            with pytest.raises(MalformedResponse):
                redeem(target, code)
