"""One host or several, with a path or without: every address of the resolver, and what leads to each."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver

from config.web.hosts import owners_of
from connections.models import Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller
from tests.public_urls import served_at

pytestmark = pytest.mark.django_db

PATH = "https://example.com/latchkey"
APART = {
    "widget": "https://connect.example.com",
    "admin": "https://admin.example.com:8443",
    "api": "https://api.example.com",
}
HOSTS = {part: url.removeprefix("https://") for part, url in APART.items()}
ID = "6f805d0b-5b38-4576-a2ca-263c0631c1b6"
_VALUES = {"uuid": ID, "int": "1", "path": "x/y", "picture": "logo", "slug": "hubspot"}


def all_paths() -> list[str]:
    """Return one path of each address of the resolver, with made up values for what differs."""

    def below(resolver: URLResolver, before: str) -> Iterator[str]:
        for part in resolver.url_patterns:
            written = before + _filled(str(part.pattern))
            if isinstance(part, URLResolver):
                yield from below(part, written)
            elif isinstance(part, URLPattern):
                yield written

    return sorted({f"/{path}" for path in below(get_resolver(), "")})


def _filled(pattern: str) -> str:
    if pattern.startswith("^"):  # a regular expression of Django's admin
        return pattern.replace("^", "").replace("$", "").replace("\\Z", "").replace("(?P<url>.*)", "x")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: _VALUES.get(found[1] or "", "x"), pattern)


def of_host(path: str) -> set[str]:
    """Say who should answer, by rules of this test's own."""
    if path == "/":
        return {"widget", "admin", "api"}
    first = path.split("/")[1]
    if path == "/connect/preview":
        return {"admin"}
    by_first = {"connect": "widget", "apps": "widget", "pushes": "widget", "admin": "admin"}
    return {by_first.get(first, "api")}


def asked(client: AsgiClient, host: str, path: str, method: str = "GET", **extra: Any) -> HttpResponse:
    return client.generic(method, path, secure=True, headers={"host": host, **extra})


def as_told(answer: HttpResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.content, sorted(answer.items())


def test_every_address_is_answered_by_its_own_host_and_by_no_other() -> None:
    paths = all_paths()
    assert len(paths) > 400
    with served_at("https://example.com", **APART) as client:
        nothing = {part: as_told(asked(client, host, "/there-is-nothing")) for part, host in HOSTS.items()}
        for path in paths:
            assert set(owners_of(path)) == of_host(path), path
            for part, host in HOSTS.items():
                if part not in of_host(path):
                    for method in ("GET", "POST", "OPTIONS"):
                        answer = asked(client, host, path, method)
                        assert as_told(answer) == nothing[part], (part, method, path)
        assert {status for status, _, _ in nothing.values()} == {404}
        # What the owners answer is a view's: a page, a refusal of that view, or the way to the login.
        for path in ("/connect/v1/connect.js", "/admin/login/", "/api/v1/openapi.json", "/llms.txt"):
            (owner,) = of_host(path)
            assert asked(client, HOSTS[owner], path).status_code == 200, path


def test_a_host_without_the_admin_does_not_say_that_there_is_one() -> None:
    with served_at("https://example.com", **APART) as client:
        for part, host in HOSTS.items():
            page = asked(client, host, "/").content.decode()
            assert ("/admin/" in page) is (part == "admin")
            for path in ("/admin", "/admin/", "/ADMIN/", "/static/admin/css/base.css", "/api", "/connect"):
                answer = asked(client, host, path)
                assert (answer.status_code == 404) or (part, path.strip("/").split("/")[0]) in {
                    ("admin", "admin"),
                    ("admin", "static"),
                }, (part, path)


@pytest.mark.parametrize("host", ["evil.example", "example.com", "", "api.example.com, admin.example.com", "10.0.0.1"])
def test_a_name_that_is_no_hosts_gets_nothing_but_health(host: str) -> None:
    with served_at("https://example.com", **APART) as client:
        for path in (
            "/",
            "/admin/login/",
            "/api/v1/openapi.json",
            "/connect/v1/connect.js",
            "/static/connect/back.js",
        ):
            assert asked(client, host, path).status_code == 404, path
        assert asked(client, host, "/healthz").status_code == 200


def test_another_port_of_a_host_leads_to_that_host() -> None:
    with served_at("https://example.com", **APART) as client:
        answer = asked(client, "admin.example.com", "/admin/login/?next=/admin/")
        assert (answer.status_code, answer["Location"]) == (301, f"{APART['admin']}/admin/login/?next=/admin/")
        assert asked(client, "admin.example.com", "/api/v1/openapi.json").status_code == 404


def test_the_desks_of_the_event_loop_answer_at_the_api_alone(acme: Tenant, backend: Caller) -> None:
    """Vends, proxied calls and messages of agents never reach Django."""
    connection = make_connection(acme)
    calls = [
        (f"/api/v1/connections/{connection.id}/credential", {"end_user": "alice"}),
        ("/api/v1/credentials", {"provider": "hubspot", "end_user": "alice"}),
        (f"/api/v1/connections/{connection.id}/proxy/crm", {}),
        ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "ping"}),
    ]
    with served_at("https://example.com", **APART) as client:
        nothing = {part: as_told(asked(client, host, "/nothing")) for part, host in HOSTS.items()}
        for path, body in calls:
            for part, host in HOSTS.items():
                headers = {"host": host, **backend.headers, "accept": "application/json"}
                answer = client.post(path, json.dumps(body), "application/json", secure=True, headers=headers)
                assert (as_told(answer) == nothing[part]) is (part != "api"), (part, path)
    assert "access-" not in str(nothing)


