"""What Latchkey publishes for providers, at a real address: a sandbox comes to fetch it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings
from django.db import connections
from django.test import Client

from tests.public_urls import at


@contextmanager
def published() -> Iterator[str]:
    """Serve this process's pages on a loopback port, which is the public URL until the block ends; yield that URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer = Client().get(self.path, headers={"host": self.headers["Host"]})
            finally:
                connections.close_all()
            self.send_response(answer.status_code)
            for name, value in {**answer.headers, "Content-Length": str(len(answer.content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with at(url, ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "127.0.0.1"]):
            yield url
    finally:
        server.shutdown()
        server.server_close()
