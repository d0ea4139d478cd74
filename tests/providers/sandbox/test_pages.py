"""The sandbox's pages, driven the way a browser would."""

import re
from collections.abc import Callable

import pytest
import requests

from providers.sandbox.client import SandboxProcess, start_sandbox
from tests.person import Person
from tests.providers.sandbox.conftest import App
from tests.smoke.browser import forms_of


def test_sign_in_page_shows_the_people_and_takes_their_passwords(sandbox: SandboxProcess) -> None:
    page = requests.get(f"{sandbox.url}/login", timeout=20)
    assert all(name in page.text for name in ("alice", "bob", "carol"))

    wrong = Person("alice", "wrong").post(f"{sandbox.url}/login", {"username": "alice", "password": "wrong"})

    assert wrong.status_code == 401
    assert "do not match" in wrong.text
    Person("carol").sign_in(sandbox.url)


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_sign_in_never_redirects_elsewhere(sandbox: SandboxProcess, target: str) -> None:
    person = Person("alice")
    form = {"username": "alice", "password": "alice"}
    answer = person.request("POST", f"{sandbox.url}/login", params={"next": target}, data=form)

    assert answer.headers["Location"] == "/apps"


def test_session_cookie_is_out_of_reach_of_scripts(sandbox: SandboxProcess, alice: Person) -> None:
    answer = alice.post(f"{sandbox.url}/login", {"username": "alice", "password": "alice"})

    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("sandbox_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_out_ends_the_session_on_the_server(sandbox: SandboxProcess, alice: Person) -> None:
    alice.sign_in(sandbox.url)
    cookie = alice.session.cookies["sandbox_session"]
    alice.post(f"{sandbox.url}/logout")

    answer = requests.get(f"{sandbox.url}/apps", cookies={"sandbox_session": cookie}, allow_redirects=False, timeout=20)

    assert answer.headers["Location"] == "/login?next=%2Fapps"


def test_person_revokes_an_app_and_only_her_own_grants(app: App, alice: Person) -> None:
    hers, his = app.connect(alice), app.connect(Person("bob"))
    page = alice.get(f"{app.server.url}/apps")
    [form] = [form for form in forms_of(page) if ("client_id", app.client_id) in form.fields]

    alice.submit(form)

    assert app.client_id not in alice.get(f"{app.server.url}/apps").text
    assert app.refresh(hers["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.me(his["access_token"]).status_code == 200


def test_api_key_is_shown_once_and_revoked_by_its_owner(sandbox: SandboxProcess) -> None:
    carol = Person("carol")
    carol.sign_in(sandbox.url)
    page = carol.post(f"{sandbox.url}/api-keys", {"action": "create", "name": "Nightly export"})
    found = re.search(r"sbk_[\w-]{43}", page.text)
    assert found is not None
    key = found.group()

    listing = carol.get(f"{sandbox.url}/api-keys")
    assert "Nightly export" in listing.text
    assert key not in listing.text
    assert requests.get(f"{sandbox.url}/me", headers={"X-Api-Key": key}, timeout=20).json()["name"] == "Carol Clarke"

    form = next(form for form in forms_of(listing) if ("action", "revoke") in form.buttons)
    Person("bob").sign_in(sandbox.url)
    carol.submit(form, button=("action", "revoke"))
    assert requests.get(f"{sandbox.url}/me", headers={"X-Api-Key": key}, timeout=20).status_code == 401


def test_post_from_another_site_is_refused(app: App, alice: Person) -> None:
    alice.sign_in(app.server.url)
    stranger = {"Sec-Fetch-Site": "cross-site"}

    for path in ("/apps", "/api-keys", "/control", "/control/faults", "/login"):
        assert alice.request("POST", f"{app.server.url}{path}", headers=stranger).status_code == 403
    consent = alice.request("POST", app.authorization_url(), headers=stranger, data={"action": "allow"})
    assert consent.status_code == 403


@pytest.mark.parametrize("path", ["/", "/login", "/control", "/authorize"])
def test_pages_refuse_frames_scripts_and_caches(sandbox: SandboxProcess, path: str) -> None:
    headers = requests.get(f"{sandbox.url}{path}", timeout=20).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


def test_consent_page_escapes_what_the_client_calls_itself(sandbox: SandboxProcess, alice: Person) -> None:
    app = App(sandbox, name="<script>alert(1)</script>")
    alice.sign_in(sandbox.url)

    page = alice.get(app.authorization_url(state='"><script>'))

    assert "<script>" not in page.text


def test_control_page_arms_and_disarms_a_fault() -> None:
    browser = Person("alice")
    with start_sandbox() as server:
        armed = browser.post(
            f"{server.url}/control",
            {"action": "arm", "endpoint": "files", "kind": "status", "times": "0", "options": '{"status": 503}'},
        )
        assert armed.status_code == 303
        assert requests.get(f"{server.url}/files", timeout=20).status_code == 503

        page = browser.get(f"{server.url}/control")
        assert "GET /files" in page.text
        form = next(form for form in forms_of(page) if ("action", "disarm") in form.buttons)
        browser.submit(form, button=("action", "disarm"))

        assert server.control.faults() == []
        browser.post(f"{server.url}/control", {"action": "clear-log"})
        assert server.control.log() == []


def test_control_page_changes_the_settings() -> None:
    browser = Person("alice")
    with start_sandbox() as server:
        page = browser.get(f"{server.url}/control")
        form = next(form for form in forms_of(page) if ("action", "settings") in form.buttons)
        browser.submit(form, button=("action", "settings"))
        as_before = server.control.settings()
        change = {"rotate": "no", "grace_seconds": "7.5", "access_lifetime": "90", "delay_endpoint": "token"}
        answer = browser.post(f"{server.url}/control", change | {"action": "settings", "delay_seconds": "0.5"})

        assert answer.status_code == 303
        changed = server.control.settings()

    assert (as_before["rotate"], as_before["grace_seconds"], as_before["delay_seconds"]) == (True, 0, {})
    assert changed == as_before | {
        "rotate": False,
        "grace_seconds": 7.5,
        "access_lifetime": 90,
        "delay_seconds": {"token": 0.5},
    }


def test_control_page_revokes_the_grants_of_a_client(app: App, alice: Person, make_app: Callable[..., App]) -> None:
    other = make_app()
    revoked, kept = app.connect(alice), other.connect(alice)
    page = alice.get(f"{app.server.url}/control")
    form = next(form for form in forms_of(page) if ("client_id", app.client_id) in form.fields)

    alice.submit(form, button=("action", "revoke"))

    assert app.refresh(revoked["refresh_token"]).json()["error"] == "invalid_grant"
    assert other.me(kept["access_token"]).status_code == 200
    answer = alice.post(f"{app.server.url}/control", {"action": "revoke", "client_id": ""})
    assert answer.status_code == 422


def test_control_page_arms_a_fault_for_one_client_and_grant_type(app: App) -> None:
    form = {"action": "arm", "endpoint": "token", "kind": "status", "times": "1", "options": ""}
    for chosen in ({}, {"client_id": app.client_id, "grant_type": "refresh_token"}):
        Person("alice").post(f"{app.server.url}/control", form | chosen)

    anybody, one = app.server.control.faults()[-2:]
    for fault in (anybody, one):
        app.server.control.clear_fault(fault["id"])

    assert (anybody["client_id"], anybody["grant_type"]) == (None, None)
    assert (one["client_id"], one["grant_type"]) == (app.client_id, "refresh_token")


@pytest.mark.parametrize("change", [{"grace_seconds": "-1"}, {"access_lifetime": "soon"}, {"delay_endpoint": "moon"}])
def test_control_page_explains_a_setting_that_is_none(sandbox: SandboxProcess, change: dict[str, str]) -> None:
    page = Person("alice").post(f"{sandbox.url}/control", {"action": "settings"} | change)

    assert page.status_code == 422
    assert 'role="alert"' in page.text


@pytest.mark.parametrize("options", ["{", '{"bytes": 3}', "[]"])
def test_control_page_explains_a_fault_that_cannot_be_armed(sandbox: SandboxProcess, options: str) -> None:
    form = {"action": "arm", "endpoint": "token", "kind": "status", "times": "1", "options": options}

    page = Person("alice").post(f"{sandbox.url}/control", form)

    assert page.status_code == 422
    assert 'role="alert"' in page.text


def test_error_page_or_json_as_the_client_prefers(sandbox: SandboxProcess) -> None:
    page = requests.get(f"{sandbox.url}/nowhere", headers={"Accept": "text/html"}, timeout=20)
    answer = requests.get(f"{sandbox.url}/nowhere", timeout=20)

    assert (page.status_code, answer.status_code) == (404, 404)
    assert "<h1>Not Found</h1>" in page.text
    assert answer.json() == {"error": "Not Found"}
