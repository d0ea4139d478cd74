"""Reading an authorization response as its provider writes it."""

from typing import Any

import pytest

from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.oauth1_method import OAuth1Method
from providers.catalog.schema import CatalogEntry
from providers.oauth.authorization_response import LONGEST_CODE, names_read, read_response


def entry_with(*params: dict[str, Any], **method: Any) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {
            "slug": "acme",
            "name": "Acme",
            "params": list(params),
            "authorization_code": {"authorization_url": "https://a.example", "token_url": "https://a.example"} | method,
        }
    )


STYLE = AuthorizationCodeMethod.style
PLAIN = entry_with()


def test_reads_what_the_standards_name() -> None:
    found = read_response({"code": ["c"], "state": ["s"], "iss": ["i"], "more": ["x", "y"]}, entry=PLAIN, style=STYLE)
    assert (found.code, found.state, found.iss, found.error) == ("c", "s", "i", "")
    assert not (found.is_repeated or found.is_too_long or found.awaits_approval)


def test_reads_an_answer_to_an_app_that_is_not_known() -> None:
    assert read_response({"code": ["c"], "state": ["s"]}, entry=None, style=STYLE).state == "s"


def test_reads_the_names_that_a_provider_has_for_them() -> None:
    entry = entry_with(callback={"code": "auth_code", "state": "custom", "error": "err"})
    found = read_response({"auth_code": ["c"], "custom": ["s"], "err": ["access_denied"]}, entry=entry, style=STYLE)
    assert (found.code, found.state, found.error) == ("c", "s", "access_denied")
    usual = read_response({"code": ["c"], "state": ["s"], "error": ["access_denied"]}, entry=entry, style=STYLE)
    assert (usual.code, usual.state, usual.error) == ("", "", "")


def test_brings_the_parameters_of_the_entry_under_its_names_and_no_others() -> None:
    entry = entry_with(
        {"name": "realm", "label": "Company", "scope": "callback", "callback": "realmId"},
        {"name": "subdomain", "label": "Subdomain"},
    )
    given = {"realmId": ["222"], "subdomain": ["evil"], "realm": ["333"], "state": ["s"]}
    assert read_response(given, entry=entry, style=STYLE).params == {"realm": "222"}
    assert read_response({"realmId": [""]}, entry=entry, style=STYLE).params == {}
    assert "realmId" in names_read(entry, STYLE)
    assert "subdomain" not in names_read(entry, STYLE)


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "realmId", "setup_action"])
def test_notices_what_is_there_twice(name: str) -> None:
    entry = entry_with({"name": "realm", "label": "Company", "scope": "callback", "callback": "realmId"})
    found = read_response({"state": ["s"], name: ["a", "a"]}, entry=entry, style=STYLE)
    assert found.is_repeated
    assert found.state == ("" if name == "state" else "s")


def test_what_is_there_twice_and_not_read_is_passed_over() -> None:
    assert not read_response({"state": ["s"], "scope": ["a", "b"]}, entry=PLAIN, style=STYLE).is_repeated


def test_notices_what_is_too_long() -> None:
    assert not read_response({"code": ["x" * LONGEST_CODE]}, entry=PLAIN, style=STYLE).is_too_long
    assert read_response({"code": ["x" * (LONGEST_CODE + 1)]}, entry=PLAIN, style=STYLE).is_too_long
    assert read_response({"state": ["x" * 10_000]}, entry=PLAIN, style=STYLE).is_too_long
    assert not read_response({"scope": ["x" * 10_000]}, entry=PLAIN, style=STYLE).is_too_long


def test_an_error_that_does_not_read_like_one_is_the_servers() -> None:
    assert read_response({"error": ["<script>"]}, entry=PLAIN, style=STYLE).error == "server_error"
    assert read_response({"error": [""], "code": ["c"]}, entry=PLAIN, style=STYLE).error == ""


@pytest.mark.parametrize(
    ("given", "awaits"),
    [
        ({"setup_action": "request"}, True),
        ({"setup_action": "REQUEST"}, True),
        ({"setup_action": "install"}, False),
        ({"setup_action": "request", "code": "c"}, False),
        ({"admin_consent": "True", "tenant": "0000"}, True),
        ({"admin_consent": "true"}, True),
        ({"admin_consent": "False"}, False),
        ({"error": "consent_required"}, True),
        ({"error": "interaction_required"}, True),
        ({"error": "admin_consent_required"}, True),
        ({"error": "admin_consent_required", "code": "c"}, True),
        ({"error": "access_denied"}, False),
        ({}, False),
    ],
)
def test_knows_the_common_ways_to_say_that_approval_was_requested(given: dict[str, str], awaits: bool) -> None:
    assert (
        read_response({name: [value] for name, value in given.items()}, entry=PLAIN, style=STYLE).awaits_approval
        is awaits
    )


def test_an_entry_has_the_last_word_on_what_means_approval() -> None:
    entry = entry_with(approval={"setup_action": "request", "status": ["pending", "review"], "error": []})
    for given, awaits in (
        ({"setup_action": "request", "code": "c"}, True),
        ({"status": "review"}, True),
        ({"error": "consent_required"}, False),
        ({"admin_consent": "True"}, True),
    ):
        found = read_response({name: [value] for name, value in given.items()}, entry=entry, style=STYLE)
        assert found.awaits_approval is awaits, given
    renamed = entry_with(callback={"error": "err"})
    assert read_response({"err": ["consent_required"]}, entry=renamed, style=STYLE).awaits_approval
    assert not read_response({"error": ["consent_required"]}, entry=renamed, style=STYLE).awaits_approval


def test_a_temporary_token_takes_the_place_of_a_state_and_tells_a_refusal() -> None:
    entry = entry_with()
    urls = {f"{name}_url": "https://a.example" for name in ("temporary_credentials", "authorization", "token")}
    both = entry.model_copy(update={"oauth1": OAuth1Method.model_validate(urls)})
    style = OAuth1Method.style
    found = read_response({"oauth_token": ["t"], "oauth_verifier": ["v"], "state": ["s"]}, entry=both, style=style)
    assert (found.state, found.code, found.error) == ("t", "v", "")
    denied = read_response({"denied": ["t"]}, entry=both, style=style)
    assert (denied.state, denied.code, denied.error) == ("t", "", "access_denied")
    problem = read_response({"oauth_token": ["t"], "oauth_problem": ["permission_denied"]}, entry=both, style=style)
    assert (problem.state, problem.error) == ("t", "permission_denied")
    assert read_response({"oauth_token": ["t"], "denied": ["u"]}, entry=both, style=STYLE).state == ""
