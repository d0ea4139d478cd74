from typing import Any

import pytest

from providers.values import Account
from providers.vocabulary import ProbeVerdict
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
    connect,
    exchange,
)
from tests.providers.entries.vendor import Answer, Issued, Vendor, refused, target_at

API = "/api.notion.com/v1"
VERSION = {"Notion-Version": "2025-09-03"}
KNOWN = {"grant_type", "code", "redirect_uri", "refresh_token", "token"}


class Notion(Vendor):
    """JSON with Basic, a version on every call, and no parameter that it does not know."""

    slug = "notion"
    token_path = f"{API}/oauth/token"
    probe_path = f"{API}/users/me"
    revoke_path = f"{API}/oauth/revoke"
    proves_by = "basic"
    takes_json = True
    takes_pkce = False
    rotates = True
    token_headers = VERSION
    api_headers = VERSION
    app_params = {"notion_version": "2025-09-03"}

    def tokens(self, issued: Issued) -> dict[str, Any]:
        return {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "refresh_token": issued.refresh_token,
            "bot_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "workspace_id": "6e2a0f0b-9b7e-4b49-8a36-2f7d2c6f4b11",
            "workspace_name": "Ada's Notion",
            "owner": {"type": "user", "user": {"object": "user", "id": "u"}},
            "duplicated_template_id": None,
            "request_id": "r",
        }

    def is_our_client(self, request: Any) -> bool:
        return super().is_our_client(request) and set(request.json) <= KNOWN

    def me(self) -> Answer:
        bot = {"owner": {"type": "user"}, "workspace_name": "Ada's Notion"}
        return 200, {"object": "user", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "type": "bot", "bot": bot}, {}

    def dead_token(self) -> Answer:
        return refused(401, {"object": "error", "status": 401, "code": "unauthorized"})

    def revoke(self, request: Any) -> Answer:
        if not self.is_our_client(request) or request.headers.get("Notion-Version") != "2025-09-03":
            return self.wrong_client()
        if request.json["token"] not in self.live:
            return refused(400, {"object": "error", "status": 400, "code": "validation_error"})
        self.end_grant()
        return 200, {"request_id": "r"}, {}

    def other(self, request: Any) -> Answer:
        if request.path != f"{API}/oauth/introspect" or not self.is_our_client(request):
            return super().other(request)
        return 200, {"active": request.json["token"] in self.live, "scope": "", "iat": 1, "request_id": "r"}, {}


class TestNotion(EntryContract):
    vendor_class = Notion
    authorize_path = f"{API}/oauth/authorize"
    authorization = {"owner": "user"}
    sends_challenge = False
    lifetime = None
    scopes = None
    extra = {
        "bot_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "workspace_id": "6e2a0f0b-9b7e-4b49-8a36-2f7d2c6f4b11",
    }
    account = Account("3c90c3cc-0d44-4b50-8888-8dd25736052a", "Ada's Notion")
    headers = {"Authorization": "Bearer access-1", "Notion-Version": "2025-09-03"}
    base_url = "https://api.notion.com"
    answers = [
        (400, {"error": "invalid_grant"}, GRANT),
        (401, {"error": "invalid_client"}, CLIENT),
        (401, {"object": "error", "status": 401, "code": "unauthorized"}, CLIENT),
        (429, {"object": "error", "code": "rate_limited"}, LATER),
        (503, {"object": "error", "code": "service_unavailable"}, LATER),
        (400, {"object": "error", "code": "validation_error"}, ODD),
    ]
    probes = [
        (401, {"code": "unauthorized"}, DEAD),
        (403, {"code": "restricted_resource"}, FORBIDDEN),
        (400, {"code": "missing_version"}, UNAVAILABLE),
        (429, {"code": "rate_limited"}, UNAVAILABLE),
    ]

    def test_both_tokens_are_revoked_one_after_the_other(self, vendor: Vendor, provider: Any) -> None:
        target, obtained = connect(vendor, {})
        STRATEGY.revoke(target, obtained.credential)
        sent = [request.json for request in provider.requests if request.path == vendor.revoke_path]
        assert sent == [{"token": "access-1"}, {"token": "refresh-1"}]

    def test_introspection_speaks_json_too(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, {})
        assert STRATEGY.introspect(target, obtained.credential).verdict is ProbeVerdict.ALIVE
        vendor.end_grant()
        assert STRATEGY.introspect(target, obtained.credential).verdict is ProbeVerdict.DEAD

    def test_grant_from_before_refresh_tokens_works_without_one(self, vendor: Vendor, target: Any) -> None:
        held = exchange(vendor, target).credential
        vendor.scripted.append((200, {"access_token": "a", "token_type": "bearer", "refresh_token": None}, {}))
        kept = STRATEGY.refresh(target, held).credential
        assert kept.refresh_token == held.refresh_token

    @pytest.mark.parametrize(("chosen", "sent"), [({}, "2025-09-03"), ({"notion_version": "2022-06-28"}, "2022-06-28")])
    def test_operator_chooses_the_version(
        self, vendor: Vendor, monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], sent: str
    ) -> None:
        held = connect(vendor, {})[1].credential
        monkeypatch.setattr(Notion, "app_params", chosen)
        assert STRATEGY.present(target_at(vendor), held).headers["Notion-Version"] == sent
