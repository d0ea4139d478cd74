"""How pages look, over the API: set, read back, refused by name, and never another's."""

from typing import Any

import pytest

from connections.models import AuditEvent, Brand, Permission, Tenant
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call
from tests.pictures import SVG, data_uri, picture

WHOLE = {
    "colors": {"accent": "#0f766e", "background": "#f0fdfa", "surface": "#ffffff", "text": "#111827"},
    "dark_colors": {"accent": "#2dd4bf", "background": "#042f2e", "surface": "#0b3b38", "text": "#f0fdfa"},
    "radius": 4,
    "font": "humanist",
    "texts": {"de": {"continue": "Weiter zu {provider}"}, "ja": {"back": "{tenant}へ戻る"}},
    "support_url": "https://initech.example/help",
    "privacy_url": "https://initech.example/privacy",
    "locale": "pt-br",
}


@pytest.fixture
def manager(db: None) -> Caller:
    """An operator-wide client that manages tenants."""
    return make_caller(None, "manager", [Permission.TENANTS, Permission.READ])


def put(manager: Caller, branding: Any, *, slug: str = "initech") -> Any:
    return call(manager, "PUT", f"/tenants/{slug}", {"name": "Initech", "branding": branding})


def test_all_of_a_brand_is_set_and_read_back(manager: Caller) -> None:
    made = put(manager, {**WHOLE, "logo": data_uri(SVG), "favicon": data_uri(picture())}).json()["branding"]
    assert made == {**WHOLE, "has_logo": True, "has_favicon": True}
    assert call(manager, "GET", "/tenants").json()["items"][0]["branding"] == made
    assert AuditEvent.objects.filter(action="brand.saved", api_client_id=manager.client.id).count() == 1


def test_what_is_not_given_falls_back_but_pictures_stay(manager: Caller) -> None:
    put(manager, {**WHOLE, "logo": data_uri(SVG), "favicon": data_uri(picture())})
    changed = put(manager, {"radius": 0, "favicon": ""}).json()["branding"]
    assert (changed["radius"], changed["font"], changed["texts"]) == (0, "", {})
    assert changed["colors"]["accent"] == changed["dark_colors"]["text"] == ""
    assert (changed["has_logo"], changed["has_favicon"]) == (True, False)


def test_the_operator_has_a_brand_too(manager: Caller, acme: Tenant) -> None:
    backend = make_caller(acme)
    assert call(backend, "GET", "/branding").json()["name"] == ""
    body = {**WHOLE, "name": "Initech", "logo": data_uri(picture())}
    assert call(manager, "PUT", "/branding", body).json()["name"] == "Initech"
    again = call(manager, "PUT", "/branding", {"name": "Initech Corp."}).json()
    assert (again["name"], again["has_logo"], again["radius"]) == ("Initech Corp.", True, None)
    assert call(backend, "GET", "/branding").json() == again
    assert call(backend, "PUT", "/branding", {"name": "Acme"}).status_code == 403
    assert Brand.objects.filter(tenant=None).count() == 1
    assert call(manager, "PUT", "/branding", {"name": "\u202eInitech"}).json()["field"] == "name"


@pytest.mark.parametrize(
    ("branding", "field"),
    [
        ({"colors": {"accent": "red"}}, "accent"),
        ({"colors": {"accent": "#12345"}}, "accent"),
        ({"colors": {"accent": "#123456;background:url(//evil.example)"}}, "accent"),
        ({"colors": {"accent": "#123456\n"}}, "accent"),
        ({"colors": {"accent": "var(--x)"}}, "accent"),
        ({"colors": {"accent": "#ffff00"}}, "accent"),
        ({"colors": {"text": "#cccccc"}}, "text"),
        ({"colors": {"surface": "#222222"}}, "text"),
        ({"dark_colors": {"text": "#333333"}}, "dark_text"),
        ({"dark_colors": {"accent": "#222222"}}, "dark_accent"),
        ({"colors": {"shadow": "#000000"}}, "colors"),
        ({"radius": 25}, "radius"),
        ({"radius": -1}, "radius"),
        ({"font": "Comic Sans"}, "font"),
        ({"font": "serif; } * { color: red"}, "font"),
        ({"texts": {"de": {"warning": "Alles gut"}}}, "texts"),
        ({"texts": {"de": {"title": "{provider.app}"}}}, "texts"),
        ({"texts": {"de": {"title": "x" * 10_000}}}, "texts"),
        ({"texts": {"de": {"title": "\u202egro.live"}}}, "texts"),
        ({"texts": {"de": {"title": "NUL\x00"}}}, "texts"),
        ({"texts": {"xx": {"title": "Hi"}}}, "texts"),
        ({"texts": {"de": {"title": 5}}}, "texts"),
        ({"support_url": "http://initech.example"}, "support_url"),
        ({"support_url": "javascript:alert(1)"}, "support_url"),
        ({"support_url": "//initech.example"}, "support_url"),
        ({"privacy_url": 'https://x.example/"><script>'}, "privacy_url"),
        ({"privacy_url": "https://user@x.example/"}, "privacy_url"),
        ({"privacy_url": "https://x.example/" + "x" * 1000}, "privacy_url"),
        ({"locale": "klingon"}, "locale"),
        ({"locale": "ar"}, "locale"),
        ({"logo": "https://cdn.example/logo.png"}, "logo"),
        ({"logo": data_uri(b"not a picture")}, "logo"),
        ({"logo": data_uri(picture() + bytes(65_536))}, "logo"),
        ({"logo": data_uri(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")}, "logo"),
        ({"favicon": data_uri(b"GIF89a")}, "favicon"),
        ({"name": "Not the tenant's"}, "name"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_nothing_changes(
    branding: dict[str, Any], field: str, manager: Caller
) -> None:
    answer = put(manager, branding)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert field in answer.json()["field"].split(".")
    assert not Tenant.objects.exists()


def test_too_little_contrast_is_told_with_what_would_do(manager: Caller) -> None:
    told = put(manager, {"colors": {"accent": "#7dd3fc"}}).json()
    assert "has a contrast of 1.67 : 1 to the surface #ffffff in light mode, and 3 : 1 is needed" in told["detail"]
    would_do = told["detail"].split(" would do.")[0].split()[-1]
    assert put(manager, {"colors": {"accent": would_do}}).status_code == 200


def test_a_brand_is_not_blamed_for_what_the_operator_did(manager: Caller) -> None:
    put(manager, {"colors": {"accent": "#0f766e"}})
    ours = {"colors": {"surface": "#0f5f5e", "background": "#0f5f5e", "text": "#ffffff", "accent": "#ffffff"}}
    assert call(manager, "PUT", "/branding", ours).status_code == 200
    assert put(manager, {"radius": 2}).status_code == 200
    assert put(manager, {"colors": {"accent": "#0f766e"}}).json()["field"] == "accent"


def test_only_an_operator_wide_client_with_the_permission_brands_a_tenant(manager: Caller) -> None:
    acme = make_tenant("acme")
    for caller in (make_caller(acme), make_caller(None, "reader", [Permission.READ])):
        assert put(caller, WHOLE, slug="acme").status_code == 403
    assert Brand.objects.get(tenant=acme).accent == ""
