"""The kinds of fault: what each does to an answer.

Owns the table ``KINDS``, explicit rather than registered, and the options that each kind takes. Three families:
*canned* answers replace the real one (the request is processed only with the option ``processed``); *altered*
successes really happen and are changed afterwards (an answer that is no success passes unchanged); *wire* faults
disturb the connection. ``faults`` decides which request meets a fault, ``wire`` does the socket work, and ``filler``
makes endless bodies. ``narrow_scope``, ``missing_refresh_token`` and ``wrong_iss`` change the issued tokens or the
response itself: ``validator`` and ``consent`` ask for them.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from flask import Response

from providers.sandbox import filler
from providers.sandbox.registry import InvalidDocument
from providers.sandbox.wire import Line, cut_off, head_of, hung_up, streamed

Options = dict[str, Any]
Process = Callable[[], Response]
Types = tuple[type, ...]

_RESOURCE = ("resource_metadata",)
_GIBIBYTE = 1 << 30
_ERROR_STATUS = {
    "invalid_client": 401,
    "invalid_token": 401,
    "insufficient_scope": 403,
    "server_error": 500,
    "temporarily_unavailable": 503,
}
_HTML = "<!doctype html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. ``play`` answers a request; ``options`` maps option names to the types of their values."""

    name: str
    summary: str
    play: Callable[[Options, Process, Line], Response]
    options: dict[str, Types]
    required: tuple[str, ...] = ()
    alters: bool = False
    endpoints: tuple[str, ...] = ()

    def check(self, options: object) -> None:
        """Raise InvalidDocument unless ``options`` are all known, of the right types, and complete."""
        if not isinstance(options, dict):
            raise InvalidDocument("options must be a JSON object")
        for name, value in options.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InvalidDocument(f"{self.name} takes no option {name}; known: {known}")
            types = self.options[name]
            if not isinstance(value, types) or (isinstance(value, bool) and not {bool, object} & set(types)):
                raise InvalidDocument(f"option {name} of {self.name} has the wrong type")
        missing = [name for name in self.required if name not in options]
        if missing:
            raise InvalidDocument(f"{self.name} needs the option {', '.join(missing)}")


def _reply(body: object, *, status: int = 200, content_type: str = "application/json") -> Response:
    text = body if isinstance(body, str) else json.dumps(body)
    return Response(text, status=status, content_type=content_type, headers={"Cache-Control": "no-store"})


# Canned answers


def _canned(
    name: str,
    summary: str,
    make: Callable[[Options], Response],
    options: dict[str, Types],
    required: tuple[str, ...] = (),
) -> Kind:
    def play(chosen: Options, process: Process, line: Line) -> Response:
        if chosen.get("processed"):
            process()
        return make(chosen)

    return Kind(name, summary, play, {**options, "processed": (bool,)}, required)


def _status(options: Options) -> Response:
    reply = _reply(
        options.get("body", "Internal Server Error\n"),
        status=options.get("status", 500),
        content_type=options.get("content_type", "text/plain; charset=utf-8"),
    )
    reply.headers.update(options.get("headers", {}))
    return reply


def _rate_limited(options: Options) -> Response:
    wait = options.get("retry_after", 1)
    if options.get("http_date") and not isinstance(wait, str):
        wait = formatdate(time.time() + wait, usegmt=True)
    reply = _reply({"message": "Too many requests"}, status=options.get("status", 429))
    reply.headers["Retry-After"] = str(wait)
    return reply


def _html(options: Options) -> Response:
    return _reply(options.get("body", _HTML), status=options.get("status", 200), content_type="text/html")


def _fixed(body: str) -> Callable[[Options], Response]:
    return lambda options: _reply(body, status=options.get("status", 200))


def _error_in_200(options: Options) -> Response:
    error = options.get("error", "bad_refresh_token")
    if options.get("style") == "slack":
        return _reply({"ok": False, "error": error})
    return _reply({"error": error, "error_description": "The request was refused."})


def _error(options: Options) -> Response:
    error = options.get("error", "invalid_grant")
    document = {"error": error, "error_description": options.get("description", "Refused on request.")}
    reply = _reply(document, status=options.get("status", _ERROR_STATUS.get(error, 400)))
    if reply.status_code == 401:
        reply.headers["WWW-Authenticate"] = f'Bearer error="{error}"'
    return reply


def _redirect(options: Options) -> Response:
    reply = _reply("", status=options.get("status", 307), content_type="text/plain")
    reply.headers["Location"] = options["location"]
    return reply


def _huge_body(options: Options) -> Response:
    size = options.get("bytes", _GIBIBYTE)
    reply = _reply("")
    length = size if options.get("content_length") else None
    return streamed(head_of(reply, content_length=length), filler.plain(size))


def _gzip_bomb(options: Options) -> Response:
    reply = _reply("")
    reply.headers["Content-Encoding"] = "gzip"
    return streamed(head_of(reply, content_length=None), filler.gzipped(options.get("bytes", _GIBIBYTE)))


# Altered successes


def _altered(
    name: str,
    summary: str,
    change: Callable[[Options, dict[str, Any]], str],
    options: dict[str, Types],
    endpoints: tuple[str, ...] = ("token",),
) -> Kind:
    def play(chosen: Options, process: Process, line: Line) -> Response:
        response = process()
        if response.status_code == 200:
            response.set_data(change(chosen, json.loads(response.get_data())))
        return response

    return Kind(name, summary, play, options, alters=True, endpoints=endpoints)


def _issued_differently(
    name: str, summary: str, options: dict[str, Types], endpoints: tuple[str, ...] = ("token",)
) -> Kind:
    return Kind(name, summary, lambda chosen, process, line: process(), options, alters=True, endpoints=endpoints)


