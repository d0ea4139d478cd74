"""Where Latchkey is reached: at one public address, or the widget, the admin and the API at hosts of their own.

All of them have the same path, which is empty where Latchkey has its hosts to itself.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from providers.addresses import names_loopback

# What a URL may hold unencoded, and the name of a cookie too: the path is part of both.
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
# To characters that no path has, where one would mean two things in the name of a cookie.
_IN_NAMES = str.maketrans({"/": ".", ".": "^", "-": "+"})
_HOSTS = {
    "PUBLIC_URL": "https://connect.example.com or https://example.com/latchkey",
    "WIDGET_URL": "https://connect.example.com",
    "ADMIN_URL": "https://latchkey-admin.example.com",
    "API_URL": "https://latchkey-api.example.com",
}


@dataclass(frozen=True, slots=True)
class PublicUrls:
    """The addresses without a slash at their end. ``widget``, ``admin`` and ``api`` are ``public`` where not set."""

    public: str
    widget: str
    admin: str
    api: str

    @property
    def path(self) -> str:
        """The path that all of them have, "" for none."""
        return urlsplit(self.public).path

    @property
    def cookie_mark(self) -> str:
        """What the names of cookies begin with besides: two installations at one host keep their own.

        No two paths have one mark, and none has the hyphen that ends it in a name.
        """
        return self.path.translate(_IN_NAMES)

    @property
    def host_names(self) -> list[str]:
        """The names of the hosts, each once. ``public`` is not among them where nothing is left to it."""
        return list(dict.fromkeys(_host_of(url) for url in (self.widget, self.admin, self.api)))

    def is_loopback_http(self) -> bool:
        """Whether no network can read or change what any of these hosts sends."""
        return all(urlsplit(url).scheme == "http" for url in self._all) and all(map(names_loopback, self.host_names))

    @property
    def _all(self) -> tuple[str, ...]:
        return self.public, self.widget, self.admin, self.api


def read_public_urls(public: str, *, widget: str, admin: str, api: str, development: bool) -> PublicUrls:
    """Return the addresses of settings, "" for what is at ``public``. Raises ``ImproperlyConfigured``."""
    public = _read("PUBLIC_URL", public, development=development)
    path = urlsplit(public).path
    found = {}
    for name, given in (("WIDGET_URL", widget), ("ADMIN_URL", admin), ("API_URL", api)):
        found[name] = _read(name, given, development=development) if given else public
        if urlsplit(found[name]).path != path:
            raise ImproperlyConfigured(f"{name} must have the path of PUBLIC_URL, which is {path or '/'}.")
    return PublicUrls(public, found["WIDGET_URL"], found["ADMIN_URL"], found["API_URL"])


def origin_of(url: str) -> str:
    """Return scheme, host and port of ``url``, as browsers write an ``Origin``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _read(name: str, given: str, *, development: bool) -> str:
    url = given.rstrip("/")
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or "@" in parts.netloc or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise ImproperlyConfigured(f"{name} must be like {_HOSTS[name]}.")
    if any(part in (".", "..") for part in parts.path.split("/")):
        raise ImproperlyConfigured(f"{name} must not have . or .. in its path.")
    if parts.scheme != "https" and not development:
        raise ImproperlyConfigured(f"{name} must be https:// unless LATCHKEY_ENV=development.")
    return f"{parts.scheme}://{_written(parts.scheme, parts.hostname or '', parts.port)}{parts.path}"


def _written(scheme: str, host: str, port: int | None) -> str:
    """Return host and port as browsers send them: in lower case, and without the scheme's own port."""
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, {"http": 80, "https": 443}[scheme]) else f"{host}:{port}"


def _host_of(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host
