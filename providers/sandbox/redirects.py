"""Where a browser is sent next."""

from flask import Response, make_response, redirect


def see_other(location: str) -> Response:
    """Return a redirect that is followed with a GET and kept by no cache: the address may hold a code."""
    response = make_response(redirect(location, 303))
    response.headers["Cache-Control"] = "no-store"
    return response


def local_path(value: str | None, *, default: str) -> str:
    """Return ``value`` if it is a path on this server, else ``default``: no open redirect."""
    if not value or not value.startswith("/") or value.startswith(("//", "/\\")) or not value.isprintable():
        return default
    return value
