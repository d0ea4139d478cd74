"""Settings that hold a password: they work as text, and show nothing of it where settings are listed."""

from typing import Self
from urllib.parse import urlsplit


class HiddenUrl(str):
    """A URL whose ``repr`` leaves the user and the password out: lists of settings are made of ``repr``."""

    __slots__ = ()

    def __new__(cls, url: str) -> Self:
        return super().__new__(cls, url)

    def __repr__(self) -> str:
        parts = urlsplit(str(self))
        host = parts.netloc.rpartition("@")[2]
        return repr(parts._replace(netloc=f"…@{host}" if "@" in parts.netloc else host).geturl())
