"""The catalogue's categories on the page of the choice, in its language."""

from django.utils import translation

from connections.consent.categories import category_shown, is_translated
from providers.catalog.loader import load_catalog


def test_each_category_of_the_catalogue_has_a_name_in_every_language() -> None:
    categories = {entry.category for entry in load_catalog().values()}
    assert {category for category in categories if not is_translated(category)} == set()
    with translation.override("de"):
        assert str(category_shown("Accounting")) == "Buchhaltung"


def test_a_category_of_an_added_entry_stands_as_it_is_written() -> None:
    with translation.override("de"):
        assert (str(category_shown("Beekeeping")), is_translated("Beekeeping")) == ("Beekeeping", False)
