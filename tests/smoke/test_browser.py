from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.smoke.browser import Browser, forms_of, links_of

PAGE = b"""<a id="go" href="/there?a=1&amp;b=2">Go <b>there</b></a>
<form method="post" action="save"><input name="name" value="x"><input type="checkbox" name="on" checked>
<input type="checkbox" name="off"><button name="do" value="it">Do it</button></form>"""


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/hop"):
            hops = int(self.path.rpartition("/")[2])
            self.send_response(302)
            self.send_header("Location", f"/hop/{hops - 1}" if hops else "/page")
            body = b""
        else:
            self.send_response(200)
            self.send_header("Set-Cookie", "__Host-seen=yes; Secure; HttpOnly; Path=/")
            body = PAGE if self.path == "/page" else self.headers.get("Cookie", "none").encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_secure_cookies_travel_over_loopback_as_in_browsers(site: str) -> None:
    browser = Browser()
    assert browser.get(f"{site}/cookies").text == "none"
    assert browser.get(f"{site}/cookies").text == "__Host-seen=yes"


def test_reads_links_and_what_a_form_would_send(site: str) -> None:
    page = Browser().get(f"{site}/page")
    link, form = links_of(page)[0], forms_of(page)[0]
    assert (link.id, link.href, link.text) == ("go", f"{site}/there?a=1&b=2", "Go there")
    assert (form.method, form.action) == ("POST", f"{site}/save")
    assert form.fields == [("name", "x"), ("on", "on")]
    assert form.names == {"name", "on", "off", "do"}
    assert form.buttons == [("do", "it")]


def test_follows_redirects_and_stops_where_it_is_told(site: str) -> None:
    browser = Browser()
    assert browser.follow(f"{site}/hop/3").url == f"{site}/page"
    stopped = browser.follow(f"{site}/hop/3", until=f"{site}/hop/1")
    assert stopped.is_redirect
    assert stopped.url == f"{site}/hop/2"


def test_notices_redirects_without_an_end(site: str) -> None:
    with pytest.raises(AssertionError, match="in circles"):
        Browser().follow(f"{site}/hop/1000")
