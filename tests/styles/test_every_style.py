"""No style is without a whole life."""

from providers.strategies import strategies
from tests.styles.lived import lives


def test_each_style_is_lived_through() -> None:
    assert {*strategies()} == {*lives()}
