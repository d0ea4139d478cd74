from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import AuthorizationCodeMethod
from providers.errors import (
    GrantRejected,
    MalformedResponse,
    MisconfiguredProvider,
    NotPermitted,
    NoWorkspace,
    ProviderUnavailable,
    TargetRefused,
)
from providers.strategies import strategy_for
from providers.strategies.workspaces import Workspace, workspaces
from providers.values import Credential

STYLE = AuthorizationCodeMethod.style
HELD = Credential(access_token=SecretStr("at"), extra={"region": "eu"})
ISSUER = {"name": "issuer", "label": "Issuer", "scope": "app", "pattern": "^.+$"}
SITE = {"name": "site", "label": "Site", "scope": "workspace", "pattern": "^[a-z0-9]{1,300}$"}
CHANGES: dict[str, Any] = {
    "params": [ISSUER, SITE],
    "base_url": "{issuer}/{site}",
    "authorization_code": {"extra_response_fields": ["region"]},
    "workspaces": {
        "url": "{issuer}/{region}/sites",
        "items": "/data",
        "id": "/id",
        "name": "/about/name",
        "param": "site",
        "headers": {"X-Key": "{access_token}"},
    },
}


@pytest.fixture
def target(sandbox_target: Any) -> Any:
    return sandbox_target(STYLE, changes=CHANGES)


def test_lists_what_the_grant_opens_once_each_and_in_order(target: Any, provider: Any) -> None:
    items = [
        {"id": "b", "about": {"name": "Globex"}},
        {"id": 7, "about": None},
        {"id": "b", "about": {"name": "again"}},
        {"id": "../x", "about": {"name": "does not match the pattern"}},
        {"id": "x" * 300},
        {"id": None},
        "odd",
    ]
    provider.answers_with(200, {"data": items})
    assert workspaces(target, HELD) == (
        Workspace("b", "Globex", {"site": "b"}),
        Workspace("7", "", {"site": "7"}),
    )
    assert (provider.last.method, provider.last.path) == ("GET", "/eu/sites")
    assert provider.last.headers["X-Key"] == "at"


def test_choice_becomes_a_parameter_of_the_connection(sandbox_target: Any, target: Any) -> None:
    assert target.lacks_workspace
    chosen = sandbox_target(STYLE, changes=CHANGES, params=dict(Workspace("b", "", {"site": "b"}).params))
    assert (chosen.lacks_workspace, chosen.workspace_id) == (False, "b")
    assert strategy_for(STYLE).present(chosen, HELD).base_url.endswith("/b")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", GrantRejected),
        (200, {"data": {}}, MalformedResponse),
        (200, {"data": {"accountname": "Acme"}}, MisconfiguredProvider),
        (200, {"data": [{"accountname": "Acme"}]}, MisconfiguredProvider),
        (200, [], MalformedResponse),
        (200, b"<html>", MalformedResponse),
        (400, b"", MalformedResponse),
        (200, {"data": []}, NoWorkspace),
        (404, b"", NoWorkspace),
        (402, b"", NotPermitted),
        (403, {"error": "access_denied"}, NotPermitted),
        (429, b"", ProviderUnavailable),
        (503, b"", ProviderUnavailable),
        (302, b"", TargetRefused),
    ],
)
def test_other_answers_are_named_failures(
    target: Any, provider: Any, status: int, body: Any, expected: type[Exception]
) -> None:
    provider.answers_with(status, body)
    with pytest.raises(expected) as caught:
        workspaces(target, HELD)
    assert type(caught.value) is expected


def test_what_the_call_needs_must_be_there(target: Any, provider: Any) -> None:
    with pytest.raises(MisconfiguredProvider, match="lacks region"):
        workspaces(target, Credential(access_token=SecretStr("at")))
    with pytest.raises(MisconfiguredProvider, match="lacks access_token"):
        workspaces(target, Credential(extra={"region": "eu"}))
    assert provider.requests == []


def test_entry_without_the_choice_is_named(sandbox_target: Any) -> None:
    plain = sandbox_target(STYLE)
    assert (plain.lacks_workspace, plain.workspace_id) == (False, "")
    with pytest.raises(MisconfiguredProvider, match="no choice"):
        workspaces(plain, HELD)
