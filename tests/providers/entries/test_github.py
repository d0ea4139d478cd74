import base64
from typing import Any
from urllib.parse import quote_plus

from providers.values import Account
from tests.providers.entries.contract import (
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
    redeem,
)
from tests.providers.entries.vendor import CLIENT_ID, CLIENT_SECRET, Answer, Issued, Vendor, refused, target_at

BASIC = "Basic " + base64.b64encode(f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}".encode()).decode()


class GitHub(Vendor):
    """A GitHub App with expiring tokens: errors come with 200, and a grant is deleted rather than revoked."""

    slug = "github"
    token_path = "/github.com/login/oauth/access_token"
    probe_path = "/api.github.com/user"
    revoke_path = f"/api.github.com/applications/{CLIENT_ID}/grant"
    revoke_method = "DELETE"
    rotates = True
    token_headers = {"Accept": "application/json"}
    api_headers = {"X-GitHub-Api-Version": "2022-11-28", "Accept": "application/vnd.github+json"}

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access_token,
            "expires_in": 28800,
            "refresh_token": issued.refresh_token,
            "refresh_token_expires_in": 15897600,
            "scope": "repo,read:user",
            "token_type": "bearer",
        }

    def me(self) -> Answer:
        return 200, {"id": 583231, "login": "ada", "name": None}, {"X-OAuth-Scopes": "repo, read:user"}

    def dead_grant(self) -> Answer:
        return refused(200, {"error": "bad_refresh_token", "error_description": "…", "error_uri": "https://docs"})

    def wrong_client(self) -> Answer:
        return refused(200, {"error": "incorrect_client_credentials", "error_description": "…"})

    def dead_token(self) -> Answer:
        return refused(401, {"message": "Bad credentials"})

    def revoke(self, request: Any) -> Answer:
        if request.headers.get("Authorization") != BASIC:
            return refused(401, {"message": "Requires authentication"})
        if set(request.json) != {"access_token"} or request.json["access_token"] not in self.live:
            return refused(404, {"message": "Not Found"})
        self.end_grant()
        return 204, b"", {}


class TestGitHub(EntryContract):
    vendor_class = GitHub
    authorize_path = "/github.com/login/oauth/authorize"
    authorization = {"prompt": "select_account", "scope": "read:user"}
    lifetime = 28800
    scopes = ("repo", "read:user")
    account = Account("583231", "ada")
    observed_scopes = ("repo", "read:user")
    headers = {
        "Authorization": "Bearer access-1",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    base_url = "https://api.github.com"
    answers = [
        (200, {"error": "bad_refresh_token"}, GRANT),
        (200, {"error": "bad_verification_code"}, GRANT),
        (200, {"error": "unverified_user_email"}, GRANT),
        (200, {"error": "incorrect_client_credentials"}, CLIENT),
        (200, {"error": "redirect_uri_mismatch"}, CLIENT),
        (200, {"error": "application_suspended"}, CLIENT),
        (200, {"error": "something_new"}, ODD),
        (200, b"error=bad_refresh_token&error_description=form", GRANT),
        (502, b"<html>Unicorn!</html>", LATER),
    ]
    probes = [
        (401, {"message": "Bad credentials"}, DEAD),
        (403, {"message": "API rate limit exceeded"}, FORBIDDEN),
        (404, {}, UNAVAILABLE),
        (503, b"", UNAVAILABLE),
    ]

    def test_token_of_an_oauth_app_has_no_end(self, vendor: Vendor, target: Any) -> None:
        code = vendor.consent(authorization_url(target))
        vendor.scripted.append((200, {"access_token": "gho_1", "scope": "repo,gist", "token_type": "bearer"}, {}))
        found = redeem(target, code)
        assert (found.credential.refresh_token, found.lifetime_seconds) == (None, None)
        assert found.scopes == ("repo", "gist")

    def test_grant_that_is_gone_already_is_no_failure(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, {})
        for status in (404, 422):
            vendor.scripted.append((status, {"message": "gone"}, {}))
            STRATEGY.revoke(target, obtained.credential)

    def test_refresh_token_lasts_for_six_months(self, target: Any) -> None:
        assert target.entry.authorization_code.refresh_idle_lifetime_seconds == 184 * 86_400

    def test_client_id_is_one_step_of_the_path(self, vendor: Vendor, provider: Any) -> None:
        held = connect(vendor, {})[1].credential
        vendor.scripted.append((204, b"", {}))
        STRATEGY.revoke(target_at(vendor, client_id="../../user/x?"), held)
        assert provider.last.target == "/api.github.com/applications/..%2F..%2Fuser%2Fx%3F/grant"
