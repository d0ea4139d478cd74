"""Run it: ``python -m config.local.demo.customer_app --port 8080``. ``make demo`` does, with all that it needs."""

import argparse
import contextlib
import json
import os
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from werkzeug.serving import WSGIRequestHandler, make_server

from config.local.demo.customer_app.app import Settings, create_app

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log: the address of a returning browser holds a completion code."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.local.demo.customer_app", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="port of loopback (default %(default)s)")
    port: int = parser.parse_args().port
    kept = _kept_secrets()
    api_key = os.environ.get("LATCHKEY_API_KEY") or kept.get("api_key")
    latchkey_url = os.environ.get("PUBLIC_URL")
    if not api_key or not latchkey_url:
        parser.error("PUBLIC_URL (where Latchkey is) and LATCHKEY_API_KEY have to be set; `make demo` does it all")
    app = create_app(
        Settings(
            own_url=os.environ.get("CUSTOMER_APP_URL") or f"http://{HOST}:{port}",
            latchkey_url=latchkey_url,
            api_key=api_key,
            session_key=kept.get("session_key") or secrets.token_urlsafe(32),
            domain_line=kept.get("domain_line", ""),
            sandbox_url=os.environ.get("SANDBOX_URL", ""),
        )
    )
    # SIGINT too: a process that a shell starts in the background inherits it as ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    server = make_server(HOST, port, app, threaded=True, request_handler=_QuietHandler)
    print(f"listening on http://{HOST}:{port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


def _kept_secrets() -> dict[str, Any]:
    """Return what the demo's seed left for this app in the state folder, or nothing."""
    folder = os.environ.get("LATCHKEY_STATE")
    path = Path(folder, "customer_app.json") if folder else None
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else {}
    return kept


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
