"""What holds for the whole catalogue that Latchkey brings along."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from providers.catalog.loader import load_entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import names
from providers.vocabulary import ParamScope

FOLDER = Path(__file__).parents[3] / "providers" / "catalog"
FILES = sorted(FOLDER.glob("*.toml"))
GENERIC = {"mcp", "oidc", "sandbox"}  # they run wherever the operator says
# Whose dialect a test of this folder speaks.
SHOWN = {
    "salesforce",
    "hubspot",
    "google",
    "microsoft-graph",
    "slack",
    "slack-user",
    "notion",
    "jira-cloud",
    "github",
    "xero",
    "stripe-connect",
}
# No call that is free and needs the credential is known.
WITHOUT_A_PROBE = {
    "acumatica",
    "adyen-oauth",
    "blackbaud",
    "braintree",
    "coupa-oauth",
    "exa",
    "fedex",
    "greenhouse-job-board",
    "greenhouse-oauth",
    "highlevel",
    "ironclad",
    "ironclad-cc",
    "people-data-labs",
    "personio-v2",
    "sage-intacct",
    "sap-concur",
    "swish",
    "talkdesk",
    "trustpilot",
    "ups",
    "workday-basic",
    "zuora",
}
_HOST = re.compile(r"https://[a-z0-9.{}_:-]+(/|\?|$)")
_WHOLE = re.compile(r"\{[a-z_]+\}")  # an address that an answer brings


@cache
def entries() -> dict[str, CatalogEntry]:
    return {path.stem: load_entry(path) for path in FILES}


def vendors() -> dict[str, CatalogEntry]:
    return {slug: described for slug, described in entries().items() if slug not in GENERIC}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def codes() -> Iterator[tuple[str, AuthorizationCodeMethod]]:
    """Yield the section of each vendor that asks for consent, with its slug."""
    for slug, described in vendors().items():
        if described.authorization_code is not None:
            yield slug, described.authorization_code


def test_the_vendors_that_are_shown_speaking_their_dialect_are_there() -> None:
    assert set(vendors()) >= SHOWN
    shown = "".join(test.read_text() for test in Path(__file__).parent.glob("test_*.py"))
    assert [slug for slug in sorted(SHOWN) if f'slug = "{slug}"' not in shown] == []


def test_every_entry_introduces_itself() -> None:
    for described in vendors().values():
        assert described.name, described.slug
        assert described.category not in ("", "Other"), described.slug
        for url in (described.website, described.docs_url):
            assert url.startswith("https://"), described.slug
        assert described.facts is not None, described.slug
        for method in described.methods.values():
            for item in method.typed_fields:
                assert item.label != item.name, described.slug


def test_names_are_given_once() -> None:
    names_of = [described.name for described in entries().values()]
    assert sorted({name for name in names_of if names_of.count(name) > 1}) == []


def test_scopes_are_described_in_words() -> None:
    for slug, described in entries().items():
        for scope in described.scopes:
            assert re.fullmatch(r"[A-Z][^_]{5,100}[^.]", scope.description), (slug, scope)
            assert scope.description.lower() != scope.name.lower(), (slug, scope)


def test_vendors_are_called_by_https_only() -> None:
    for slug, described in vendors().items():
        document = described.model_dump(mode="json", exclude={"notes": True, "facts": True, "registration": True})
        found = [text for part in document.values() for text in texts(part) if "://" in text]
        assert found, slug
        assert [text for text in found if "http://" in text] == [], slug
        for method in described.methods.values():
            for url in filter(None, method.urls.values()):
                assert _HOST.match(url) or _WHOLE.match(url), (slug, url)


def test_no_template_puts_a_secret_into_an_address_that_has_a_better_place() -> None:
    found = set()
    for slug, described in entries().items():
        secrets = {"access_token"} | {
            item.name for style in described.auth_styles for item in described.fields_of(style) if item.secret
        }
        urls = [described.base_url]
        urls += [described.probe.url] if described.probe else []
        urls += [described.workspaces.url] if described.workspaces else []
        if any(names(url) & secrets for url in urls):
            found.add(slug)
    assert found == {"telegram-bot"}


def test_parameters_match_from_start_to_end() -> None:
    for slug, described in entries().items():
        for param in described.params:
            assert param.pattern.startswith("^"), (slug, param.name)
            assert param.pattern.endswith("$"), (slug, param.name)
            assert not re.fullmatch(param.pattern, "x\ny"), (slug, param.name)
            assert not re.fullmatch(param.pattern, "{access_token}"), (slug, param.name)
            if param.scope is ParamScope.CONNECTION:
                assert param.example or param.default, (slug, param.name)


def test_every_vendor_proves_that_a_credential_works_or_is_known_not_to() -> None:
    for slug, described in vendors().items():
        assert described.probe is not None or slug in WITHOUT_A_PROBE, slug
        if described.probe is not None:
            assert slug not in WITHOUT_A_PROBE
            assert any(rule.means == "grant_rejected" for rule in described.probe.dead), slug
    for slug in SHOWN:
        probe = vendors()[slug].probe
        assert probe is not None
        assert probe.account_id or probe.lists_workspaces, slug


def test_grants_that_may_be_lost_say_so() -> None:
    for slug, method in codes():
        if method.refresh_grace_seconds:
            assert method.refresh_tokens_rotate, slug
        for seconds in (method.refresh_idle_lifetime_seconds, method.refresh_absolute_lifetime_seconds):
            assert seconds is None or 10 * 3600 <= seconds <= 20 * 366 * 86_400, slug


def test_sources_of_a_deviation_carry_the_day_they_were_read() -> None:
    for path in FILES:
        for comment in re.findall(r"(?:^#.*\n)+", path.read_text(), re.MULTILINE):
            if "https://" in comment:
                assert re.search(r"\(20[0-9]{2}-[0-9]{2}-[0-9]{2}\)", comment), (path.stem, comment)


def test_machine_styles_need_no_person() -> None:
    for slug, described in entries().items():
        if described.workspaces is not None:
            assert described.auth_styles == (AuthorizationCodeMethod.style,), slug
