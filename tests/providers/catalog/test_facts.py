"""What an entry says about itself: other names, how sure it is, and what does not agree is named."""

from pathlib import Path
from typing import Any

import pytest

from providers.catalog.cautions import cautions_of
from providers.catalog.checks import problems_of
from providers.catalog.loader import (
    CatalogError,
    configure_catalog,
    entry,
    listed,
    load_catalog,
    load_entry,
    meant_by,
)
from providers.catalog.schema import CatalogEntry

FACTS = {"confidence": "high", "checked_on": "2026-11-29"}


def acme(**said: Any) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {"slug": "acme", "name": "Acme", "bearer_token": {}, "http_basic": {}, "facts": FACTS, **said}
    )


def test_confidence_counts_for_each_style_that_has_none_of_its_own() -> None:
    described = acme(facts=FACTS | {"styles": {"bearer_token": "low"}})
    assert [described.confidence_of(style) for style in described.auth_styles] == ["high", "low"]
    assert described.confidence_of("api_key") is None
    assert acme(facts=None).confidence_of("bearer_token") is None


def test_only_what_nobody_has_confirmed_is_told_as_unverified() -> None:
    described = acme(facts=FACTS | {"styles": {"bearer_token": "low"}})
    (told,) = cautions_of(described, "bearer_token")
    assert told.startswith("Unverified: ")
    assert "2026-11-29" in told
    assert cautions_of(described, "http_basic") == ()
    assert cautions_of(acme(facts=None), "bearer_token") == ()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"aliases": {"acme": "bearer_token"}}, "aliases.acme: is the entry's own name"),
        ({"aliases": {"acme-x": "api_key"}}, "aliases.acme-x: there is no section [api_key]"),
        ({"facts": FACTS | {"styles": {"api_key": "low"}}}, "facts.styles.api_key: there is no section"),
        ({"registration": {"console": "acme.example"}}, "registration.console: 'acme.example' is no link"),
        ({"registration": {"steps": ["Tick all"]}}, "registration.steps.0: is shown to operators as a sentence"),
        ({"notes": ["60 a minute"]}, "notes.0: is shown to operators as a sentence"),
    ],
)
def test_what_does_not_agree_is_named(said: dict[str, Any], says: str) -> None:
    assert [problem for problem in problems_of(acme(**said), "acme") if problem.startswith(says)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('colour = "red"', "colour: is 'red'; write # and six digits"),
        (
            'facts = { confidence = "sure", checked_on = "2026-11-29" }',
            "facts.confidence: 'sure' is none of",
        ),
        ('facts = { confidence = "low", checked_on = "yesterday" }', "facts.checked_on: is 'yesterday'; write a day"),
        ("facts = { confidence = 'low', checked_on = 2026-11-29 }", "holds a date or a time; write it as a text"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, line: str, says: str) -> None:
    (tmp_path / "acme.toml").write_text(f'name = "Acme"\n{line}\n[bearer_token]\n')
    with pytest.raises(CatalogError) as caught:
        load_entry(tmp_path / "acme.toml")
    assert says in str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    configure_catalog(tmp_path)
    yield tmp_path
    configure_catalog(None)


def write(folder: Path, slug: str, *aliases: str) -> None:
    lines = "".join(f'{alias} = "bearer_token"\n' for alias in aliases)
    (folder / f"{slug}.toml").write_text(f'name = "{slug}"\n[aliases]\n{lines}[bearer_token]\n')


def test_an_entry_is_found_by_its_alias_and_listed_by_its_own_name(folder: Path) -> None:
    write(folder, "acme", "acme-pat")
    assert entry("acme-pat") is entry("acme")
    assert "acme-pat" in load_catalog()
    assert "acme-pat" not in [*load_catalog(), *listed()]
    assert meant_by("acme-pat") == ("acme", "bearer_token")
    assert meant_by("acme") == ("acme", "")
    assert meant_by("nobody") == ("nobody", "")
    assert len(load_catalog()) == len(listed())


def test_an_entry_of_the_operator_s_own_takes_the_place_of_an_alias(folder: Path) -> None:
    write(folder, "sandbox", "acme")
    write(folder, "globex")
    assert entry("acme").slug == "sandbox"
    write(folder, "acme")
    (folder / "sandbox.toml").unlink()
    configure_catalog(folder)
    assert entry("acme").slug == "acme"
