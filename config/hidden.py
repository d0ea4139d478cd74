"""Settings that hold a password. They work as text, and lists of settings do not show the password."""

from typing import Self
from urllib.parse import urlsplit


class HiddenUrl(str):
    """A URL whose ``repr`` omits the user and the password, because lists of settings show the ``repr``."""

    __slots__ = ()

    def __new__(cls, url: str) -> Self:
        return super().__new__(cls, url)

    def __repr__(self) -> str:
        parts = urlsplit(str(self))
        host = parts.netloc.rpartition("@")[2]
        return repr(parts._replace(netloc=f"…@{host}" if "@" in parts.netloc else host).geturl())
