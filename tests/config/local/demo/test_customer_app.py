import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.local.demo.customer_app.app import Settings, create_app
from config.local.demo.customer_app.login import local_path
from config.local.services.ports import any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from tests.config.local.demo.latchkey_stub import (
    CONNECTION_ID,
    SESSION_ID,
    TOKEN,
    VERSION,
    VISIT_ID,
    LatchkeyStub,
    connection,
    refusal,
    serve_latchkey,
)

OWN_URL = "http://localhost"  # where Flask's test client goes
HERE = f"/connections/{CONNECTION_ID}"
API = f"/api/v1/connections/{CONNECTION_ID}"
BUTTONS = ("/connect", "/manage", "/connect/token", "/confirm", f"{HERE}/call", f"{HERE}/disconnect")
COMPLETE = f"/api/v1/connect-sessions/{SESSION_ID}/complete"


@pytest.fixture
def latchkey() -> Iterator[LatchkeyStub]:
    with serve_latchkey() as stub:
        yield stub


def browser(latchkey_url: str) -> FlaskClient:
    settings = Settings(own_url=OWN_URL, latchkey_url=latchkey_url, api_key="lk_test", session_key="k" * 32)
    return create_app(settings).test_client()


def test_the_host_says_whose_it_is_where_it_was_told() -> None:
    path = "/.well-known/latchkey-domain.txt"
    settings = Settings(OWN_URL, "http://127.0.0.1:9", "lk_test", "k" * 32, domain_line="latchkey-domain=x")
    answer = create_app(settings).test_client().get(path)
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "latchkey-domain=x\n", "text/plain")
    assert browser("http://127.0.0.1:9").get(path).status_code == 404


def csrf_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def post(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Post a form with the session's own token, which is on every page."""
    page = client.get("/", follow_redirects=True)
    return client.post(path, data={"csrf_token": csrf_of(page), **fields})


def logged_in(latchkey: LatchkeyStub, name: str) -> FlaskClient:
    client = browser(latchkey.url)
    assert post(client, "/login", name=name, password=name).status_code == 303
    latchkey.asked.clear()
    return client


@pytest.fixture
def ann(latchkey: LatchkeyStub) -> FlaskClient:
    return logged_in(latchkey, "ann")


@pytest.fixture
def ben(latchkey: LatchkeyStub) -> FlaskClient:
    return logged_in(latchkey, "ben")


# --- Logging in -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["/", HERE, f"/connected?connect_session={SESSION_ID}&completion_code=c", "/reconnect"]
)
def test_a_page_needs_a_login_and_asks_latchkey_nothing_before(latchkey: LatchkeyStub, path: str) -> None:
    answer = browser(latchkey.url).get(path)
    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=%2F")
    assert not latchkey.asked


@pytest.mark.parametrize("path", [*BUTTONS, f"{HERE}/reconnect"])
def test_a_button_needs_a_login_and_asks_latchkey_nothing_before(latchkey: LatchkeyStub, path: str) -> None:
    answer = post(browser(latchkey.url), path)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert not latchkey.asked


def test_a_login_leads_on_to_the_page_that_was_asked_for(latchkey: LatchkeyStub) -> None:
    client = browser(latchkey.url)
    page = client.get(f"/reconnect?connection={CONNECTION_ID}", follow_redirects=True)
    data = {"csrf_token": csrf_of(page), "name": "ann", "password": "ann"}
    answer = client.post(page.request.full_path, data=data)
    assert answer.location == f"/reconnect?connection={CONNECTION_ID}"
    assert client.get(answer.location).location == HERE


