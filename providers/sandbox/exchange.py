"""One logged request, from its arrival to the last byte of its answer.

Owns the order of things around the real work of an endpoint: the log entry opens, a fault is met, the configured delay
passes (half of it before the request is processed, half after), the work is done or not, the entry is completed before
the answer can reach the client.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from flask import Response, request

from providers.sandbox.faults import Fault
from providers.sandbox.log import Entry
from providers.sandbox.mutual_tls import thumbprint
from providers.sandbox.registry import Client
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Line, WireResponse


class Exchange:
    """The request being served. The endpoint fills in ``entry`` as it learns who asks for what.

    ``server`` names the authorization server that is asked, where it is not the sandbox itself but one of those that
    stand before its MCP server (``mcp_authorization``).
    """

    def __init__(self, sandbox: Sandbox, endpoint: str, *, server: str = "") -> None:
        self.sandbox = sandbox
        self.server = server
        # A key in the path is a secret: of such an address the log gets the rule.
        path = str(request.url_rule) if request.view_args else request.path
        self.entry: Entry = sandbox.log.start(endpoint=endpoint, method=request.method, path=path)
        self.fault: Fault | None = None

    @property
    def issuer(self) -> str:
        """The identifier of the authorization server that is asked. Its endpoints are below it."""
        return self.sandbox.issuer + self.path

    @property
    def path(self) -> str:
        """The path of that identifier, "" for the sandbox itself."""
        return f"/as/{self.server}" if self.server else ""

    @property
    def shown_certificate(self) -> str:
        """The thumbprint of the certificate that the client has shown on this connection, "" if it has shown none."""
        shown = request.environ.get("sandbox.certificate")
        return thumbprint(shown) if shown else ""

    def name_client(self, client_id: str | None) -> None:
        """Note the client, if it is a registered one: anything else in its place could be a misplaced secret."""
        if client_id:
            self.entry.client_id = client_id if self.sandbox.registry.client(client_id) else "(unknown)"

    def meets(self, kind: str) -> bool:
        """Return whether the request meets the fault of that kind."""
        return self.fault is not None and self.fault.kind.name == kind

    def granted(self, scopes: list[str]) -> list[str]:
        """Return those of ``scopes`` that an access token gets: all, unless a fault narrows them."""
        if self.fault is None or not self.meets("narrow_scope"):
            return scopes
        return self.fault.options["scope"].split() if "scope" in self.fault.options else scopes[:-1]

    def grace_seconds(self, client: Client) -> float:
        """Return for how long after its rotation a refresh token of ``client`` still works."""
        if self.fault is not None and self.meets("late_retry"):
            return float(self.fault.options["seconds"])
        return self.sandbox.registry.grace_seconds(client)

    def answer(
        self,
        process: Callable[[], Response],
        *,
        altering: bool = True,
        refuse: Callable[[dict[str, Any]], Response] | None = None,
    ) -> Response:
        """Return what the client gets to see; ``process`` does the work and returns the honest answer.

        ``altering=False`` says that the answer cannot be a success that a fault could alter; ``refuse`` puts the
        fault ``error`` where that is not a JSON body.
        """
        entry, sandbox = self.entry, self.sandbox
        self.fault = sandbox.faults.take(
            endpoint=entry.endpoint, client_id=entry.client_id, grant_type=entry.grant_type, altering=altering
        )
        line = Line(request.environ["sandbox.socket"], released=sandbox.faults.released)
        delay = sandbox.registry.settings.delay_seconds.get(entry.endpoint, 0.0) / 2
        try:
            if delay:
                time.sleep(delay)
            if self.fault is None:
                response = process()
            else:
                entry.fault = self.fault.kind.name
                if refuse is not None and entry.fault == "error":
                    response = refuse(self.fault.options)
                else:
                    response = self.fault.play(process, line)
            if delay:
                time.sleep(delay)
        except BaseException:
            sandbox.log.finish(entry, status=500)
            raise
        entry.client_closed = line.peer_closed()
        self._complete(response)
        return response

    def _complete(self, response: Response) -> None:
        log, entry = self.sandbox.log, self.entry
        if isinstance(response, WireResponse):
            sent_status = response.sent_status
            response.finish = lambda: log.finish(entry, status=sent_status)

            def client_gone() -> None:
                entry.client_closed = True

            response.client_gone = client_gone
            return
        if response.status_code >= 400 and not entry.error:
            entry.error = _error_code(response)
        log.finish(entry, status=response.status_code)


def _error_code(response: Response) -> str:
    if response.mimetype != "application/json":
        return ""
    try:
        document = json.loads(response.get_data())
    except ValueError:
        return ""
    return str(document.get("error", "")) if isinstance(document, dict) else ""
