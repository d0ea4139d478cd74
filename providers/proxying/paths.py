"""The address of a proxied call: below one base URL, whatever the caller writes. No I/O.

Everything is refused that two servers might read in two ways. What stays is sent byte by byte as it came, so that
nothing between the check and the provider reads it anew.
"""

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import unquote_plus, unquote_to_bytes, urlsplit

LONGEST_PATH, LONGEST_QUERY = 4096, 16_384
# Parameters by which frameworks take another method than the request's.
_METHOD_NAMES = frozenset(
    {"_method", "$method", "__method", "_httpmethod", "$httpmethod", "httpmethod", "http_method", "_http_method"}
    | {"x-http-method", "x-http-method-override", "x-method-override"}
)
# RFC 3986 §3.3 without ``;``, ``@`` and what browsers and servers read in their own ways.
_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,=:/]|%[0-9A-Fa-f]{2})*")
# RFC 3986 §3.4, and the brackets and bars that many APIs use unencoded.
_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]|{}^`\"<>]|%[0-9A-Fa-f]{2})*")
_ENCODED_TRICK = re.compile(r"%(?:0[0-9a-f]|1[0-9a-f]|7f|25|2e|2f|3b|5c|3f|23)", re.IGNORECASE)
ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_STARTS_WITH_AT = re.compile(r"(?:^|/)%40", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?:/|$)", re.IGNORECASE)
_MARKS = "./\\@;:%?#"


class PathRefused(ValueError):
    """The path or query of a proxied call could be read in more than one way. The text says what is wrong with it."""


def check_path(path: str, *, encoded_slashes: bool = False) -> None:
    """Raise ``PathRefused`` unless ``path``, which follows a base URL and its slash, can be read in one way only.

    ``path`` is as it was sent, percent-encoded, without a leading slash. Refused are dots as a segment, empty segments,
    backslashes, ``@``, ``;``, a scheme, control characters, and the encoded forms of what separates or escapes.
    With ``encoded_slashes`` a slash may be encoded, where the path is none of that for a server that decodes it either.
    """
    if encoded_slashes:
        path = ENCODED_SLASH.sub("/", path)
    if len(path) > LONGEST_PATH:
        raise PathRefused(f"The path is longer than {LONGEST_PATH} characters.")
    if not _PATH.fullmatch(path):
        raise PathRefused("The path holds a character that has to be percent-encoded, or is never taken: \\ @ ; # ?")
    if _ENCODED_TRICK.search(path) or _STARTS_WITH_AT.search(path):
        raise PathRefused("The path holds an encoded dot, separator, percent sign or control character.")
    if _SCHEME.match(path):
        raise PathRefused("The path begins with a scheme: it continues the base URL, and names no other.")
    segments = path.split("/")
    if "" in segments[:-1]:
        raise PathRefused("The path holds an empty segment.")
    if any(set(segment) == {"."} for segment in segments if segment):
        raise PathRefused("The path holds a segment of dots.")
    for segment in segments:
        _check_text(segment)


def _check_text(segment: str) -> None:
    """Refuse what is no UTF-8 (overlong forms are none), and letters that some servers fold into separators."""
    if "%" not in segment:
        return
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise PathRefused("The path is no UTF-8.") from None
    folded = unicodedata.normalize("NFKC", text)
    if not text.isprintable() or any(folded.count(mark) != text.count(mark) for mark in _MARKS):
        raise PathRefused("The path holds a character that could be read as a separator or a control.")


def query_without(query: str, names: Collection[str]) -> str:
    """Return ``query`` as it was sent, less the parameters called by one of ``names``, in capitals or not.

    Raises ``PathRefused`` for a query that holds what a URL may not.
    """
    if len(query) > LONGEST_QUERY:
        raise PathRefused(f"The query is longer than {LONGEST_QUERY} characters.")
    if not _QUERY.fullmatch(query):
        raise PathRefused("The query holds a character that has to be percent-encoded.")
    if not names:
        return query
    taken = {name.lower() for name in names}
    parts = re.split(r"[&;]", query)  # some servers take a semicolon for an ampersand
    kept = [part for part in parts if unquote_plus(part.partition("=")[0]).strip().lower() not in taken]
    return query if len(kept) == len(parts) else "&".join(kept)


def check_method_meant(query: str, *, method: str, further: Collection[str] = ()) -> None:
    """Raise ``PathRefused`` where ``query`` asks for another method than ``method``: that one was not allowed.

    ``further`` are names of parameters by which this provider takes one, besides those that frameworks know.
    """
    names = _METHOD_NAMES | {name.lower() for name in further}
    for part in re.split(r"[&;]", query):
        name, _, value = part.partition("=")
        plain = unquote_plus(name).strip().lower().partition("[")[0]
        if plain in names and unquote_plus(value).strip().upper() != method:
            raise PathRefused(f"The parameter {plain!r} asks for another method than the request's.")


def below(base_url: str, path: str, *, encoded_slashes: bool = False) -> str:
    """Return the address of ``path`` below ``base_url``, whose own query, if it has one, is left out.

    Raises ``PathRefused`` as ``check_path`` does.
    """
    check_path(path, encoded_slashes=encoded_slashes)
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{path}"


def path_below(base_url: str, url: str, *, encoded_slashes: bool = False) -> str | None:
    """Return what ``url`` names below ``base_url``, with its query; None where it leads anywhere else.

    The inverse of ``below``, for addresses that an answer names. A path that ``check_path`` refuses is nowhere.
    """
    try:
        base, found = urlsplit(base_url), urlsplit(url)
        same = (base.scheme, base.hostname, base.port) == (found.scheme, found.hostname, found.port)
    except ValueError:
        return None
    root = f"{base.path.rstrip('/')}/"
    if not same or "@" in found.netloc or not f"{found.path or '/'}".startswith(root):
        return None
    path = (found.path or "/").removeprefix(root)
    try:
        check_path(path, encoded_slashes=encoded_slashes)
        query_without(found.query, ())
    except PathRefused:
        return None
    return f"{path}?{found.query}" if found.query else path