@pytest.mark.parametrize("value", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb", "", None])
def test_a_login_leads_to_no_other_site(value: str | None) -> None:
    assert local_path(value) == "/"


def test_a_wrong_password_is_refused(latchkey: LatchkeyStub) -> None:
    client = browser(latchkey.url)
    answer = post(client, "/login", name="ann", password="ben")
    assert answer.status_code == 401
    assert "do not match" in answer.text
    assert client.get("/").status_code == 303


def test_a_login_begins_a_new_session(latchkey: LatchkeyStub) -> None:
    client = browser(latchkey.url)
    before = csrf_of(client.get("/login"))
    post(client, "/login", name="ann", password="ann")
    assert csrf_of(client.get("/")) != before


def test_logging_out_ends_the_session(ann: FlaskClient) -> None:
    assert post(ann, "/logout").location == "/login"
    assert ann.get("/").status_code == 303


@pytest.mark.parametrize("path", ["/login", "/logout", *BUTTONS])
@pytest.mark.parametrize("token", [None, "", "another"])
def test_a_post_that_no_form_of_ours_made_is_refused(
    ann: FlaskClient, latchkey: LatchkeyStub, path: str, token: str | None
) -> None:
    ann.get("/")
    latchkey.asked.clear()
    answer = ann.post(path, data={} if token is None else {"csrf_token": token})
    assert answer.status_code == 400
    assert not latchkey.asked


# --- Connecting -------------------------------------------------------------------------------------------------------
def test_connecting_invites_the_user_who_is_logged_in(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    answer = post(ann, "/connect", end_user="ben")
    assert answer.location == f"{latchkey.url}/connect/x#token"
    (order,) = latchkey.sent("POST", "/api/v1/connect-sessions")
    assert order["end_user"] == "ann"
    assert order["return_url"] == f"{OWN_URL}/connected"
    assert order["connection"] is None


def test_managing_invites_the_user_who_is_logged_in(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    answer = post(ann, "/manage", end_user="ben")
    assert answer.location == f"{latchkey.url}/connect/manage/{VISIT_ID}#token"
    (order,) = latchkey.sent("POST", "/api/v1/management-sessions")
    assert (order["end_user"], order["return_url"], order["providers"]) == ("ann", f"{OWN_URL}/connected", ["sandbox"])


def test_what_was_connected_on_the_page_is_confirmed_and_leads_back_there(
    ann: FlaskClient, latchkey: LatchkeyStub
) -> None:
    post(ann, "/manage")
    back = f"/connected?connect_session={SESSION_ID}&management_session={VISIT_ID}&completion_code=c0de"
    assert ann.get(back).location == f"{latchkey.url}/connect/manage/{VISIT_ID}"
    (order,), (sent,) = latchkey.sent("POST", "/api/v1/management-sessions"), latchkey.sent("POST", COMPLETE)
    digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
    assert order["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (sent["completion_code"], sent["end_user"]) == ("c0de", "ann")
    elsewhere = logged_in(latchkey, "ann")
    assert elsewhere.get(back).status_code == 403


def test_being_done_on_the_page_leads_home(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    assert ann.get(f"/connected?management_session={VISIT_ID}").location == "/"
    assert ann.get("/connected?management_session=x").status_code == 400
    assert not latchkey.sent("POST", COMPLETE)


def test_completing_names_the_user_who_is_logged_in_whatever_the_link_says(
    ben: FlaskClient, latchkey: LatchkeyStub
) -> None:
    post(ben, "/connect")
    answer = ben.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de&end_user=ann")
    assert answer.location == HERE
    (order,), (confirmation,) = latchkey.sent("POST", "/api/v1/connect-sessions"), latchkey.sent("POST", COMPLETE)
    verifier = confirmation.pop("code_verifier")
    assert confirmation == {"completion_code": "c0de", "end_user": "ben"}
    digest = hashlib.sha256(verifier.encode()).digest()
    assert order["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_session_that_another_login_session_began_is_not_confirmed(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    """Somebody took ann's unused link, finished with an account of theirs, and sent her the link back."""
    post(ann, "/connect")
    elsewhere = logged_in(latchkey, "ann")
    answer = elsewhere.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de")
    assert (answer.status_code, "not begun here" in answer.text) == (403, True)
    assert not latchkey.sent("POST", COMPLETE)


def test_what_was_begun_ends_with_the_login_session(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    post(ann, "/connect")
    post(ann, "/logout")
    post(ann, "/login", name="ann", password="ann")
    assert ann.get(f"/connected?connect_session={SESSION_ID}&completion_code=c").status_code == 403
    assert not latchkey.sent("POST", COMPLETE)


def test_coming_back_twice_is_confirmed_twice_and_the_latest_few_are_remembered(
    ann: FlaskClient, latchkey: LatchkeyStub
) -> None:
    post(ann, "/connect")
    latchkey.answers["POST /api/v1/connect-sessions"] = (201, {"id": "another", "connect_url": latchkey.url})
    for number in range(4):
        latchkey.answers["POST /api/v1/connect-sessions"][1]["id"] = f"another-{number}"
        post(ann, "/connect")
    for _ in range(2):
        assert ann.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de").location == HERE
    post(ann, "/connect")
    latchkey.answers["POST /api/v1/connect-sessions"][1]["id"] = "one-too-many"
    post(ann, "/connect")
    assert ann.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de").status_code == 403


# --- Connecting over a page of its own --------------------------------------------------------------------------------
def test_the_script_gets_the_token_of_a_session_that_names_this_page(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    assert post(ann, "/connect/token").json == {"token": "token"}
    (order,) = latchkey.sent("POST", "/api/v1/connect-sessions")
    assert (order["end_user"], order["origin"]) == ("ann", OWN_URL)


def test_what_the_script_brings_is_confirmed_for_the_user_who_began_it_here(
    ann: FlaskClient, latchkey: LatchkeyStub
) -> None:
    brought = {"connect_session": SESSION_ID, "completion_code": "c0de"}
    assert post(ann, "/confirm", **brought).status_code == 403
    assert not latchkey.sent("POST", COMPLETE)
    post(ann, "/connect/token")
    assert post(ann, "/confirm", **brought).json == {"connection": CONNECTION_ID}
    (confirmation,) = latchkey.sent("POST", COMPLETE)
    assert (confirmation["completion_code"], confirmation["end_user"]) == ("c0de", "ann")
    latchkey.answers[f"POST {COMPLETE}"] = (200, {"next": f"{latchkey.url}/connect/x/workspace"})
    assert post(ann, "/confirm", **brought).json == {"next": f"{latchkey.url}/connect/x/workspace"}


def test_a_window_that_returns_by_itself_tells_the_page_that_waits(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    post(ann, "/connect/token")
    page = ann.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de").text
    assert f'data-session="{SESSION_ID}" data-connection="{CONNECTION_ID}"' in page
    refused = ann.get(f"/connected?connect_session={SESSION_ID}&error=access_denied").text
    assert 'data-connection="" data-error="access_denied"' in refused
    assert "c0de" not in page


def test_a_refused_completion_is_told_in_plain_words(ben: FlaskClient, latchkey: LatchkeyStub) -> None:
    latchkey.answers[f"POST {COMPLETE}"] = refusal(403, "completion_mismatch")
    post(ben, "/connect")
    answer = ben.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de")
    assert answer.status_code == 403
    assert 'data-code="completion_mismatch"' in answer.text
    assert "begun by somebody else" in answer.text
    assert "for developers" not in answer.text


def test_a_refusal_without_words_of_ours_shows_latchkeys(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    latchkey.answers["POST /api/v1/connect-sessions"] = refusal(423, "suspended", "The tenant <acme> is suspended.")
    answer = post(ann, "/connect")
    assert answer.status_code == 423
    assert "The tenant &lt;acme&gt; is suspended." in answer.text


def test_a_choice_of_workspace_is_made_at_latchkey(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    there = f"http://latchkey.test/connect/{SESSION_ID}/workspace?token=t"
    latchkey.answers[f"POST {COMPLETE}"] = (200, {"next": there})
    post(ann, "/connect")
    answer = ann.get(f"/connected?connect_session={SESSION_ID}&completion_code=c0de")
    assert (answer.status_code, answer.location) == (303, there)


def test_a_return_without_a_connection_says_why_and_confirms_nothing(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    answer = ann.get(f"/connected?connect_session={SESSION_ID}&error=access_denied")
    assert answer.location == "/"
    assert not latchkey.asked
    assert "You did not allow access" in ann.get("/").text


@pytest.mark.parametrize("session", ["", "no-id", "../connections"])
def test_a_link_without_a_proper_session_is_refused(ann: FlaskClient, latchkey: LatchkeyStub, session: str) -> None:
    assert ann.get(f"/connected?connect_session={session}&completion_code=c").status_code == 400
    assert not latchkey.asked


# --- Using connections ------------------------------------------------------------------------------------------------
def test_home_lists_the_users_own_connections(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    assert "Alice Archer" in ann.get("/").text
    assert [one.path for one in latchkey.asked] == ["/api/v1/connections"]
    assert latchkey.asked[0].headers["Authorization"] == "Bearer lk_test"


def test_a_connection_of_somebody_elses_cannot_be_seen_renewed_or_ended(
    ben: FlaskClient, latchkey: LatchkeyStub
) -> None:
    assert ben.get(HERE).status_code == 404
    assert post(ben, f"{HERE}/reconnect").status_code == 404
    assert post(ben, f"{HERE}/disconnect").status_code == 404
    assert {one.method for one in latchkey.asked} == {"GET"}


def test_calling_the_api_vends_for_the_logged_in_user_and_shows_no_token(
    ann: FlaskClient, latchkey: LatchkeyStub
) -> None:
    page = post(ann, f"{HERE}/call")
    assert latchkey.sent("POST", f"{API}/credential")[0]["end_user"] == "ann"
    (called,) = [one for one in latchkey.asked if one.path == "/me"]
    assert called.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Alice Archer" in page.text
    assert TOKEN not in page.text
    assert TOKEN not in repr(ann.get_cookie("acme_session"))


def test_a_vend_that_latchkey_refuses_calls_nobody(ben: FlaskClient, latchkey: LatchkeyStub) -> None:
    latchkey.answers[f"POST {API}/credential"] = refusal(403, "policy_denied")
    page = post(ben, f"{HERE}/call")
    assert page.status_code == 403
    assert 'data-code="policy_denied"' in page.text
    assert not latchkey.sent("GET", "/me")


def test_a_401_of_the_providers_is_reported_with_its_version(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    latchkey.answers["GET /me"] = (401, {"error": "invalid_token"})
    page = post(ann, f"{HERE}/call")
    assert latchkey.sent("POST", f"{API}/report") == [{"version": VERSION, "status": 401}]
    assert 'data-answer="401"' in page.text


def test_a_grant_that_is_gone_leads_to_the_reconnect_button(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    gone = connection(status="needs_reauth", reason="grant_rejected")
    latchkey.answers[f"POST {API}/credential"] = refusal(409, "reauthorization_required")
    latchkey.answers[f"GET {API}"] = (200, gone)
    page = ann.get(post(ann, f"{HERE}/call").location)
    assert f'action="{HERE}/reconnect"' in page.text
    assert "no longer accepts" in page.text
    post(ann, f"{HERE}/reconnect")
    assert latchkey.sent("POST", "/api/v1/connect-sessions")[0]["connection"] == CONNECTION_ID


def test_disconnecting_tells_how_far_the_revocation_is(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    assert post(ann, f"{HERE}/disconnect").location == HERE
    assert len(latchkey.sent("DELETE", API)) == 1
    latchkey.answers[f"GET {API}"] = (200, connection(status="disconnected", revocation="confirmed"))
    page = ann.get(HERE)
    assert "a refused call confirmed it" in page.text
    assert f'action="{HERE}/disconnect"' not in page.text


# --- The rest ---------------------------------------------------------------------------------------------------------
def test_an_absent_latchkey_is_told_in_plain_words(latchkey: LatchkeyStub) -> None:
    client = browser(f"http://127.0.0.1:{any_free_port()}")
    post(client, "/login", name="ann", password="ann")
    answer = client.get("/")
    assert answer.status_code == 503
    assert "cannot be reached" in answer.text


def test_pages_are_not_stored_nor_framed_and_run_no_foreign_script(ann: FlaskClient, latchkey: LatchkeyStub) -> None:
    headers = ann.get(HERE).headers
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {latchkey.url};" in policy


def test_the_cookie_is_of_its_own_name_and_kept_from_scripts_and_other_sites(latchkey: LatchkeyStub) -> None:
    cookie = browser(latchkey.url).get("/login").headers["Set-Cookie"]
    assert cookie.startswith("acme_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_browser_that_keeps_no_cookie_is_told_so(latchkey: LatchkeyStub) -> None:
    ann = browser(latchkey.url)
    ann.get("/login")
    ann.delete_cookie("acme_session")
    page = ann.post("/login", data={"name": "ann", "password": "ann"})
    assert page.status_code == 400
    assert "Your browser did not keep a cookie" in page.text
    ann.get("/login")
    assert "This form is out of date" in ann.post("/login", data={"name": "ann"}).text


def test_another_name_of_the_host_is_sent_to_the_one_that_the_cookies_are_for(latchkey: LatchkeyStub) -> None:
    answer = browser(latchkey.url).get("/connections/x?y=1", headers={"Host": "127.0.0.1"})
    assert (answer.status_code, answer.location) == (302, f"{OWN_URL}/connections/x?y=1")


def test_imports_nothing_of_latchkeys() -> None:
    script = (
        "import sys, config.local.demo.customer_app.app; "
        "print([name for name in sys.modules if name.split('.')[0] in ('connections', 'providers', 'django')])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "connections" not in shown
    assert "providers" not in shown
