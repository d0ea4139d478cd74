"""What the foreign servers have in common: they listen on loopback, keep a log of requests, and answer to an oracle.

The log is written outside the server that is tried, from what passes on the wire; secrets and tokens are not in it but
as fingerprints. The oracle reads and changes the server's own store. Nothing here takes part in the OAuth protocol.
"""

import hashlib
import io
import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.serving import WSGIRequestHandler, make_server

Oracle = Mapping[str, Callable[..., object]]
_TOLD = ("grant_type", "token_type_hint")
_SECRET = ("token", "refresh_token", "code", "device_code", "assertion")


def fingerprint(secret: str) -> str:
    """Return what stands for a secret in the log and in the oracle's answers."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def issuer_at(port: int, path: str) -> str:
    """Return the issuer of a server on this port, whose endpoints all lie under ``path``."""
    return f"http://127.0.0.1:{port}{path}"


def serve(make: Callable[[str], tuple[Any, Oracle]], *, package: str, path: str) -> None:
    """Listen on a free loopback port until standard input ends; print the issuer and the package's version first.

    ``make`` is given the issuer and returns the WSGI application and the oracle; ``path`` is the path of the issuer.
    """
    log: list[dict[str, object]] = []
    held: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/oracle":
            return _ask(held["oracle"] | {"log": lambda: log}, environ, start_response)
        return _logged(held["application"], environ, start_response, log)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Silent)
    issuer = issuer_at(server.port, path)
    held["application"], held["oracle"] = make(issuer)
    print(json.dumps({"issuer": issuer, "name": package, "version": version(package)}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()  # it ends with whoever started this process, even if that one is killed


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - its parent's name
        """Say nothing: the log is kept by ``serve``."""


def _ask(oracle: Oracle, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    answer = oracle[asked["call"]](**asked["arguments"])
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _logged(
    application: Any, environ: dict[str, Any], start_response: Any, log: list[dict[str, object]]
) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    entry = _request(environ, body)

    def started(status: str, headers: list[tuple[str, str]], *further: Any) -> Any:
        entry["status"] = int(status.split(maxsplit=1)[0])
        return start_response(status, headers, *further)

    answer = b"".join(application(environ, started))
    log.append(entry | {"error": _error(answer)})
    return [answer]


def _request(environ: dict[str, Any], body: bytes) -> dict[str, object]:
    sent = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        sent |= dict(parse_qsl(body.decode()))
    told = {name: sent.get(name, "") for name in _TOLD}
    marks = {name: fingerprint(sent[name]) for name in _SECRET if name in sent}
    authentication = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower()
    return {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "parameters": sorted(sent),
        "authentication": authentication or ("post" if "client_secret" in sent else ""),
        **told,
        **marks,
    }


def _error(answer: bytes) -> str:
    try:
        document = json.loads(answer)
    except ValueError:
        return ""
    return str(document.get("error", "")) if isinstance(document, dict) else ""
