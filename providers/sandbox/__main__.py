"""Run a sandbox: ``python -m providers.sandbox --help``."""

import argparse
import contextlib
import ipaddress
import json
import signal
import ssl
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlsplit

from providers import egress
from providers.sandbox.app import create_app
from providers.sandbox.registry import InvalidDocument
from providers.sandbox.server import Server
from providers.sandbox.state import Sandbox


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Prints ``listening on URL`` once connections are accepted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # SIGINT too: a process that a shell starts in the background inherits it as ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    # Bound before the application exists: the issuer may contain the port that was free.
    try:
        server = Server(host=options.host, port=options.port, certificate=options.certificate)
    except ssl.SSLError:
        parser.error(f"--certificate: {options.certificate} does not hold a private key and its certificate in PEM")
    address = f"{'https' if options.certificate else 'http'}://{_reachable(options.host)}:{server.port}"
    sandbox = Sandbox.open(
        issuer=options.public_url or address,
        name=options.name,
        folder=options.state,
        echo=_echo if options.access_log else None,
        exposes_control=options.expose_control,
    )
    try:
        _configure(sandbox, options)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    # Clients publish their documents; in trials they do so on this machine.
    egress.configure(egress.EgressPolicy(allow_loopback=True, connect_seconds=2.0, total_seconds=5.0))
    app = create_app(sandbox)
    with contextlib.closing(sandbox), contextlib.suppress(KeyboardInterrupt):
        print(f"listening on {address}", flush=True)
        server.serve_forever(app)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m providers.sandbox", description="An OAuth authorization server with faults on demand."
    )
    parser.add_argument("--port", type=int, default=9400, help="0 picks a free one (default %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the state here; without it, in memory")
    parser.add_argument("--public-url", type=_origin, metavar="URL", help="what clients call it, and the issuer")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="PEM with key and chain: speak https alone")
    parser.add_argument("--clients", type=Path, metavar="FILE", help="JSON list of clients to register at start")
    parser.add_argument("--name", default="Sandbox", help="what the pages call it (default %(default)s)")
    parser.add_argument("--access-lifetime", type=int, metavar="SECONDS", help="of access tokens (default 60)")
    parser.add_argument("--grace-seconds", type=float, metavar="SECONDS", help="of a rotated refresh token (default 0)")
    parser.add_argument("--rotate", action=argparse.BooleanOptionalAction, help="rotate refresh tokens (default yes)")
    parser.add_argument("--access-log", action="store_true", help="print a line for each request, without secrets")
    parser.add_argument("--expose-control", action="store_true", help="let other machines use /control")
    return parser


def _configure(sandbox: Sandbox, options: argparse.Namespace) -> None:
    changes: dict[str, Any] = {
        name: value
        for name in ("access_lifetime", "grace_seconds", "rotate")
        if (value := getattr(options, name)) is not None
    }
    if changes:
        sandbox.registry.change_settings(changes)
    if options.clients is not None:
        clients = json.loads(options.clients.read_text())
        if not isinstance(clients, list):
            raise InvalidDocument("--clients must hold a JSON list")
        for client in clients:
            sandbox.registry.put_client(client)


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError("must be http(s)://host[:port]")
    return value.rstrip("/")


def _reachable(host: str) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1"
    return f"[{address}]" if address.version == 6 else str(address)


def _echo(line: str) -> None:
    print(line, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