def test_a_login_is_for_the_admins_host_and_its_pages_send_forms_there_alone() -> None:
    User.objects.create_superuser("root", password="correct horse battery")
    with served_at("https://example.com", **APART) as web:
        page = asked(web, HOSTS["admin"], "/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": "root", "password": "correct horse battery"}
        for origin, status in ((APART["widget"], 403), (APART["api"], 403), (APART["admin"], 302)):
            headers = {"host": HOSTS["admin"], "origin": origin}
            answer = web.post("/admin/login/", form, secure=True, headers=headers)
            assert answer.status_code == status, origin
        assert all(not cookie["domain"] for cookie in answer.cookies.values())


def test_below_a_path_everything_is_reached_and_nothing_beside_it() -> None:
    with served_at(PATH) as client:
        for path in all_paths():
            assert asked(client, "example.com", path).status_code == 404, path
        seen = {path: asked(client, "example.com", f"/latchkey{path}").status_code for path in all_paths()}
        unseen = {path for path, status in seen.items() if status == 404 and path.startswith("/admin/connections/")}
        assert all("/x/" in path or ID in path for path in unseen)
        for path in ("/latchkeys/admin/", "/Latchkey/admin/", "//latchkey/admin/", "/latchkey//admin/"):
            assert asked(client, "example.com", path).status_code == 404, path
        assert asked(client, "example.com", "/healthz").status_code == 200
        assert asked(client, "10.0.0.1", "/latchkey/readyz").status_code == 200
        assert asked(client, "example.com", "/latchkey").status_code == 200


_LINK = re.compile(r"""(?:href|src|action)=["']([^"']*)["']""")


def test_every_link_of_a_page_stays_below_the_path(acme: Tenant, backend: Caller) -> None:
    app = make_app(acme)
    User.objects.create_superuser("root", password="correct horse battery")
    with served_at(PATH) as client:
        client.force_login(User.objects.get(username="root"))
        pages = ["/", "/nothing", "/admin/nothing/", "/admin/login/", "/admin/", "/admin/account/", "/admin/providers/"]
        pages += [f"/admin/connections/providerapp/{app.id}/change/", "/connect/preview?preview_screen=choose"]
        found = 0
        for page in pages:
            answer = asked(client, "example.com", f"/latchkey{page}")
            targets = _LINK.findall(answer.content.decode())
            assert answer.status_code in (200, 404) or answer["Location"].startswith("/latchkey/"), page
            found += len(targets)
            for target in targets:
                is_local = target.startswith(("/", "https://example.com"))
                assert not is_local or re.match(r"(https://example\.com)?/latchkey/", target), (page, target)
                if target.startswith("/latchkey/static/"):
                    assert asked(client, "example.com", target).status_code == 200, target
        assert found > 60
        sent = client.get("/latchkey/admin/connections/tenant", secure=True, headers={"host": "example.com"})
        assert sent["Location"].startswith("/latchkey/admin/")
        document = json.loads(asked(client, "example.com", "/latchkey/api/v1/openapi.json").content)
        assert document["servers"][0]["url"] == PATH
        assert f"]({PATH}/api/v1/openapi.json" in asked(client, "example.com", "/latchkey/llms.txt").content.decode()


def test_every_address_that_is_given_out_has_the_path_once(acme: Tenant, backend: Caller) -> None:
    app = make_app(acme)
    body = {"end_user": "alice", "provider": app.provider, "return_url": acme.return_urls[0]}
    with served_at(PATH) as client:

        def call(path: str, body: dict[str, Any]) -> Any:
            headers = {"host": "example.com", **backend.headers}
            answer = client.post(f"/latchkey/api/v1{path}", body, "application/json", secure=True, headers=headers)
            return json.loads(answer.content)

        begun = call("/connect-sessions", body)
        assert begun["connect_url"].startswith(f"{PATH}/connect/{begun['id']}#")
        listed = asked(client, "example.com", "/latchkey/api/v1/providers/hubspot", **backend.headers)
        icon = json.loads(listed.content)["icon_url"]
        assert icon.startswith(f"{PATH}/connect/icon/")
        assert asked(client, "example.com", icon.removeprefix("https://example.com")).status_code == 200
