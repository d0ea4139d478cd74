"""A form that may be forged, and a list that takes too long, are answered by a page that says what to do."""

import re

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from connections.admin import base
from tests.connections.lifecycle.sessions import session

LOGIN = "/admin/login/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def token_on(page: HttpResponse) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert found is not None
    return found[1]


def told(page: HttpResponse) -> str:
    """Return the failure that the page names, having looked at what every such page has."""
    text = page.content.decode()
    assert page.status_code == 403
    assert page["Cache-Control"] == "no-store"
    assert "<style" not in text, "the policy allows no inline style"
    assert 'name="viewport"' in text
    assert 'href="/admin/"' in text
    assert "CSRF verification failed" not in text
    found = re.search(r'data-failure="([^"]+)"', text)
    assert found is not None
    return found[1]


def test_a_browser_that_keeps_no_cookie_is_told_so(browser: Client) -> None:
    typed = {"username": "olga", "password": "x", "csrfmiddlewaretoken": token_on(browser.get(LOGIN))}
    browser.cookies.clear()
    page = browser.post(LOGIN, typed)
    assert told(page) == "no_cookie"
    assert "Allow cookies for this site" in page.content.decode()


def test_an_old_form_is_not_blamed_on_the_cookies(browser: Client) -> None:
    browser.get(LOGIN)
    for typed in ({}, {"csrfmiddlewaretoken": "x" * 64}, {"csrfmiddlewaretoken": "<script>"}):
        page = browser.post(LOGIN, typed)
        assert told(page) == "out_of_date"
        assert "<script" not in page.content.decode()


def test_a_browser_that_keeps_another_cookie_of_ours_is_not_told_to_allow_them(browser: Client) -> None:
    browser.cookies[settings.SESSION_COOKIE_NAME] = "kept"
    assert told(browser.post(LOGIN, {})) == "out_of_date"


def test_a_form_of_another_site_is_refused_whatever_it_knows(browser: Client) -> None:
    typed = {"csrfmiddlewaretoken": token_on(browser.get(LOGIN))}
    assert told(browser.post(LOGIN, typed, headers={"origin": "https://evil.example"})) == "out_of_date"


@pytest.mark.parametrize(
    "query",
    [
        "end_user__regex=(a%2B)%2B",
        "provider__icontains=x",
        "tenant__slug__startswith=a",
        "params__x=1",
        "params__x__gt=1",
    ],
)
def test_no_query_string_searches_by_a_pattern_or_in_a_document(olga: Client, query: str) -> None:
    assert olga.get(f"{reverse('admin:connections_connection_changelist')}?{query}").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_list_that_takes_too_long_says_so_and_what_to_do(olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = reverse("admin:connections_auditevent_changelist")
    assert olga.get(address).status_code == 200
    monkeypatch.setattr(base, "LIST_SECONDS", 0.3)
    with session("") as other:
        other.execute("BEGIN")
        other.execute("LOCK TABLE connections_auditevent IN ACCESS EXCLUSIVE MODE")
        answer = olga.get(address)
        other.execute("ROLLBACK")
    assert answer.status_code == 503
    assert "Narrow it" in answer.content.decode()
    monkeypatch.undo()
    assert olga.get(address).status_code == 200, "the limit is for lists alone, and ends with one"
