"""The colours of a page: whatever a brand sets, what is shown of it can be read."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from connections.brand.colors import FOR_SHAPES, FOR_TEXT, contrast
from connections.brand.palette import DARK, LIGHT, ROLES, chosen_colors, clashes, palette_of

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(st.fixed_dictionaries(dict.fromkeys(ROLES, COLORS)))
def test_whatever_is_set_can_be_read(colors: dict[str, str]) -> None:
    palette = palette_of(colors)
    for color in (palette.ink, palette.soft, palette.alarm, palette.good):
        assert contrast(color, palette.paper) >= FOR_TEXT
    assert contrast(palette.brand, palette.paper) >= FOR_SHAPES
    assert contrast(palette.on_brand, palette.brand) >= FOR_TEXT
    assert all(len(color) == 7 for color in astuple(palette))


def test_our_own_colours_go_together() -> None:
    assert clashes(LIGHT) == []
    assert palette_of(LIGHT).brand == LIGHT["accent"]


def test_a_clash_says_what_would_do() -> None:
    (clash,) = clashes({**LIGHT, "accent": "#ffff00"})
    assert (clash.role, clash.ground, clash.needed) == ("accent", "surface", FOR_SHAPES)
    assert clashes({**LIGHT, "accent": clash.passes}) == []


@given(st.fixed_dictionaries(dict.fromkeys(ROLES, COLORS)))
def test_what_would_do_does(colors: dict[str, str]) -> None:
    for clash in clashes(colors):
        left = [other.role for other in clashes({**colors, clash.role: clash.passes})]
        between = contrast(colors["surface"], colors["background"]) > 1.2
        assert clash.role not in left or (clash.role == "text" and between)


def test_the_brand_comes_before_the_operator_and_both_before_ours() -> None:
    chosen = chosen_colors({"accent": "#0F766E"}, {"accent": "#111111", "text": "#222222"}, is_dark=True)
    assert chosen == {**DARK, "accent": "#0f766e", "text": "#222222"}
