from typing import Any

import pytest

from providers.catalog.loader import entry
from providers.errors import MisconfiguredProvider
from providers.strategies.workspaces import workspaces
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
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused, target_at

ACME = "1324a887-45db-1bf4-1e99-ef0ff456d421"
GLOBEX = "2435b998-56ec-2c05-2f00-f01005670532"
SITES = [
    {"id": ACME, "name": "acme", "url": "https://acme.atlassian.net", "scopes": ["read:jira-work"], "avatarUrl": "…"},
    {"id": GLOBEX, "name": "globex", "url": "https://globex.atlassian.net", "scopes": ["read:jira-work"]},
]
ACCESSIBLE = "/api.atlassian.com/oauth/token/accessible-resources"


class JiraCloud(Vendor):
    """JSON at the token endpoint, 403 for a dead grant, and two sites behind one grant."""

    slug = "jira-cloud"
    token_path = "/auth.atlassian.com/oauth/token"
    probe_path = f"/api.atlassian.com/ex/jira/{ACME}/rest/api/3/myself"
    takes_json = True
    rotates = True

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access_token,
            "refresh_token": issued.refresh_token,
            "expires_in": 3600,
            "token_type": "Bearer",
            "scope": "read:jira-work read:jira-user",
        }

    def me(self) -> Answer:
        return 200, {"accountId": "5b10a2844c20165700ede21g", "displayName": "Ada Lovelace", "active": True}, {}

    def dead_grant(self) -> Answer:
        return refused(403, {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."})

    def wrong_client(self) -> Answer:
        return refused(401, {"error": "access_denied", "error_description": "Unauthorized"})

    def dead_token(self) -> Answer:
        return refused(401, {"code": 401, "message": "Unauthorized"})

    def other(self, request: Any) -> Answer:
        if request.path == ACCESSIBLE:
            return (200, SITES, {}) if self.is_live(request) else self.dead_token()
        return super().other(request)


class TestJiraCloud(EntryContract):
    vendor_class = JiraCloud
    authorize_path = "/auth.atlassian.com/authorize"
    authorization = {
        "audience": "api.atlassian.com",
        "prompt": "consent",
        "scope": "offline_access read:jira-user read:jira-work",
    }
    scopes = ("read:jira-work", "read:jira-user", "offline_access")
    account = Account(f"{ACME}:5b10a2844c20165700ede21g", "Ada Lovelace")
    base_url = f"https://api.atlassian.com/ex/jira/{ACME}"
    answers = [
        (403, {"error": "unauthorized_client", "error_description": "refresh_token is invalid"}, GRANT),
        (403, {"error": "unauthorized_client", "error_description": "Unauthorized"}, CLIENT),
        (401, {"error": "access_denied"}, CLIENT),
        (429, {"error": "too_many_requests"}, LATER),
        (500, b"", LATER),
    ]
    probes = [
        (401, {"code": 401, "message": "Unauthorized"}, DEAD),
        (401, {"code": 401, "message": "Unauthorized; scope does not match"}, UNAVAILABLE),
        (403, {"message": "forbidden"}, FORBIDDEN),
        (404, b"", UNAVAILABLE),
    ]

    def test_sites_of_the_grant_are_listed_for_the_choice(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        assert target.lacks_workspace
        assert target.entry.workspaces.label == "Site"
        found = workspaces(target, held)
        assert [(item.id, item.name) for item in found] == [
            (ACME, "https://acme.atlassian.net"),
            (GLOBEX, "https://globex.atlassian.net"),
        ]
        chosen = target_at(vendor, params=found[1].params)
        assert not chosen.lacks_workspace
        assert STRATEGY.present(chosen, held).base_url.endswith(f"/ex/jira/{GLOBEX}")
        assert STRATEGY.present(chosen, held).params["cloud_id"] == GLOBEX

    def test_nothing_is_called_before_the_choice(self, vendor: Vendor, target: Any, provider: Any) -> None:
        held = exchange(vendor, target).credential
        before = len(provider.requests)
        found = STRATEGY.probe(target, held)
        assert (found.verdict, found.detail) == (UNAVAILABLE, "Probe: the credential lacks cloud_id.")
        assert len(provider.requests) == before
        assert STRATEGY.present(target, held).base_url == ""

    @pytest.mark.parametrize("cloud_id", ["../../oauth", "1324a887", f"{ACME}/../x", "{access_token}"])
    def test_choice_must_look_like_a_site(self, vendor: Vendor, cloud_id: str) -> None:
        with pytest.raises(MisconfiguredProvider, match="cloud_id"):
            target_at(vendor, params={"cloud_id": cloud_id})

    def test_used_refresh_token_has_ten_minutes_of_grace(self) -> None:
        method = entry("jira-cloud").authorization_code
        assert method is not None
        assert (method.refresh_grace_seconds, method.refresh_idle_lifetime_seconds) == (600, 90 * 86_400)
        assert method.refresh_absolute_lifetime_seconds == 365 * 86_400
