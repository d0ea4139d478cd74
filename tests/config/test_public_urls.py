"""The public addresses: read from the environment, whole, and alike in their path."""

from http.cookies import SimpleCookie

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.public_urls import PublicUrls, read_public_urls

NAMES = ("PUBLIC_URL", "WIDGET_URL", "ADMIN_URL", "API_URL")


def read(*, development: bool = False, **given: str) -> PublicUrls:
    said = {name.removesuffix("_URL").lower(): given.get(name, "") for name in NAMES}
    return read_public_urls(**said, development=development)


def test_one_address_is_that_of_all() -> None:
    urls = read(PUBLIC_URL="https://Example.com:443/latchkey/")
    assert urls.public == urls.widget == urls.admin == urls.api == "https://example.com/latchkey"
    assert (urls.path, urls.cookie_mark, urls.host_names) == ("/latchkey", ".latchkey", ["example.com"])


def test_no_cookie_of_one_path_is_one_of_another() -> None:
    paths = ["", "/a", "/a/b", "/a.b", "/a-b", "/a_b", "/a~b", "/a-b/c", "/a.b-c", "/a/b.c", "/a-click"]
    marks = [read(PUBLIC_URL=f"https://example.com{path}").cookie_mark + "-" for path in paths]
    assert not [(one, other) for one in marks for other in marks if one is not other and one.startswith(other)]
    assert all(SimpleCookie({f"latchkey{mark}csrf": "x"}) for mark in marks), "each is a name"


def test_each_has_its_own_where_it_is_named() -> None:
    urls = read(
        PUBLIC_URL="https://connect.example.com",
        ADMIN_URL="https://admin.example.com:8443",
        API_URL="https://[2001:db8::1]",
    )
    assert urls.widget == urls.public == "https://connect.example.com"
    assert (urls.admin, urls.api) == ("https://admin.example.com:8443", "https://[2001:db8::1]")
    assert urls.host_names == ["connect.example.com", "admin.example.com", "[2001:db8::1]"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "ftp://example.com",
        "https://",
        "https:///latchkey",
        "https://example.com:0",
        "https://example.com:99999",
        "https://me:secret@example.com",
        "https://example.com?x=1",
        "https://example.com/#a",
        "https://example.com/a//b",
        "https://example.com/a b",
        "https://example.com/a;b",
        "https://example.com/%61",
        "https://example.com/../b",
        "http://example.com",
        "https://[::1",
    ],
)
def test_what_is_no_public_address_is_refused_by_its_name(name: str, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} must"):
        read(**{"PUBLIC_URL": "https://example.com", name: url})


@pytest.mark.parametrize(
    ("public", "other"), [("https://a.example/x", "https://b.example"), ("https://a.example", "https://b.example/x")]
)
def test_all_have_one_path(public: str, other: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^ADMIN_URL must have the path of PUBLIC_URL"):
        read(PUBLIC_URL=public, ADMIN_URL=other)


@pytest.mark.parametrize(
    ("urls", "is_loopback"),
    [
        ({"PUBLIC_URL": "http://127.0.0.1:1"}, True),
        ({"PUBLIC_URL": "http://127.0.0.1:1", "ADMIN_URL": "http://localhost:2"}, True),
        ({"PUBLIC_URL": "http://127.0.0.1:1", "ADMIN_URL": "http://192.168.1.1:2"}, False),
        ({"PUBLIC_URL": "http://127.0.0.1:1", "API_URL": "https://localhost"}, False),
    ],
)
def test_cookies_are_weaker_only_where_no_host_is_on_a_network(urls: dict[str, str], is_loopback: bool) -> None:
    assert read(development=True, **urls).is_loopback_http() is is_loopback
