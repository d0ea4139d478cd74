"""Paths of proxied requests, and the patterns by which access grants name them. No I/O.

A pattern is a path. A segment ``*`` stands for any one segment, and ``/**`` at the end for whatever is below, or
nothing. There is no other wildcard, so matching takes one step a segment. Segments are compared as the provider will
read them, with percent-encoding undone. A path that a server could read in two ways matches no pattern.
"""

import re
from urllib.parse import unquote

# RFC 3986 §3.3, without percent-encoding, and without `*` but as a whole segment.
_SEGMENT = re.compile(r"[A-Za-z0-9\-._~!$&'()+,;=:@]+")
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)
_MOST_DECODINGS = 3


def check_pattern(pattern: str) -> str | None:
    """Return what is wrong with a grant's path pattern, in words, or None."""
    if not pattern.startswith("/"):
        return "A path begins with a slash."
    segments = pattern[1:].split("/")
    for number, segment in enumerate(segments, start=1):
        is_last = number == len(segments)
        if segment == "**" and not is_last:
            return "`**` stands at the end of a path only."
        if segment in ("*", "**") or (is_last and not segment):
            continue
        if not _SEGMENT.fullmatch(segment) or _is_ambiguous(segment):
            return "A segment is `*`, or of letters, digits and -._~!$&'()+,;=:@, and neither empty nor dots."
    return None


def matches(pattern: str, path: str, *, encoded_slashes: bool = False) -> bool:
    """Whether ``pattern`` means the ``path`` of a request, which is percent-encoded as it is sent, without a query.

    ``encoded_slashes``: the provider takes ``%2F`` for a character of a name; only a wildcard means a name with one.
    """
    if not path.startswith("/"):
        return False
    wanted, asked = pattern[1:].split("/"), path[1:].split("/")
    if is_ambiguous_path(_ENCODED_SLASH.sub("/", path) if encoded_slashes else path):
        return False
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        asked = asked[: len(wanted)] if len(asked) >= len(wanted) else asked
    if len(wanted) != len(asked):
        return False
    return all(
        bool(found) if want == "*" else want == unquote(found) for want, found in zip(wanted, asked, strict=True)
    )


def narrowed(one: str, other: str) -> str | None:
    """Return the pattern that means the paths which both patterns mean, or None where there is no such path."""
    first, second = one[1:].split("/"), other[1:].split("/")
    common: list[str] = []
    while first and second:
        if first == ["**"] or second == ["**"]:
            return f"/{'/'.join([*common, *(second if first == ['**'] else first)])}"
        mine, theirs = first.pop(0), second.pop(0)
        if "*" in (mine, theirs) and "" not in (mine, theirs):
            common.append(theirs if mine == "*" else mine)
        elif mine == theirs:
            common.append(mine)
        else:
            return None
    if first in ([], ["**"]) and second in ([], ["**"]):
        return f"/{'/'.join(common)}"
    return None


def is_ambiguous_path(path: str) -> bool:
    """Whether two servers could read ``path`` in two ways: dots, empty or encoded segments, backslashes, controls."""
    segments = path[1:].split("/")
    return any(_is_ambiguous(segment) for segment in segments) or "" in segments[:-1]


def _is_ambiguous(segment: str) -> bool:
    """Whether ``segment`` leads elsewhere, or holds a separator, for a server that decodes it once or more often."""
    for _ in range(_MOST_DECODINGS):
        name = segment.partition(";")[0]  # parameters of a segment (RFC 3986 §3.3), which some servers cut off first
        if name in (".", "..") or any(mark in segment for mark in "/\\?#") or not segment.isprintable():
            return True
        if (decoded := unquote(segment)) == segment:
            return False
        segment = decoded
    return True
