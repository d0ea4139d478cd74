"""How long grants live: by the catalogue, unless the provider said so of this very refresh token."""

import pytest

from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.lifetime import grant_lifetimes
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod

DAY = 86_400
CODE = AuthorizationCodeMethod.style


@pytest.mark.parametrize(
    ("provider", "said", "expected"),
    [
        ("jira-cloud", None, GrantLifetimes(idle=90 * DAY, absolute=365 * DAY)),
        ("jira-cloud", 7 * DAY, GrantLifetimes(idle=7 * DAY, absolute=365 * DAY)),
        ("xero", None, GrantLifetimes(idle=60 * DAY)),
        ("hubspot", None, GrantLifetimes()),
        ("hubspot", 7 * DAY, GrantLifetimes(idle=7 * DAY)),
        ("no-longer-in-the-catalogue", None, GrantLifetimes()),
        ("no-longer-in-the-catalogue", 7 * DAY, GrantLifetimes(idle=7 * DAY)),
    ],
)
def test_takes_the_catalogue_s_word_unless_the_provider_gave_its_own(
    provider: str, said: int | None, expected: GrantLifetimes
) -> None:
    assert grant_lifetimes(provider, CODE, refresh_lifetime_seconds=said) == expected


@pytest.mark.parametrize("style", [ClientCredentialsMethod.style, ApiKeyMethod.style])
def test_a_credential_without_a_refresh_token_has_no_such_end(style: str) -> None:
    assert grant_lifetimes("jira-cloud", style) == GrantLifetimes()