def _without_access_token(options: Options, document: dict[str, Any]) -> str:
    del document["access_token"]
    return json.dumps(document)


def _with_null_access_token(options: Options, document: dict[str, Any]) -> str:
    return json.dumps(document | {"access_token": None})


def _with_token_type(options: Options, document: dict[str, Any]) -> str:
    return json.dumps(document | {"token_type": options.get("token_type", "mac")})


def _with_expires_in(options: Options, document: dict[str, Any]) -> str:
    del document["expires_in"]
    text = json.dumps(document)
    if not options:
        return text
    value = options["raw"] if "raw" in options else json.dumps(options["value"])
    return f'{text[:-1]}, "expires_in": {value}}}'


def _with_resource(options: Options, document: dict[str, Any]) -> str:
    return json.dumps(document | {"resource": options.get("resource", "https://mcp.victim.example/mcp")})


def _without_pkce(options: Options, document: dict[str, Any]) -> str:
    document.pop("code_challenge_methods_supported", None)
    return json.dumps(document)


def _truncated_json(options: Options, process: Process, line: Line) -> Response:
    response = process()
    body = response.get_data()
    kept = options.get("bytes", len(body) // 2)
    if response.status_code != 200:
        return response
    if options.get("cut_off"):
        return cut_off(response, after=kept)
    response.set_data(body[:kept])
    return response


# On the wire


def _lost_response(options: Options, process: Process, line: Line) -> Response:
    process()
    return hung_up(reset=options.get("reset", False))


def _reset_before(options: Options, process: Process, line: Line) -> Response:
    return hung_up(reset=True)


def _stall(options: Options, process: Process, line: Line) -> Response:
    seconds = options.get("seconds", 30)
    if options.get("processed", True):
        response = process()
        return response if line.wait(seconds) else hung_up()
    return process() if line.wait(seconds) else hung_up()


def _trickle(options: Options, process: Process, line: Line) -> Response:
    response = process()
    head, body = head_of(response, content_length=len(response.get_data())), response.get_data()
    at_once, slow = (b"", head + body) if options.get("headers") else (head, body)
    drops = (bytes([byte]) for byte in slow)
    return streamed(at_once, drops, interval=options.get("interval", 1.0), status=response.status_code)


_NUMBER: Types = (int, float)
_ANY_STATUS: dict[str, Types] = {"status": (int,)}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _canned(
            "status",
            "any status (500), with a body",
            _status,
            {**_ANY_STATUS, "body": (str,), "content_type": (str,), "headers": (dict,)},
        ),
        _canned(
            "rate_limited",
            "429 with Retry-After in seconds or, with http_date, as a date",
            _rate_limited,
            {**_ANY_STATUS, "retry_after": (int, float, str), "http_date": (bool,)},
        ),
        Kind("lost_response", "processed, then closed without an answer", _lost_response, {"reset": (bool,)}),
        Kind("reset_before", "connection reset, unprocessed", _reset_before, {}),
        Kind(
            "stall",
            "sleeps before it answers or, with processed=false, before it processes",
            _stall,
            {"seconds": _NUMBER, "processed": (bool,)},
        ),
        Kind("trickle", "the answer, a byte per interval", _trickle, {"interval": _NUMBER, "headers": (bool,)}),
        _canned("html", "200 with an HTML page", _html, {**_ANY_STATUS, "body": (str,)}),
        Kind(
            "truncated_json",
            "the first half of a success",
            _truncated_json,
            {"bytes": (int,), "cut_off": (bool,)},
            alters=True,
        ),
        _canned("empty_body", "200 with nothing in it", _fixed(""), _ANY_STATUS),
        _canned("json_list", "200 with a JSON list", _fixed('["access_token", "expires_in"]'), _ANY_STATUS),
        _canned("json_null", "200 with null", _fixed("null"), _ANY_STATUS),
        _altered("no_access_token", "a success without access_token", _without_access_token, {}),
        _altered("null_access_token", "a success with access_token null", _with_null_access_token, {}),
        _canned("error_in_200", "200 with an error field", _error_in_200, {"error": (str,), "style": (str,)}),
        _canned("huge_body", "a gibibyte of JSON, streamed", _huge_body, {"bytes": (int,), "content_length": (bool,)}),
        _canned("gzip_bomb", "a mebibyte that unpacks to a gibibyte", _gzip_bomb, {"bytes": (int,)}),
        _canned("redirect", "307 to location", _redirect, {**_ANY_STATUS, "location": (str,)}, ("location",)),
        _issued_differently("narrow_scope", "fewer scopes than were granted", {"scope": (str,)}),
        _altered("expires_in", "any expires_in, or none", _with_expires_in, {"value": (object,), "raw": (str,)}),
        _issued_differently("missing_refresh_token", "no refresh token; the old one stays good", {}),
        _altered("wrong_token_type", "another token_type (mac)", _with_token_type, {"token_type": (object,)}),
        _canned(
            "error",
            "a well-formed OAuth error (invalid_grant)",
            _error,
            {**_ANY_STATUS, "error": (str,), "description": (str,)},
        ),
        _altered("wrong_resource", "metadata of another resource", _with_resource, {"resource": (str,)}, _RESOURCE),
        _altered("silent_about_pkce", "metadata that promises no PKCE", _without_pkce, {}, ("metadata",)),
        Kind(
            "late_retry",
            "within seconds of its rotation a refresh token gets a pair of its own, past them the family ends",
            lambda chosen, process, line: process(),
            {"seconds": _NUMBER},
            ("seconds",),
            endpoints=("token",),
        ),
        _issued_differently(
            "wrong_iss", "another iss in the authorization response, or none", {"iss": (str,)}, ("authorize",)
        ),
    )
}
