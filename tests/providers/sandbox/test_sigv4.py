"""AWS Signature Version 4 at the sandbox: what a signature covers, and when it is refused."""

from typing import Any

import pytest
import requests
from requests_aws4auth import AWS4Auth

from providers.sandbox.client import SandboxProcess


def signed(sandbox: SandboxProcess, key: dict[str, str], method: str = "GET", **request: Any) -> Any:
    auth = AWS4Auth(
        key["access_key_id"], key["secret_access_key"], "r-1", "svc", session_token=key.get("session_token")
    )
    host = sandbox.url.partition("://")[2]
    request.setdefault("headers", {})["Host"] = host
    return requests.Request(method, f"{sandbox.url}/me", auth=auth, **request).prepare()


def send(prepared: Any) -> requests.Response:
    with requests.Session() as session:
        return session.send(prepared, timeout=20)


@pytest.mark.parametrize("temporary", [False, True])
def test_who_signs_is_who_the_key_belongs_to(sandbox: SandboxProcess, temporary: bool) -> None:
    key = sandbox.control.access_key("bob", temporary=temporary)
    assert ("session_token" in key) is temporary
    assert send(signed(sandbox, key, params={"b": "2 +", "a": "é"})).json()["sub"] == "person-1002"
    assert send(signed(sandbox, key, "POST", json={"x": 1})).json()["sub"] == "person-1002"
    sandbox.control.revoke_access_key(key["access_key_id"])
    assert send(signed(sandbox, key)).status_code == 401


@pytest.mark.parametrize("change", ["body", "query", "date", "secret", "session", "header"])
def test_whatever_was_changed_on_the_way_is_refused(sandbox: SandboxProcess, change: str) -> None:
    key = sandbox.control.access_key("bob", temporary=True)
    sandbox.control.clear_log()
    if change == "secret":
        prepared = signed(sandbox, key | {"secret_access_key": "another"})
    elif change == "session":
        prepared = signed(sandbox, {name: value for name, value in key.items() if name != "session_token"})
    else:
        prepared = signed(sandbox, key, "POST", data=b"one")
    if change == "body":
        prepared.body = b"two"
    if change == "query":
        prepared.url += "?more=1"
    if change == "date":
        prepared.headers["x-amz-date"] = "20200101T000000Z"
    if change == "header":
        prepared.headers["Authorization"] = "AWS4-HMAC-SHA256 nothing"
    assert send(prepared).status_code == 401
    (entry,) = sandbox.control.log(endpoint="me")
    assert entry.outcome in ("wrong_signature", "timestamp_refused", "no_credential")
