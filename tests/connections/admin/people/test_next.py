"""Where a login, a proof and a logout lead on to: a page of this admin, whatever the address says."""

import html
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.connections.admin.conftest import PASSWORD
from tests.connections.admin.people.staff import INDEX, LOGIN, make_operator, type_password

HERE = "http://testserver/admin/login/"
PROVE = "/admin/account/prove/"
ELSEWHERE = (
    "https://thief.example/",
    "//thief.example/admin/",
    "///thief.example/admin/",
    r"/\\thief.example/admin/",
    r"\\thief.example",
    "https:thief.example",
    "http:///thief.example/admin/",
    "https://testserver@thief.example/admin/",
    "https://testserver.thief.example/admin/",
    "//testserver@thief.example/admin/",
    "/admin/../../thief.example",
    "/admin/%2e%2e/connect/start/",
    "/\t/thief.example/admin/",
    "javascript:alert(1)",
    "/connect/start/",
    "/api/v1/connections",
    "",
)


@pytest.fixture
def olga(db: None) -> User:
    return make_operator()


def read_by_a_browser(location: str) -> str:
    """Return the address to which a browser goes: it drops tabs and line ends, and takes a backslash for a slash."""
    bare = location.translate({ord(char): None for char in "\t\r\n"}).replace("\\", "/")
    return urljoin(HERE, bare)


def assert_stays(location: str) -> None:
    there = urlsplit(read_by_a_browser(location))
    assert (there.scheme, there.netloc) == ("http", "testserver"), location
    assert there.path.startswith("/admin/"), location


def assert_no_link_leads_out(page: Any) -> None:
    """What was asked for may stand in a hidden field, which the next step reads as it reads the address."""
    for address in re.findall(r'(?:href|action)="([^"]*)"', page.content.decode()):
        there = urlsplit(read_by_a_browser(html.unescape(address)))
        assert (there.scheme, there.netloc) == ("http", "testserver"), address


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nothing_leads_out_of_the_admin(wanted: str, olga: User) -> None:
    browser = Client()
    assert_no_link_leads_out(browser.get(LOGIN, {"next": wanted}))
    assert_stays(type_password(browser, next=wanted)["Location"])
    assert_stays(browser.get(LOGIN, {"next": wanted})["Location"])
    assert_no_link_leads_out(browser.get(PROVE, {"next": wanted}))
    assert_stays(browser.post(PROVE, {"password": PASSWORD, "next": wanted})["Location"])
    assert_stays(browser.post("/admin/logout/", {"next": wanted})["Location"])


def test_a_page_of_the_admin_is_where_it_leads(olga: User) -> None:
    browser, wanted = Client(), "/admin/connections/tenant/?q=acme"
    assert type_password(browser, next=wanted)["Location"] == wanted
    assert browser.post(PROVE, {"password": PASSWORD, "next": wanted})["Location"] == wanted
    assert browser.get(INDEX).status_code == 200


def test_a_session_that_was_fixed_before_the_login_is_not_the_one_after_it(olga: User) -> None:
    """Not even one of this very server's: it gets another id, with a login and with each proof of a second step."""
    thief = Client()
    thief.get(LOGIN)
    session = thief.session
    session["planted"] = True
    session.save()
    victim = Client()
    victim.cookies = thief.cookies.copy()
    planted = thief.session.session_key
    type_password(victim)
    assert victim.session.session_key != planted
    assert victim.get(INDEX).status_code == 200
    assert thief.get(INDEX).status_code == 302
