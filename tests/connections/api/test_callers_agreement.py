"""Every entrance of the API says the same of a caller: by the rule in Python, or by the statement of the vend."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.models import ApiClient, ApiKey, Permission, Tenant
from tests.connections.api.stored import make_connection
from tests.factories import Caller, make_caller
from tests.flows import call

MAY = [Permission.READ, Permission.VEND]
# What is done to the caller, whether it is operator-wide, which tenant it names, and the code of each answer.
CASES: dict[str, tuple[Callable[[Caller], Any], bool, str | None, str | None]] = {
    "its own": (lambda _: None, False, None, None),
    "its own, named": (lambda _: None, False, "acme", None),
    "another's": (lambda _: None, False, "globex", "not_found"),
    "nobody's": (lambda _: None, False, "nobody", "not_found"),
    "operator-wide, named": (lambda _: None, True, "acme", None),
    "operator-wide, nobody's": (lambda _: None, True, "nobody", "not_found"),
    "operator-wide, not named": (lambda _: None, True, None, "invalid_request"),
    "revoked": (lambda caller: keys(caller, revoked_at=database_now()), False, None, "unauthorized"),
    "expired": (
        lambda caller: keys(caller, expires_at=database_now() - timedelta(minutes=1)),
        False,
        None,
        "unauthorized",
    ),
    "about to expire": (
        lambda caller: keys(caller, expires_at=database_now() + timedelta(minutes=1)),
        False,
        None,
        None,
    ),
    "unknown": (lambda caller: keys(caller, key_hash=b"another"), False, None, "unauthorized"),
    "suspended": (lambda caller: client(caller, suspended_at=database_now()), False, None, "suspended"),
    "suspended and expired": (
        lambda caller: (
            client(caller, suspended_at=database_now()),
            keys(caller, expires_at=database_now() - timedelta(minutes=1)),
        ),
        False,
        None,
        "unauthorized",
    ),
    "not permitted": (lambda caller: client(caller, permissions=["connect"]), False, None, "permission_denied"),
    "not permitted and suspended": (
        lambda caller: client(caller, permissions=[], suspended_at=database_now()),
        False,
        None,
        "suspended",
    ),
    "not permitted, operator-wide, not named": (
        lambda caller: client(caller, permissions=[]),
        True,
        None,
        "permission_denied",
    ),
}


def keys(caller: Caller, **columns: Any) -> None:
    ApiKey.objects.filter(client=caller.client).update(**columns)


def client(caller: Caller, **columns: Any) -> None:
    ApiClient.objects.filter(id=caller.client.id).update(**columns)


@pytest.mark.parametrize("case", CASES)
def test_every_entrance_says_the_same_of_a_caller(case: str, acme: Tenant, globex: Tenant) -> None:
    change, is_wide, named, expected = CASES[case]
    connection = make_connection(acme)
    caller = make_caller(None if is_wide else acme, "asking", MAY)
    change(caller)
    body = {"end_user": connection.end_user} | ({"tenant": named} if named else {})
    answers = {
        "read": call(caller, "GET", f"/connections?tenant={named}" if named else "/connections"),
        "vend by owner": call(caller, "POST", "/credentials", {"provider": connection.provider, **body}),
        "vend by id": call(caller, "POST", f"/connections/{connection.id}/credential", body),
    }
    found = {entrance: answer.json().get("code") for entrance, answer in answers.items()}
    assert found == dict.fromkeys(answers, expected)
    if expected is not None:
        assert len({answer.status_code for answer in answers.values()}) == 1
