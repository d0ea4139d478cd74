"""Objects in the shape of Nango's API and database."""

from typing import Any

import pytest

from providers.brought.connection import RowFault
from providers.brought.nango import connection_of

WHOLE: dict[str, Any] = {
    "id": 18,
    "connection_id": "3b1f",
    "provider_config_key": "hubspot-prod",
    "provider": "hubspot",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
    "last_fetched_at": None,
    "metadata": {"plan": "pro"},
    "errors": [],
    "connection_config": {"subDomain": "acme", "oauth_scopes": "a,b", "authorization_params": {"x": "y"}},
    "tags": {"team": "red"},
    "end_user": {"id": "alice", "email": None, "organization": {"id": "org_1", "display_name": None}},
    "credentials": {
        "type": "OAUTH2",
        "access_token": "at",
        "refresh_token": "rt",
        "expires_at": "2026-11-30T12:00:00.000Z",
        "raw": {"access_token": "at", "scope": "c d", "token_type": "bearer", "hub_id": 7},
    },
}


def with_credentials(**members: Any) -> dict[str, Any]:
    return {**WHOLE, "credentials": members}


def test_a_whole_object() -> None:
    found = connection_of(WHOLE)
    assert (found.tenant, found.provider, found.other_names) == ("org_1", "hubspot-prod", ("hubspot",))
    assert (found.end_user, found.source_id, found.scopes) == ("alice", "3b1f", ("c", "d"))
    assert dict(found.loose_params) == {"sub_domain": "acme"}
    assert found.metadata == {"plan": "pro", "tags": {"team": "red"}}
    assert found.credential.document["hub_id"] == 7
    assert found.expires_at is not None


def test_without_an_end_user_the_connection_id_stands_for_one() -> None:
    found = connection_of({**WHOLE, "end_user": None, "tags": None, "metadata": None})
    assert (found.end_user, found.tenant) == ("3b1f", "")
    assert connection_of({**WHOLE, "end_user": None, "tags": {"end_user_id": "bob"}}).end_user == "bob"


@pytest.mark.parametrize(
    ("held", "token", "value", "fields"),
    [
        ({"type": "API_KEY", "apiKey": "k"}, None, "k", {}),
        ({"type": "BASIC", "username": "u", "password": "p w"}, None, None, {"username": "u", "password": "p w"}),
        (
            {"type": "OAUTH2_CC", "token": "t", "client_id": "c", "client_secret": "s", "raw": {}},
            "t",
            None,
            {"client_id": "c", "client_secret": "s"},
        ),
        ({"type": "TBA", "token_id": "i", "token_secret": "s"}, None, None, {"token_id": "i", "token_secret": "s"}),
        ({"type": "JWT", "issuerId": "i", "privateKey": "p"}, None, None, {"issuer_id": "i", "private_key": "p"}),
    ],
)
def test_each_type_has_members_of_its_own(
    held: dict[str, Any], token: str | None, value: str | None, fields: dict[str, str]
) -> None:
    found = connection_of(with_credentials(**held)).credential
    assert (found.access_token and found.access_token.get_secret_value()) == token
    assert (found.value and found.value.get_secret_value()) == value
    assert {name: secret.get_secret_value() for name, secret in found.fields.items()} == fields


def test_oauth_1_has_a_token_and_its_secret() -> None:
    found = connection_of(with_credentials(type="OAUTH1", oauth_token="t", oauth_token_secret="s")).credential
    assert found.access_token is not None
    assert found.token_secret is not None


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({**WHOLE, "credentials": {"encrypted_credentials": "x"}}, "encrypted"),
        ({**WHOLE, "credentials_iv": "x"}, "encrypted"),
        ({**WHOLE, "credentials": None}, "missing_field"),
        ({**WHOLE, "credentials": []}, "bad_field"),
        ({**WHOLE, "connection_config": "x"}, "bad_field"),
        ([], "unreadable_row"),
    ],
)
def test_what_cannot_be_used_is_told(row: Any, code: str) -> None:
    with pytest.raises(RowFault) as fault:
        connection_of(row)
    assert fault.value.code == code


def test_an_override_names_the_client() -> None:
    held = {**WHOLE["credentials"], "config_override": {"client_id": "own", "client_secret": "x"}}
    assert connection_of({**WHOLE, "credentials": held}).client_id == "own"
