"""Contrast as WCAG 2.2 counts it, and the nearest colour that has enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.brand.colors import FOR_SHAPES, FOR_TEXT, contrast, mixed, nearest, text_on, written

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
        ("#ffff00", "#ffffff", 1.07),
        ("#abcdef", "#abcdef", 1.0),
    ],
)
def test_contrast_is_the_one_of_the_standard(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@given(COLORS)
def test_black_or_white_reads_well_on_every_colour(color: str) -> None:
    assert contrast(text_on(color), color) >= FOR_TEXT


@given(COLORS, COLORS)
def test_there_is_always_a_colour_near_that_reads_well(color: str, ground: str) -> None:
    found = nearest(color, grounds=(ground,), ratio=FOR_TEXT)
    assert contrast(found, ground) >= FOR_TEXT
    if contrast(color, ground) >= FOR_TEXT:
        assert found == color


def test_the_nearest_colour_keeps_its_hue() -> None:
    found = nearest("#00c2a8", grounds=("#ffffff",), ratio=FOR_SHAPES)
    assert found != "#000000"
    assert contrast(found, "#ffffff") < FOR_SHAPES + 0.1


def test_between_two_grounds_that_differ_the_best_there_is_comes_out() -> None:
    found = nearest("#808080", grounds=("#000000", "#ffffff"), ratio=7.0)
    assert min(contrast(found, "#000000"), contrast(found, "#ffffff")) > 4


def test_mixing_goes_from_the_one_to_the_other() -> None:
    assert [mixed("#000000", "#ff8000", share) for share in (0, 0.5, 1)] == ["#000000", "#804000", "#ff8000"]


@pytest.mark.parametrize("hostile", ["red", "", "#12", "#zzzzzz", "#12;}*{", "url(//x)"])
def test_nothing_else_is_written_into_a_style_sheet(hostile: str) -> None:
    try:
        assert written(hostile).isascii()
        assert written(hostile)[1:].isalnum()
    except ValueError:
        pass


def test_a_colour_is_written_in_one_way() -> None:
    assert written("#0F766E") == "#0f766e"
