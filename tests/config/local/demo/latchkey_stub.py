"""A Latchkey and a provider in one, over real HTTP, that answer as they are told and remember what they were asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

CONNECTION_ID = "0b2f3a54-6a2c-4a8e-9a51-2f6d0a0c7e11"
SESSION_ID = "7b8e4a86-5f32-4f39-9f9b-0b7f0cf8f8aa"
VISIT_ID = "2f0c4f9e-0f5c-4c3a-8a36-55a2a7f7a0de"
VERSION = "c6f9f1c2-90c6-4d44-8e43-1f7d6c6fd5a0"
TOKEN = "the-vended-token-itself"


def connection(**changes: Any) -> dict[str, Any]:
    """Return a connection of ann's as the API shows it."""
    return {
        "id": CONNECTION_ID,
        "provider": "sandbox",
        "end_user": "ann",
        "status": "active",
        "reason": "connected",
        "revocation": "",
        "account": {"id": "person-1001", "name": "Alice Archer"},
        "scopes": {"requested": ["profile.read"], "granted": ["profile.read"], "missing": []},
        "health": {"verified_at": None, "access_expires_at": None, "refresh_due_at": None},
        "version": VERSION,
        **changes,
    }


def refusal(status: int, code: str, detail: str = "A detail for developers.") -> tuple[int, dict[str, Any]]:
    """Return a problem document with its status."""
    return status, {"status": status, "code": code, "detail": detail}


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    document: Any
    headers: dict[str, str]


@dataclass
class LatchkeyStub:
    """``answers`` are (status, document) by method and path; what is not there is 404."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def sent(self, method: str, path: str) -> list[Any]:
        """Return the documents that were sent there."""
        return [one.document for one in self.asked if (one.method, one.path) == (method, path)]


@contextmanager
def serve_latchkey() -> Iterator[LatchkeyStub]:
    """Run a stub on a free port of loopback, with one connection of ann's."""
    stub = LatchkeyStub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            document = json.loads(self.rfile.read(size)) if size else None
            path = self.path.partition("?")[0]
            stub.asked.append(Asked(self.command, path, document, dict(self.headers)))
            status, answer = stub.answers.get(f"{self.command} {path}", refusal(404, "not_found"))
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 (the names that http.server calls)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.url = f"http://127.0.0.1:{server.server_port}"
        one = f"/api/v1/connections/{CONNECTION_ID}"
        credential = {
            "value": TOKEN,
            "headers": {"Authorization": f"Bearer {TOKEN}"},
            "query": {},
            "base_url": stub.url,
            "expires_at": None,
        }
        stub.answers = {
            "GET /api/v1/connections": (200, {"items": [connection()], "next": None}),
            f"GET {one}": (200, connection()),
            f"DELETE {one}": (200, connection(status="disconnected", reason="disconnected_by_request")),
            f"POST {one}/credential": (200, {"version": VERSION, "credential": credential}),
            f"POST {one}/report": (200, {}),
            "POST /api/v1/connect-sessions": (201, {"id": SESSION_ID, "connect_url": f"{stub.url}/connect/x#token"}),
            "POST /api/v1/management-sessions": (
                201,
                {"id": VISIT_ID, "manage_url": f"{stub.url}/connect/manage/{VISIT_ID}#token"},
            ),
            f"POST /api/v1/connect-sessions/{SESSION_ID}/complete": (200, {"connection": connection()}),
            "GET /me": (200, {"sub": "person-1001", "name": "Alice Archer"}),
        }
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield stub
        server.shutdown()
