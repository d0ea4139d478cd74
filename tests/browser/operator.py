"""An operator's product of three pages, with a backend: what the browser tests of the widget return to.

``/go`` leads to the widget, ``/embed`` opens it in a window or a frame, ``/connected`` is the return URL. Its user is
always alice.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

EMBED = """<!doctype html><html lang="en"><title>Product</title><h1>Product</h1>
<p id="result">nothing yet</p><button id="open">Connect</button>
<iframe id="frame" width="500" height="500" title="Connect"></iframe>
<script>
const widget = "{widget}", connectUrl = "{connect_url}";
if ("{framed}") document.getElementById("frame").src = connectUrl;
document.getElementById("open").onclick = () => window.open(connectUrl, "connect", "width=500,height=700");
window.addEventListener("message", async (event) => {{
  if (event.origin !== widget || event.data.source !== "latchkey") return;
  const {{ connect_session, completion_code, error }} = event.data;
  const say = (text) => document.getElementById("result").textContent = text;
  if (error) return say(error);
  const query = new URLSearchParams({{ connect_session, completion_code }});
  const answer = await (await fetch("/complete?" + query)).json();
  if (answer.connection) say(`active ${{JSON.stringify(answer.connection.params)}}`);
  event.source.postMessage({{ source: "latchkey", connect_session, next: answer.next }}, event.origin);
}});
</script></html>"""


@dataclass
class Operator:
    """The product at ``url``, a customer of the Latchkey at ``latchkey``."""

    url: str
    latchkey: str = ""
    key: str = field(default="", repr=False)
    provider: str = "teams"

    def begin(self, **changes: Any) -> str:
        """Return a connect URL for alice."""
        order = {"end_user": "alice", "provider": self.provider, "return_url": f"{self.url}/connected"}
        return str(self._call("/connect-sessions", order | changes)["connect_url"])

    def complete(self, query: dict[str, str]) -> dict[str, Any]:
        """Confirm that alice is logged in here."""
        path = f"/connect-sessions/{query['connect_session']}/complete"
        return self._call(path, {"completion_code": query["completion_code"], "end_user": "alice"})

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {self.key}"}
            answer = session.post(f"{self.latchkey}/api/v1{path}", json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        return dict(answer.json())

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        """Answer one GET: status, body, headers."""
        if path == "/go":
            return 302, "", {"Location": self.begin()}
        if path == "/embed":
            connect_url, framed = self.begin(origin=self.url), query.get("framed", "")
            return 200, EMBED.format(widget=self.latchkey, connect_url=connect_url, framed=framed), {}
        if path == "/complete":
            return 200, json.dumps(self.complete(query)), {"Content-Type": "application/json"}
        if path != "/connected":
            return 204, "", {}
        if "error" in query:
            return 200, f"<h1>Failed: {query['error']}</h1>", {}
        answer = self.complete(query)
        if "next" in answer:
            return 302, "", {"Location": answer["next"]}
        return 200, f"<h1>{answer['connection']['status']} {json.dumps(answer['connection']['params'])}</h1>", {}


@contextmanager
def operator() -> Iterator[Operator]:
    """Run the product at localhost, which is another site than Latchkey's 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body, headers = product.page(parts.path, query)
            self.send_response(status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    product = Operator(f"http://localhost:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield product
    finally:
        server.shutdown()
        server.server_close()
