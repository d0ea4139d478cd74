"""No bare page: whoever opens whatever address is told where they are, and a program gets a problem document."""

import json
import re
from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse

from config.web.pages import refusal
from connections.models import Tenant
from tests.asgi_client import AsgiClient

ID = "6f805d0b-5b38-4576-a2ca-263c0631c1b6"
WITHOUT_A_VIEW = [
    "/nowhere",
    "/connect",
    "/connect/",
    "/connect/nothing",
    f"/connect/{ID}/nothing",
    "/static/nothing.css",
]


def assert_is_our_page(answer: HttpResponse, status: int) -> str:
    """Assert that a page is whole, safe, and leads somewhere; returns its text."""
    page = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert "connect/connect.css" in page and "<h1" in page
    assert answer["Cache-Control"] == "no-store"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    for header, value in {
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
    }.items():
        assert answer[header] == value, header
    assert re.search("<(?:script|style)", page) is None
    return page


def assert_is_a_problem(answer: HttpResponse, status: int, code: str) -> None:
    """Assert that a program gets a problem document."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert json.loads(answer.content)["code"] == code


def test_the_root_says_what_it_is_for_and_where_to_go() -> None:
    page = assert_is_our_page(AsgiClient().get("/"), 200)
    assert "open the product" in page and 'href="/admin/"' in page
    assert AsgiClient().head("/").status_code == 200


@pytest.mark.parametrize("path", WITHOUT_A_VIEW)
def test_an_address_without_a_view_is_told_without_being_repeated(path: str) -> None:
    page = assert_is_our_page(AsgiClient().get(f"{path}?canary-query"), 404)
    assert 'href="/"' in page
    assert "canary-query" not in page and "nothing" not in page.replace("There is nothing at", "")


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/connections", f"/apps/{ID}/jwks.json", "/apps/x"])
def test_a_program_gets_a_problem_document(path: str, db: None) -> None:
    assert_is_a_problem(AsgiClient().get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("PUT", f"/connect/{ID}"), ("DELETE", f"/connect/{ID}/start"), ("POST", f"/connect/{ID}/outcome")],
)
def test_a_wrong_method_is_told_with_those_that_are_allowed(method: str, path: str, db: None) -> None:
    answer = AsgiClient().generic(method, path)
    assert_is_our_page(answer, 405)
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("path", ["/", f"/connect/{ID}", "/admin/", "/nowhere"])
def test_another_host_gets_no_way_on(path: str) -> None:
    page = assert_is_our_page(AsgiClient().get(path, headers={"host": "evil.example"}), 400)
    assert "evil.example" not in page
    assert "<a " not in page


def test_another_host_gets_a_problem_document_from_the_api() -> None:
    answer = AsgiClient().get("/api/v1/connections", headers={"host": "evil.example"})
    assert_is_a_problem(answer, 400, "invalid_request")


def test_a_nul_is_refused_on_a_page() -> None:
    assert_is_our_page(AsgiClient().get("/nowhere?x=%00"), 400)
    assert_is_our_page(AsgiClient().post("/admin/login/", {"username": "a\x00b"}), 400)


def test_a_form_that_is_too_large_is_refused_on_a_page(db: None) -> None:
    body = "x=" + "y" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    answer = AsgiClient().generic("POST", "/admin/login/", body, "application/x-www-form-urlencoded")
    assert_is_our_page(answer, 413)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/admin/login/"])
def test_a_crash_has_a_page_that_asks_nobody(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``db``: a page that asked the database would fail this test."""

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("canary-crash")

    monkeypatch.setattr("django.middleware.common.CommonMiddleware.process_request", crash)
    page = assert_is_our_page(AsgiClient().get(path), 500)
    assert "canary-crash" not in page and "RuntimeError" not in page


def test_an_operator_without_the_right_is_told_on_a_page(acme: Tenant, staff: AsgiClient) -> None:
    page = assert_is_our_page(staff.get(f"/admin/connections/tenant/{acme.id}/change/"), 403)
    assert 'href="/admin/"' in page


@pytest.mark.parametrize(
    ("accepts", "language", "words"),
    [
        ("de-AT, en;q=0.5", "de", "Unter dieser Adresse gibt es nichts"),
        ("pt", "pt-BR", "Não há nada neste endereço"),
        ("ja", "ja", "このアドレスには何もありません"),
        ("tlh", "en", "There is nothing at this address"),
    ],
)
def test_a_page_speaks_the_browsers_language_and_asks_nobody(accepts: str, language: str, words: str) -> None:
    """Without ``db``, as above."""
    page = assert_is_our_page(AsgiClient().get("/nowhere", headers={"accept-language": accepts}), 404)
    assert f'<html lang="{language}" dir="ltr">' in page and f'<h1 id="problem" data-status="404">{words}</h1>' in page


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_the_root_and_every_refusal_speak_each_language(language: str) -> None:
    client = AsgiClient(HTTP_ACCEPT_LANGUAGE=language)
    answers = [client.get("/"), client.get("/nowhere"), client.post("/"), client.get("/x?y=%00")]
    answers.append(client.get("/", headers={"host": "evil.example"}))
    answers.append(refusal(HTTPStatus.SERVICE_UNAVAILABLE, path="/connect/x", accepts=language))
    assert [answer.status_code for answer in answers] == [200, 404, 405, 400, 400, 503]
    headings = [re.search("<h1[^>]*>([^<]+)</h1>", answer.content.decode()) for answer in answers]
    assert all(headings)
    in_english = {"Accounts are connected here", "There is nothing at this address", "This request cannot be read"}
    said = {found[1] for found in headings if found}
    assert len(said) == len(answers)
    assert in_english <= said if language == "en" else not in_english & said


def test_an_operators_page_is_in_english_as_the_admin_is() -> None:
    page = refusal(HTTPStatus.FORBIDDEN, path="/admin/x", accepts="de").content.decode()
    assert '<html lang="en"' in page and "You may not do this" in page


@pytest.fixture
def staff(db: None, django_user_model: Any) -> AsgiClient:
    """An operator who may log in, and nothing else."""
    client = AsgiClient()
    client.force_login(django_user_model.objects.create_user("olga", password="x" * 20, is_staff=True))
    return client
