"""An operator's product of a few pages, with a backend: what the browser tests of the widget return to.

``/product`` opens the widget with ``connect.js``, as products do; with ``?manage=yes``, the user's own connections.
``/go`` leads to the widget; ``/embed`` opens it by hand; ``/connected`` is the return URL. Its user is always the same,
in one login session.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from providers.oauth.pkce import challenge, new_verifier

EMBED = """<!doctype html><html lang="en"><title>Product</title><h1>Product</h1>
<p id="result">nothing yet</p><button id="open">Connect</button>
<iframe id="frame" style="width: min(500px, 100%)" height="500" title="Connect"></iframe>
<script>
const widget = "{widget}", connectUrl = "{connect_url}";
if ("{framed}") document.getElementById("frame").src = connectUrl;
document.getElementById("open").onclick = () => window.open(connectUrl, "connect", "width=500,height=700");
window.addEventListener("message", async (event) => {{
  if (event.origin !== widget || event.data.source !== "latchkey" || event.data.event) return;
  const {{ connect_session, completion_code, error }} = event.data;
  const named = {{ source: "latchkey", connect_session }};
  const reply = (answer) => event.source.postMessage({{ ...named, ...answer }}, event.origin);
  const say = (text) => document.getElementById("result").textContent = text;
  reply({{ received: true }});
  if (error) return say(error);
  const query = new URLSearchParams({{ connect_session, completion_code }});
  const answer = await (await fetch("/complete?" + query)).json();
  if (answer.connection) say(`active ${{JSON.stringify(answer.connection.params)}}`);
  reply({{ next: answer.next }});
}});
</script></html>"""

PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Product</title><h1>Product</h1>
<p id="result" data-session="{session}" data-connection="{connection}">{result}</p><button id="connect">Connect</button>
<script src="{widget}/connect/v1/connect.js"></script><script src="/{script}.js"></script></html>"""

PRODUCT_JS = """
const happened = [];
const say = (text) => { document.getElementById("result").textContent = text; };
const ask = async (path, query) => (await fetch(`${path}?${new URLSearchParams(query)}`)).json();
let widget = null;
document.getElementById("connect").addEventListener("click", async () => {
  const { token } = await ask("/begin", new URLSearchParams(location.search));
  widget?.destroy();
  widget = Latchkey.create({
    token,
    onConfirm: (completion_code, connect_session, management_session = "") =>
      ask("/complete", { connect_session, completion_code, management_session }),
    onSuccess: (result) => say(`active ${JSON.stringify(result.connection.params ?? "told")}`),
    onExit: (detail) => say(`exit ${detail.error ?? detail.reason}`),
    onEvent: (name) => happened.push(name),
    onReady: () => say("ready"),
  });
  widget.open();
});
"""
RETURNED_JS = """
const { session, connection } = document.getElementById("result").dataset;
Latchkey.returned(session ? { connect_session: session, connection } : undefined);
"""


