"""Every entry of the catalogue lives a whole life at a vendor that speaks its dialect, and nothing else."""

import pytest

from providers.catalog import loader
from providers.dialects.fixture import STYLES, Fixture, fixtures
from providers.dialects.life import Life, style_of
from providers.strategies import strategies

# These run wherever the operator says, so no vendor's dialect is theirs.
GENERIC = {"mcp", "oidc", "sandbox"}
KNOWN = {slug: said for slug, said in fixtures().items() if (said.entry or slug) in loader.load_catalog()}


def life_of(fixture: Fixture) -> Life:
    """Return the life of the entry that goes by the fixture's name."""
    entry = loader.entry(fixture.entry or fixture.slug)
    return Life(fixture, entry, style_of(entry, fixture, loader.meant_by(fixture.slug)[1]))


@pytest.mark.parametrize("slug", KNOWN)
def test_an_entry_lives_as_its_vendor_has_it(slug: str) -> None:
    life_of(KNOWN[slug]).run()


def test_the_kinds_of_lives_are_of_styles_that_exist() -> None:
    assert {style for styles in STYLES.values() for style in styles} <= {*strategies()}


def unlived() -> list[str]:
    """Return the ways to connect that the catalogue describes and no fixture knows: each as ``slug: style``."""
    lived = {(life.entry.slug, life.style) for life in map(life_of, KNOWN.values())}
    return [
        f"{slug}: {style}"
        for slug, entry in loader.load_catalog().items()
        if slug not in GENERIC
        for style in entry.methods
        if (slug, style) not in lived
    ]


def test_every_way_to_connect_is_lived() -> None:
    assert unlived() == []
