"""Every entry of the catalogue lives a whole life at a vendor that speaks its dialect, and nothing else."""

import pytest

from providers.catalog import loader
from providers.strategies import strategies
from tests.dialects.fixture import STYLES, Fixture, fixtures
from tests.dialects.life import Life, style_of

KNOWN = {slug: said for slug, said in fixtures().items() if slug in loader.load_catalog()}


def life_of(fixture: Fixture) -> Life:
    """Return the life of the entry that goes by the fixture's name."""
    entry = loader.entry(fixture.slug)
    return Life(fixture, entry, style_of(entry, fixture, loader.meant_by(fixture.slug)[1]))


@pytest.mark.parametrize("slug", KNOWN)
def test_an_entry_lives_as_its_vendor_has_it(slug: str) -> None:
    life_of(KNOWN[slug]).run()


def test_the_kinds_of_lives_are_of_styles_that_exist() -> None:
    assert {style for styles in STYLES.values() for style in styles} <= {*strategies()}