@dataclass
class Operator:
    """The product at ``url``, a customer of the Latchkey at ``latchkey``.

    ``key`` is for the API, which its backend reaches at ``api``, and ``agent_key`` that of a service for agents. With
    ``severs`` its pages ask the browser to sever the windows that they open. ``user`` is who is logged in.
    """

    url: str
    latchkey: str = ""
    key: str = field(default="", repr=False)
    provider: str = "teams"
    api: str = ""
    severs: bool = False
    verifiers: dict[str, str] = field(default_factory=dict, repr=False)
    agent_key: str = field(default="", repr=False)
    user: str = "alice"

    def begin(self, **changes: Any) -> str:
        """Return a connect URL for the user."""
        return str(self._begun(**changes)["connect_url"])

    def _begun(self, **changes: Any) -> dict[str, Any]:
        verifier = new_verifier()
        order = {"end_user": self.user, "provider": self.provider, "return_url": f"{self.url}/connected"}
        begun = self._call("/connect-sessions", order | {"code_challenge": challenge(verifier)} | changes)
        self.verifiers[begun["id"]] = verifier
        return begun

    def manage(self, **changes: Any) -> dict[str, Any]:
        """Begin a visit of the user's to their connections, from which they may connect another account."""
        verifier = new_verifier()
        order = {"end_user": self.user, "providers": [self.provider], "return_url": f"{self.url}/connected"}
        begun = self._call("/management-sessions", order | {"code_challenge": challenge(verifier)} | changes)
        self.verifiers[begun["id"]] = verifier
        return begun

    def complete(self, query: dict[str, str]) -> dict[str, Any]:
        """Confirm that the user is logged in here, where the session was begun, or the visit from which it was."""
        session, code = query["connect_session"], query["completion_code"]
        verifier = self.verifiers[query.get("management_session") or session]
        confirmation = {"completion_code": code, "end_user": self.user, "code_verifier": verifier}
        return self._call(f"/connect-sessions/{session}/complete", confirmation)

    def mended_at(self, connection: str) -> str:
        """Return where a connection that is ended is mended, from the refusal of a vend."""
        refused = self._call(f"/connections/{connection}/credential", {"end_user": self.user}, status=409)
        return str(refused["connect_url"])

    def lacks(self, connection: str, *scopes: str) -> list[str]:
        """Vend a connection that has to have these scopes, and return which of them it lacks."""
        asked = {"end_user": self.user, "scopes": scopes}
        answer = self._post(f"/connections/{connection}/credential", asked)
        return [] if answer.ok else list(answer.json()["missing_scopes"])

    def let_agents(self, connection: str) -> None:
        """Let the agent ``weekly-report`` use a connection, with an approval each time."""
        subject = {"kind": "agent", "id": "weekly-report"}
        self._call("/access-grants", {"subject": subject, "connection": connection, "needs_approval": True})

    def ask_as_agent(self, connection: str, status: int) -> dict[str, Any]:
        """Vend a connection as that agent, for bob, and return the answer, which has this ``status``."""
        asked = {"end_user": "bob", "agent": "weekly-report", "purpose": "The report of every Monday"}
        return self._call(f"/connections/{connection}/credential", asked, status=status, key=self.agent_key)

    def _post(self, path: str, body: dict[str, Any], *, key: str = "") -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {key or self.key}", "Host": urlsplit(self.latchkey).netloc}
            return session.post(f"{self.api or self.latchkey}/api/v1{path}", json=body, headers=headers, timeout=30)

    def _call(self, path: str, body: dict[str, Any], *, status: int = 0, key: str = "") -> dict[str, Any]:
        answer = self._post(path, body, key=key)
        assert answer.ok if not status else answer.status_code == status, f"{answer.status_code} {answer.text}"
        return dict(answer.json())

    def page(self, path: str, query: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        """Answer one GET: status, body, headers."""
        as_json = {"Content-Type": "application/json"}
        match path:
            case "/go":
                return 302, "", {"Location": self.begin()}
            case "/embed":
                connect_url, framed = self.begin(origin=self.url), query.get("framed", "")
                return 200, EMBED.format(widget=self.latchkey, connect_url=connect_url, framed=framed), {}
            case "/product":
                return 200, self._shown("nothing yet", script="product"), self._headers()
            case "/product.js" | "/returned.js":
                script = PRODUCT_JS if path == "/product.js" else RETURNED_JS
                return 200, script, {"Content-Type": "text/javascript"}
            case "/begin":
                begun = (self.manage if "manage" in query else self._begun)(origin=self.url)
                return 200, json.dumps({"token": begun["token"]}), as_json
            case "/complete":
                return 200, json.dumps(self.complete(query)), as_json
            case "/third":
                return 200, "", {"Set-Cookie": "third=1; Secure; SameSite=None"}
            case "/connected":
                return self._returned(query)
        return 204, "", {}

    def _returned(self, query: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        managed = query.get("management_session", "")
        if managed and "connect_session" not in query:
            shown = self._shown("<h1>Back from your connections</h1>", script="returned")
            return 200, shown, self._headers()
        if "error" in query:
            return 200, self._shown(f"<h1>Failed: {query['error']}</h1>", script="returned"), self._headers()
        answer = self.complete(query)
        if "next" in answer:
            return 302, "", {"Location": answer["next"]}
        if managed:
            return 302, "", {"Location": f"{self.latchkey}/connect/manage/{managed}"}
        connection = answer["connection"]
        result = f"<h1>{connection['status']} {json.dumps(connection['params'])}</h1>"
        session = query["connect_session"]
        shown = self._shown(result, script="returned", session=session, connection=connection["id"])
        return 200, shown, self._headers()

    def _shown(self, result: str, *, script: str, session: str = "", connection: str = "") -> str:
        widget = self.latchkey
        return PAGE.format(widget=widget, result=result, script=script, session=session, connection=connection)

    def _headers(self) -> dict[str, str]:
        """The policy that the README asks of a product, and nothing more."""
        needs = f"script-src 'self' {self.latchkey}; frame-src {self.latchkey}"
        headers = {"Content-Security-Policy": f"default-src 'none'; connect-src 'self'; {needs}"}
        return headers | ({"Cross-Origin-Opener-Policy": "same-origin"} if self.severs else {})


@contextmanager
def operator(name: str, context: ssl.SSLContext) -> Iterator[Operator]:
    """Run the product at ``name``, over TLS with ``context``."""

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
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    product = Operator(f"https://{name}:{server.server_port}")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield product
    finally:
        server.shutdown()
        server.server_close()
