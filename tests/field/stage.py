"""One provider of a test's own making, with an entry of its own, and an end user of acme's who connects there.

The provider is a real HTTP server that answers what the test queues, whatever the authorization server's habits are
said to be; its log of requests is the oracle. Everything on our side is the product: API, widget, lifecycle.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpResponse

from connections.access.targets import redirect_uri
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.refresh.claim import RefreshReport
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, ProviderApp, Tenant
from providers.catalog import loader
from providers.catalog.methods import AuthorizationCodeMethod
from tests.connections.lifecycle.clockwork import age
from tests.factories import make_caller
from tests.flows import EndUser, Invitation, completion_code
from tests.providers.conftest import Provider, Received

SLUG = "field"
CLIENT_ID, CLIENT_SECRET = "client-1", "z/tZ9+Ap=x:Q$%y"

Answer = tuple[int, bytes, dict[str, str]]

# What a test leaves out of the entry, or says otherwise: {name} is left for the catalogue, <url> is the provider's.
ENTRY = """
name = "Field"
base_url = "<url>/api"
<top>
[authorization_code]
authorization_url = "<url>/authorize"
token_url = "<url>/token"
<method>
[probe]
url = "<url>/me"
account_id = "/id"
<probe>
<rest>
"""


@dataclass
class Stage:
    """The provider, acme's app there, and alice."""

    server: Provider
    folder: Path
    tenant: Tenant
    alice: EndUser
    app: ProviderApp = field(init=False)
    _answers: dict[str, list[Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.server.responder = self._respond

    # --- The provider -------------------------------------------------------------------------------------------------
    def answers(
        self, path: str, body: Any = b"", *, status: int = 200, headers: dict[str, str] | None = None, times: int = 1
    ) -> None:
        """Queue an answer of ``path``; the last one is given again and again."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = (status, raw, {"Content-Type": "application/json"} | (headers or {}))
        self._answers.setdefault(path, []).extend([answer] * times)

    def tokens(self, body: Any, **options: Any) -> None:
        """Queue an answer of the token endpoint."""
        self.answers("/token", body, **options)

    def me(self, body: Any, **options: Any) -> None:
        """Queue an answer of the probe."""
        self.answers("/me", body, **options)

    def forget_answers(self, path: str) -> None:
        """Drop what is queued for ``path``."""
        self._answers.pop(path, None)

    def requests(self, path: str = "/token") -> list[Received]:
        """Return the requests that came to ``path``, oldest first."""
        return [request for request in self.server.requests if request.path == path]

    def _respond(self, request: Received) -> Answer:
        queue = self._answers.get(request.path)
        if not queue:
            return 404, b"{}", {"Content-Type": "application/json"}
        return queue.pop(0) if len(queue) > 1 else queue[0]

    # --- The operator -------------------------------------------------------------------------------------------------
    def describe(self, **parts: str) -> None:
        """Write the entry. ``top``, ``method``, ``probe`` and ``rest`` are TOML that goes into those places."""
        self.write(ENTRY, **parts)

    def write(self, text: str, **parts: str) -> None:
        """Write an entry of the test's own, with <url> and the parts filled in."""
        text = text.replace("<url>", self.server.url)
        for name in ("top", "method", "probe", "rest"):
            text = text.replace(f"<{name}>", parts.get(name, "").replace("<url>", self.server.url))
        path = self.folder / f"{SLUG}.toml"
        path.write_text(text, encoding="utf-8")
        loader.load_entry(path)  # a slip of the test's is told here, and not as an unknown provider
        loader.configure_catalog(self.folder)

    def register(self, **changes: Any) -> ProviderApp:
        """Make acme's provider app."""
        registration: dict[str, Any] = {
            "provider": SLUG,
            "auth_style": AuthorizationCodeMethod.style,
            "client_id": CLIENT_ID,
            "client_secrets": [CLIENT_SECRET],
            **changes,
        }
        self.app = save_provider_app(Registration(**registration), tenant=self.tenant, actor=SYSTEM)
        return self.app

    def let_mail(self) -> None:
        """Have acme's backend be one that may opt out of the confirmation (``binding="none"``)."""
        self.alice.backend = make_caller(self.tenant, "mailer", allows_unbound=True)

    # --- The end user -------------------------------------------------------------------------------------------------
    def invite(self, **changes: Any) -> Invitation:
        """Have acme's backend make a session for alice."""
        return self.alice.invite(provider=SLUG, **changes)

    def come_back(self, invitation: Invitation, **parameters: str) -> HttpResponse:
        """Leave for the provider, and come back with its authorization response: a code, unless ``parameters`` say so.

        A parameter that is "" is left out.
        """
        sent = dict(parse_qsl(urlsplit(self.alice.leave(invitation)).query))
        response = {"code": "code-1", "state": sent["state"], **parameters}
        query = urlencode({name: value for name, value in response.items() if value})
        return self.alice.visit(f"{redirect_uri(self.app.id)}?{query}")

    def confirm(self, **changes: Any) -> HttpResponse:
        """Connect as far as the answer to acme's confirmation."""
        invitation = self.invite(**changes)
        return self.alice.complete(invitation, completion_code(self.come_back(invitation)))

    def connect(self, **changes: Any) -> Connection:
        """Connect, and return the connection."""
        answer = self.confirm(**changes)
        assert answer.status_code == 200, answer.content
        return Connection.objects.get(id=answer.json()["connection"]["id"])

    def reconnect(self, connection: Connection, **changes: Any) -> HttpResponse:
        """Connect ``connection`` anew, as far as the answer to acme's confirmation."""
        return self.confirm(connection=str(connection.id), **changes)

    def refresh(self, connection: Connection) -> RefreshReport:
        """Make the connection due and refresh it, as the sweep would."""
        age(connection.id, hours=1)
        report = refresh(connection.id, trigger="sweep")
        connection.refresh_from_db()
        return report

    def vend(self, connection: Connection, **body: Any) -> HttpResponse:
        """Have acme's backend vend for alice."""
        return self.alice.vend(str(connection.id), **body)
