"""What holds for the whole catalogue that Latchkey brings along."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.catalog.loader import load_entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import names
from providers.vocabulary import ParamScope

FOLDER = Path(__file__).parents[3] / "providers" / "catalog"
FILES = sorted(FOLDER.glob("*.toml"))
ENTRIES = {path.stem: load_entry(path) for path in FILES}
GENERIC = {"mcp", "oidc", "sandbox"}  # they run wherever the operator says
VENDORS = {slug: described for slug, described in ENTRIES.items() if slug not in GENERIC}
EVERY = pytest.mark.parametrize("described", ENTRIES.values(), ids=ENTRIES)
EVERY_VENDOR = pytest.mark.parametrize("described", VENDORS.values(), ids=VENDORS)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def code_method(described: CatalogEntry) -> AuthorizationCodeMethod:
    assert described.authorization_code is not None
    return described.authorization_code


def test_the_promised_vendors_are_there() -> None:
    assert set(VENDORS) >= {
        "salesforce",
        "hubspot",
        "google",
        "microsoft-graph",
        "slack",
        "notion",
        "jira-cloud",
        "github",
        "xero",
        "stripe-connect",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_vendor_is_shown_speaking_its_dialect(path: Path) -> None:
    if path.stem in GENERIC:
        return
    shown = "".join(test.read_text() for test in Path(__file__).parent.glob("test_*.py"))
    assert f'slug = "{path.stem}"' in shown


@EVERY
def test_entry_introduces_itself(described: CatalogEntry) -> None:
    assert described.name
    assert described.category not in ("", "Other") or described.slug in GENERIC
    for url in (described.website, described.docs_url):
        assert url == "" or url.startswith("https://")
    if described.slug not in GENERIC:
        assert described.website
        assert described.docs_url


@EVERY
def test_scopes_are_described_in_words(described: CatalogEntry) -> None:
    for scope in described.scopes:
        assert re.fullmatch(r"[A-Z][^_]{5,100}[^.]", scope.description), scope
        assert scope.description.lower() != scope.name.lower()


@EVERY_VENDOR
def test_vendor_is_called_by_https_only(described: CatalogEntry) -> None:
    document = described.model_dump(mode="json")
    found = [text for part in document.values() for text in texts(part) if "://" in text]
    assert found
    assert all(text.startswith("https://") for text in found)
    method = code_method(described)
    for url in (method.authorization_url, method.token_url, method.revocation_url, method.introspection_url):
        assert url == "" or re.match(r"https://(\{login_host\}|[a-z0-9.-]+\.[a-z]+)/", url), url


@EVERY
def test_every_template_variable_is_declared(described: CatalogEntry) -> None:
    known = {param.name for param in described.params} | {"access_token", "client_id"}
    for style in described.auth_styles:
        known |= {item.name for item in described.fields_of(style)}
        if method := described.oauth_method(style):
            known |= set(method.extra_response_fields)
    used: set[str] = set()
    typed = {method.section(): {"fields"} for method in described.methods.values() if method.typed_fields}
    for text in texts(described.model_dump(mode="json", exclude={"params": True, "scopes": True, **typed})):
        used |= names(text)
    assert used <= known


@EVERY
def test_no_template_puts_a_secret_into_an_address(described: CatalogEntry) -> None:
    secrets = {"access_token"} | {f.name for style in described.auth_styles for f in described.fields_of(style)}
    urls = [described.base_url]
    urls += [described.probe.url] if described.probe else []
    urls += [described.workspaces.url] if described.workspaces else []
    assert not any(names(url) & secrets for url in urls)


@EVERY
def test_parameters_match_from_start_to_end(described: CatalogEntry) -> None:
    for param in described.params:
        assert param.pattern.startswith("^")
        assert param.pattern.endswith("$")
        assert not re.fullmatch(param.pattern, "x\ny")
        assert not re.fullmatch(param.pattern, "{access_token}")
        if param.scope is ParamScope.CONNECTION:
            assert param.example or param.default


@EVERY_VENDOR
def test_vendor_proves_that_a_credential_works(described: CatalogEntry) -> None:
    assert described.probe is not None
    assert described.probe.account_id or described.probe.lists_workspaces
    assert any(rule.means == "grant_rejected" for rule in described.probe.dead)


@EVERY_VENDOR
def test_grants_that_may_be_lost_say_so(described: CatalogEntry) -> None:
    method = code_method(described)
    if method.refresh_grace_seconds:
        assert method.refresh_tokens_rotate
    for seconds in (method.refresh_idle_lifetime_seconds, method.refresh_absolute_lifetime_seconds):
        assert seconds is None or 7 * 86_400 <= seconds <= 366 * 86_400


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sources_of_a_deviation_carry_the_day_they_were_read(path: Path) -> None:
    for comment in re.findall(r"(?:^#.*\n)+", path.read_text(), re.MULTILINE):
        if "https://" in comment:
            assert re.search(r"\(20[0-9]{2}-[0-9]{2}-[0-9]{2}\)", comment), comment


@EVERY
def test_machine_styles_need_no_person(described: CatalogEntry) -> None:
    if described.workspaces is not None:
        assert described.auth_styles == (AuthorizationCodeMethod.style,)
