"""Which public host answers which addresses, where the widget, the admin and the API have hosts of their own.

An address that another host answers gets what an address without anything gets. So a host says nothing of the others:
not that there is an admin, nor where. What is not in the table below is answered by none.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from config.public_urls import origin_of
from connections.api.mcp.resource import METADATA_PATH, WELL_KNOWN
from connections.api.mcp.resource import PATH as MCP_PATH

WIDGET, ADMIN, API = "widget", "admin", "api"
_ALL = (WIDGET, ADMIN, API)
# The first that fits says who answers. Paths are below the installation's own, and end with "/" here.
_OWNERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), owners)
    for pattern, owners in (
        (r"/", _ALL),
        (r"/connect/preview/", (ADMIN,)),  # a frame in the admin, for those who are logged in there
        (r"/(?:connect|apps|pushes)/.*", (WIDGET,)),
        (r"/static/connect/.*", _ALL),  # refusals have the look of the widget
        (r"/static/(?:admin|latchkey_admin|account|mfa)/.*", (ADMIN,)),
        (r"/static/clients/.*", (API,)),
        (r"/admin/.*", (ADMIN,)),
        (r"/(?:api|mcp|llms\.txt|\.well-known/oauth-protected-resource)/.*", (API,)),
    )
)
ALIVE_PATH = "/healthz"
WATCHED_PATHS = ("/readyz", "/metrics")
OF_ANY_HOST = (ALIVE_PATH, *WATCHED_PATHS)  # orchestrators ask by address
_DEFAULT_PORT = re.compile(r":(?:80|443)$")


def owners_of(path: str) -> tuple[str, ...]:
    """Return which of the hosts answer ``path``, which is below the installation's own. No I/O."""
    return next((owners for pattern, owners in _OWNERS if pattern.fullmatch(_ended(path))), ())


class Hosts:
    """The public hosts, as the settings name them now."""

    def __init__(self) -> None:
        self._urls = {WIDGET: settings.WIDGET_URL, ADMIN: settings.ADMIN_URL, API: settings.API_URL}
        self._netlocs = {part: urlsplit(url).netloc for part, url in self._urls.items()}
        self.are_apart = len(set(self._netlocs.values())) > 1

    def answer(self, host: str, path: str) -> bool:
        """Whether the ``host`` that a request names answers ``path``. No I/O.

        Where all have one host this is not asked: Django says which names that has. A name that is no host's answers
        nothing.
        """
        return not self.are_apart or path in OF_ANY_HOST or not set(owners_of(path)).isdisjoint(self._parts_at(host))

    def is_public(self, host: str) -> bool:
        """Whether ``host`` is one of the public ones, as it is written in their addresses."""
        return _written(host) in self._netlocs.values()

    def home_of(self, host: str) -> str:
        """Return the origin to which a browser belongs that asked another name or port for something."""
        return origin_of(self._urls[next(iter(self._parts_at(host)), WIDGET)])

    def _parts_at(self, host: str) -> list[str]:
        written = _written(host)
        if found := [part for part, netloc in self._netlocs.items() if netloc == written]:
            return found
        name = _name_of(written)  # a proxy in front may use another port
        return [part for part, netloc in self._netlocs.items() if _name_of(netloc) == name]


def named_host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the host that a request names, "" if it names none or several."""
    named = [value.decode("latin-1") for name, value in headers if name == b"host"]
    return named[0] if len(named) == 1 else ""


def below(path: str) -> str | None:
    """Return what is left of ``path`` below the installation's own; None where it is not below it. No I/O.

    Health checks come without it. The metadata of the MCP endpoint has its place before it (RFC 9728 §3.1).
    """
    own = settings.PUBLIC_PATH
    if not own or path in OF_ANY_HOST:
        return path
    if path == f"{WELL_KNOWN}{own}{MCP_PATH}":
        return METADATA_PATH
    if path == own:
        return "/"
    return path.removeprefix(own) if path.startswith(f"{own}/") else None


def _ended(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _written(host: str) -> str:
    return _DEFAULT_PORT.sub("", host.strip().lower())


def _name_of(netloc: str) -> str:
    return re.sub(r":\d*$", "", netloc)
