"""Entries of the device authorization grant."""

from typing import Any

import pytest

from providers.catalog.cautions import cautions_of
from providers.catalog.checks import problems_of
from providers.catalog.resolve import resolve
from providers.catalog.schema import CatalogEntry
from providers.values import ClientRegistration

SECTION = {"device_authorization_url": "https://acme.example/device", "token_url": "https://acme.example/token"}


def described(params: list[dict[str, Any]] | None = None, **section: Any) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {"slug": "acme", "name": "Acme", "params": params or [], "device_authorization": SECTION | section}
    )


def problems(params: list[dict[str, Any]] | None = None, **section: Any) -> list[str]:
    return list(problems_of(described(params, **section), "acme"))


def test_a_plain_one_is_in_order() -> None:
    assert problems() == []
    assert described().methods["oauth2_device_authorization"].shows_code


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"device_authorization_url": ""}, "device_authorization.device_authorization_url: is missing; give the URL"),
        ({"token_url": ""}, "device_authorization.token_url: is missing"),
        (
            {"device_authorization_url": "device"},
            "device_authorization.device_authorization_url: 'device' is no address",
        ),
        (
            {"device_authorization_params": {"a": "{nope}"}},
            "device_authorization.device_authorization_params.a: uses {nope}; declare a [[params]]",
        ),
    ],
)
def test_a_slip_is_told_with_what_to_write(section: dict[str, Any], told: str) -> None:
    found = problems(**section)
    assert any(told in problem for problem in found), found


def test_a_client_secret_goes_to_no_host_that_an_end_user_types() -> None:
    host = {"name": "host", "label": "Host"}
    found = problems([host], device_authorization_url="https://{host}/device")
    assert any("device_authorization.device_authorization_url: the end user types {host}" in told for told in found)


def test_what_is_discovered_is_used_unless_the_entry_says_otherwise() -> None:
    found = {"token": "https://t.example", "device_authorization": "https://d.example"}
    for section, url in (({}, "https://acme.example/device"), ({"device_authorization_url": ""}, "https://d.example")):
        entry = described(issuer="https://acme.example", discover=True, **section)
        target = resolve(
            entry=entry,
            style="oauth2_device_authorization",
            registration=ClientRegistration(client_id="c"),
            discovered=found,
            params={},
        )
        assert target.endpoints.device_authorization == url


def test_operators_are_told_of_what_it_cannot_prevent() -> None:
    (told,) = cautions_of(described(), "oauth2_device_authorization")
    assert "RFC 8628 §5.4" in told
