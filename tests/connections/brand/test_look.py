"""Whose value a page shows: the tenant's, then the operator's, then ours."""

from pathlib import Path
from typing import Any

import pytest

from connections.brand.look import OURS, RADIUS, look_of, own_logo, picture_shown
from connections.brand.palette import LIGHT
from connections.brand.profile import BrandProfile
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.brands import save_brand
from connections.models import Brand, Tenant
from tests.pictures import SVG, data_uri, picture

pytestmark = pytest.mark.django_db


def save(tenant: Tenant | None, **values: Any) -> Brand:
    return save_brand(tenant, BrandProfile(**values), actor=SYSTEM)


def test_ours_where_nobody_says_anything(acme: Tenant) -> None:
    look = look_of(acme)
    assert (look.name, look.light.brand, look.radius, look.locale) == ("Acme", LIGHT["accent"], RADIUS, "")
    assert "system-ui" in look.font
    assert look_of(None).name == ""


def test_each_value_falls_back_by_itself(acme: Tenant, globex: Tenant) -> None:
    save(
        None,
        name="Initech",
        colors={"accent": "#101080"},
        radius=0,
        font="serif",
        support_url="https://initech.example/help",
        privacy_url="https://initech.example/privacy",
        texts={"de": {"title": "Verbinden", "back": "Zurück"}},
    )
    save(
        acme,
        colors={"accent": "#0f766e"},
        font="rounded",
        support_url="https://a.example",
        texts={"de": {"back": "Heim"}},
    )
    look = look_of(acme)
    assert (look.name, look.light.brand, look.radius) == ("Acme", "#0f766e", 0)
    assert "ui-rounded" in look.font
    assert (look.support_url, look.privacy_url) == ("https://a.example", "https://initech.example/privacy")
    assert look.texts == {"de": {"title": "Verbinden", "back": "Heim"}}
    assert look_of(globex).light.brand == "#101080"
    assert (look_of(None).name, look_of(None).light.brand) == ("Initech", "#101080")


def test_a_tenant_s_accent_comes_before_the_operator_s_dark_one(acme: Tenant, globex: Tenant) -> None:
    save(None, dark_colors={"accent": "#66ccff"})
    save(acme, colors={"accent": "#c2410c"})
    assert look_of(acme).dark.brand != "#66ccff"
    assert look_of(globex).dark.brand == "#66ccff"


def test_the_style_sheet_holds_numbers_and_lists_of_ours_alone(acme: Tenant) -> None:
    save(acme, colors={"accent": "#0F766E"}, radius=3, font="monospace")
    css = look_of(acme).css()
    assert "--brand: #0f766e;" in css
    assert "--radius: 3px;" in css
    assert css.count("prefers-color-scheme: dark") == 1
    assert "prefers" not in look_of(acme).css_in(is_dark=True)
    assert "color-scheme: dark" in look_of(acme).css_in(is_dark=True)


def test_a_colour_that_stands_on_another_ground_later_is_moved(acme: Tenant) -> None:
    save(acme, colors={"accent": "#0f766e"})
    save(None, colors={"surface": "#0f5f5e", "background": "#0f5f5e", "text": "#ffffff"})
    look = look_of(acme)
    assert look.light.brand != "#0f766e"
    assert look.light.paper == "#0f5f5e"


def test_pictures_fall_back_and_a_favicon_to_the_logo(acme: Tenant, globex: Tenant) -> None:
    assert picture_shown(acme, is_favicon=True) is None
    save(None, logo=data_uri(SVG), favicon=data_uri(picture(color="#ff0000")))
    save(acme, logo=data_uri(picture(color="#00ff00")))
    own, theirs = own_logo(acme), picture_shown(None, is_favicon=True)
    assert own is not None
    assert theirs is not None
    assert picture_shown(acme, is_favicon=False) == own
    assert picture_shown(acme, is_favicon=True) == own
    assert picture_shown(globex, is_favicon=True) == theirs
    shown = picture_shown(globex, is_favicon=False)
    assert shown is not None
    assert shown[1] == "image/svg+xml"
    assert own_logo(globex) is None
    assert (look_of(globex).has_logo, look_of(globex).has_favicon) == (True, True)


def test_one_query_tells_all(acme: Tenant, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        look_of(acme)


def test_the_style_sheet_has_our_own_look_for_pages_without_a_brand() -> None:
    sheet = " ".join((Path(__file__).parents[3] / "static/connect/connect.css").read_text(encoding="utf-8").split())
    light, dark = sheet.split("@media (prefers-color-scheme: dark)", 1)
    assert f"--radius: {OURS.radius}px; --font: {OURS.font};" in light
    assert OURS.light.as_css() in light
    assert dark.lstrip().startswith(f"{{ :root {{ {OURS.dark.as_css()} }}")
