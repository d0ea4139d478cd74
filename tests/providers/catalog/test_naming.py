"""What a name means where aliases and slugs meet: nothing is taken silently, and no entry is lost by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.catalog.loader import configure_catalog, entry, faulty_files, meant_by


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    configure_catalog(None)


def write(folder: Path, slug: str, *aliases: str) -> None:
    lines = "".join(f'{alias} = "bearer_token"\n' for alias in aliases)
    (folder / f"{slug}.toml").write_text(f'name = "{slug}"\n[aliases]\n{lines}[bearer_token]\n')


def told_of(folder: Path) -> list[str]:
    configure_catalog(folder)
    return [problem for file in faulty_files() for problem in file.problems]


def test_of_two_entries_with_one_alias_the_first_has_it_and_both_are_in_force(folder: Path) -> None:
    write(folder, "acme", "our-pat")
    write(folder, "globex", "our-pat", "globex-pat")
    (told,) = told_of(folder)
    assert told == "globex.toml: aliases.our-pat: acme.toml has this alias too; remove it from one of the two"
    assert (entry("our-pat").slug, entry("globex-pat").slug) == ("acme", "globex")
    assert [file.has_entry for file in faulty_files()] == [True]


def test_an_alias_takes_no_name_that_means_another_entry(folder: Path) -> None:
    write(folder, "acme", "globex", "hubspot", "salesforce-jwt")
    write(folder, "globex")
    write(folder, "salesforce-cc")
    told = told_of(folder)
    assert told[:3] == [
        "acme.toml: aliases.globex: there is a provider globex.toml; choose another name",
        "acme.toml: aliases.hubspot: there is a provider hubspot (built in); choose another name",
        "acme.toml: aliases.salesforce-jwt: salesforce (built in) has this alias too; remove it from one of the two",
    ]
    hides = "salesforce-cc.toml: slug: 'salesforce-cc' is another name of salesforce (built in), which it hides;"
    assert told[3:] == [f"{hides} give the file another name"]
    assert [entry(name).slug for name in ("acme", "globex", "hubspot", "salesforce-cc")] == [
        "acme",
        "globex",
        "hubspot",
        "salesforce-cc",
    ]
    assert meant_by("salesforce-jwt") == ("salesforce", "oauth2_jwt_bearer")
