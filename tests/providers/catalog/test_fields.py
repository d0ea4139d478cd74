"""What a parameter accepts, whatever pattern an entry gives it."""

import pytest

from providers.catalog.fields import Param


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "a\r\nX: b", "\ud800", "a\u202eb", "x" * 2001, "a\x7f", "\u2028"])
def test_no_pattern_lets_in_what_no_address_header_or_column_takes(value: str) -> None:
    for pattern in (r"(?s)^.+$", r"^[^/]+$", r"^[\s\S]*$"):
        assert not Param(name="shop", label="Shop", pattern=pattern).accepts(value)
        assert Param(name="shop", label="Shop", pattern=pattern).accepts("Blumen Müller & Söhne")


def test_choices_alone_decide() -> None:
    param = Param(name="region", label="Region", choices={"eu": "https://eu.example"})
    assert param.accepts("eu")
    assert not param.accepts("https://eu.example")
