"""Provider apps that are told by the sandbox, and what is pushed to them: the truth, doubt, and forgeries.

Each connection has an account of its own, so that a push is about one alone.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests
from django.core.wsgi import get_wsgi_application

from connections.lifecycle.pushes.act import act
from connections.models import Connection, ProviderApp, PushState, ReceivedPush
from tests.campaigns.faults.ground import Ground, Member
from tests.pushing import have_pushed

ENDED, DOUBTFUL = "grant.revoked", "account.locked"
_TIMEOUT_SECONDS = 30
_TRIES = 5


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (as it is called)
        """Say nothing: what comes is counted in the database."""


@contextmanager
def entrance() -> Iterator[str]:
    """Serve the product's addresses from this process, and yield where."""
    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Silent) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            requests.get(f"{url}/", timeout=10 * _TIMEOUT_SECONDS, allow_redirects=False)  # it imports all
            yield url
        finally:
            server.shutdown()
            serving.join()


@dataclass(frozen=True, slots=True)
class Told:
    """A provider app that is told at ``url`` of what becomes of its grants."""

    ground: Ground
    app: ProviderApp
    url: str

    def name_accounts(self, members: list[Member], account: str = "") -> None:
        """Say of each connection whose account it is: one of its own, or all of them ``account``."""
        for member in members:
            Connection.objects.get(id=member.id).belong_to(account or str(member.id), "")

    def push(self, kind: str, account: uuid.UUID | str) -> None:
        """Have the provider push something about an account, again where no answer comes, and see that it is taken."""
        members = {"account": str(account), "id": uuid.uuid4().hex}
        for _ in range(_TRIES):
            status = self.ground.control.push(self.app.client_id, kind, username="alice", members=members)
            if status is not None:
                break
        assert status == 200, f"the push is answered {status}"

    def forge(self, account: uuid.UUID) -> None:
        """Push as somebody who does not know the secret, and see that it is refused."""
        answer = requests.post(
            self.url,
            json={"id": uuid.uuid4().hex, "type": ENDED, "account": str(account)},
            headers={"Sandbox-Timestamp": str(int(time.time())), "Sandbox-Signature": "v1=" + "0" * 64},
            timeout=_TIMEOUT_SECONDS,
        )
        assert answer.status_code in (401, 429), f"the forgery is answered {answer.status_code}"


def told_at(ground: Ground, app: ProviderApp, *, base_url: str, access_lifetime: int) -> Told:
    """Have the provider push what becomes of the grants of ``app`` to where ``base_url`` leads."""
    told = Told(ground, app, f"{base_url}/pushes/{app.id}")
    have_pushed(app, ground.control, url=told.url, access_lifetime=access_lifetime)
    return told


def act_on_waiting() -> None:
    """Do what the workers do with pushes."""
    for push_id in ReceivedPush.objects.filter(state=PushState.WAITING).values_list("id", flat=True):
        act(push_id)
