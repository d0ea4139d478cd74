"""The addresses we call from: shown without a call, and asked for by a button."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from tests.connections.admin.conftest import operator_with

PATH = "/admin/providers/addresses/"


@pytest.fixture
def echo() -> Iterator[tuple[str, list[str]]]:
    """A service that says that it was called from 8.8.4.4, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"8.8.4.4\n")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/ip?token=hush", asked
    server.shutdown()
    server.server_close()


def test_what_is_stated_is_shown_to_copy_and_nobody_is_asked(viktor: Client, echo: tuple[str, list[str]]) -> None:
    with override_settings(EGRESS_ADDRESSES=["203.0.113.9", "2001:db8::/48"], EGRESS_ECHO_URL=echo[0]):
        html = viktor.get(PATH).content.decode()
    for address in ("203.0.113.9", "2001:db8::/48"):
        assert f'<code class="copy-text">{address}</code>' in html
    assert echo[1] == []


@pytest.mark.django_db(transaction=True)
def test_a_button_asks_and_shows_nothing_secret_of_the_address(echo: tuple[str, list[str]]) -> None:
    viewer = operator_with("vera", "view_providerapp")
    with override_settings(EGRESS_ADDRESSES=[], EGRESS_ECHO_URL=echo[0]):
        before = viewer.get(PATH).content.decode()
        html = viewer.post(PATH).content.decode()
    assert len(echo[1]) == 1
    assert "8.8.4.4" in html
    assert "8.8.4.4" not in before
    assert "hush" not in before + html


@pytest.mark.django_db(transaction=True)
def test_where_nothing_is_known_it_says_what_to_do() -> None:
    viewer = operator_with("vera", "view_providerapp")
    with override_settings(EGRESS_ADDRESSES=[], EGRESS_ECHO_URL=""):
        assert "None is known." in viewer.get(PATH).content.decode()
        assert "nobody was asked" in viewer.post(PATH).content.decode()


def test_entries_that_limit_addresses_lead_here(viktor: Client) -> None:
    assert PATH in viktor.get("/admin/providers/entry/salesforce/").content.decode()
    assert PATH not in viktor.get("/admin/providers/entry/hubspot/").content.decode()


def test_strangers_and_staff_without_the_right_see_nothing(db: None) -> None:
    assert Client().get(PATH).status_code == 302
    assert operator_with("nina", "view_tenant").post(PATH).status_code == 403
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.create_superuser("mallory"))
    assert browser.post(PATH).status_code == 403
