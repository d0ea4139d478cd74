"""Settings that hold a password. They work as text, and lists of settings do not show the password."""

from typing import Self
from urllib.parse import urlsplit


class HiddenUrl(str):
    """A URL whose ``repr`` omits the user and the password, because lists of settings show the ``repr``."""

    __slots__ = ()

    def __new__(cls, url: str) -> Self:
        return super().__new__(cls, url)

    def names_a_server(self) -> bool:
        """Whether it is an http or https URL with a host, and with a port that there is if it has one."""
        try:
            parts = urlsplit(str(self))
            return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False

    def __repr__(self) -> str:
        parts = urlsplit(str(self))
        host = parts.netloc.rpartition("@")[2]
        return repr(parts._replace(netloc=f"…@{host}" if "@" in parts.netloc else host).geturl())
