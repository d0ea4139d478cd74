"""The method that a body asks for in the place of the request's, as a field of a form or of a JSON object. No I/O.

Rails, Laravel, Symfony, Spring and others take ``_method`` of a POST for its method; some providers have a parameter of
their own for that, or for requests within the request. Of a body only the beginning is there to be looked at.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import unquote_plus, unquote_to_bytes

# What a form or an object holds under these names is no data. Others of ``paths`` are: a ``http_method`` of a webhook.
_NAMES = frozenset({"_method", "__method", "_httpmethod", "_http_method"}) | {
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
}
_FORM = "application/x-www-form-urlencoded"
# A line that is folded goes on after a space (RFC 5322 §2.2.3). Boundaries are not looked at: nobody else has to agree.
# Each part of the pattern is bounded, so that it takes no long time over whatever a caller makes up.
_FIELD = re.compile(
    rb"content-disposition[ \t]*:(?:[^\r\n]|\r?\n[ \t]){0,500}?(?:[; \t]|\r?\n[ \t]+)name(?P<coded>\*?)\s{0,9}=\s{0,9}"
    rb'(?:"(?P<quoted>(?:[^"\\\r\n]|\\.){0,200})"|(?P<bare>[^\s;]{1,200}))'
    rb"(?:[^\r\n]{0,1000}(?:\r?\n[^\r\n]{1,1000}){0,20}?\r?\n\r?\n(?P<value>.*?)(?=\r?\n--|\Z))?",
    re.IGNORECASE | re.DOTALL,
)


class BodyRefused(ValueError):
    """A body asks for another method than the request's, or may do so. The text says how."""


def may_hold_method(content_type: str | None) -> bool:
    """Whether a body of this type may ask for another method; None is no type, which some servers take for a form."""
    return _kind_of(content_type) != "other"


def check_body_method(
    content_type: str | None,
    beginning: bytes,
    *,
    is_whole: bool,
    is_coded: bool,
    method: str,
    further: Collection[str] = (),
) -> None:
    """Raise ``BodyRefused`` where a body asks for another method than ``method``.

    ``further`` are names of fields by which this provider takes one, or whole requests: with them a body has to be
    there whole, to be looked at. ``is_coded``: a content coding hides it.
    """
    kind = _kind_of(content_type)
    if is_coded and kind != "json":
        raise BodyRefused("A form with a content coding cannot be looked into: send it plain.")
    if further and (is_coded or not is_whole):
        raise BodyRefused(
            f"This provider takes another method in a body, and of this one only {len(beginning)} bytes can be looked"
            " into: send a smaller one without a coding, or have PUT, PATCH and DELETE allowed as well."
        )
    if is_coded:
        return
    names = _NAMES | {name.lower() for name in further}
    for name, value in _fields(kind, beginning, is_whole=is_whole, is_strict=bool(further)):
        plain = name.strip().lower().partition("[")[0]
        if plain in names and value.strip().upper() != method:
            raise BodyRefused(f"The field {plain!r} asks for another method than the request's.")


def _kind_of(content_type: str | None) -> str:
    name = (content_type or "").partition(";")[0].strip().lower()
    if name in ("", _FORM):
        return "form"
    if name.startswith("multipart/"):
        return "multipart"
    return "json" if name == "application/json" or name.endswith("+json") else "other"


def _fields(kind: str, beginning: bytes, *, is_whole: bool, is_strict: bool) -> Iterable[tuple[str, str]]:
    if kind == "multipart":
        return _of_multipart(beginning)
    if kind == "form":
        parts = (part.partition("=") for part in re.split("[&;]", beginning.decode("utf-8", "replace")))
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]
    return _of_json(beginning, is_strict=is_strict) if is_whole else ()


def _of_multipart(beginning: bytes) -> Iterator[tuple[str, str]]:
    for found in _FIELD.finditer(beginning):
        name = found["bare"] if found["quoted"] is None else re.sub(rb"\\(.)", rb"\1", found["quoted"])
        if found["coded"]:
            name = name.rpartition(b"'")[2]
        yield unquote_to_bytes(name).decode("utf-8", "replace"), (found["value"] or b"").decode("utf-8", "replace")


def _of_json(content: bytes, *, is_strict: bool) -> Iterable[tuple[str, str]]:
    """Return the members of the outermost object, also those of a name that comes twice."""
    try:
        document = json.loads(content, object_pairs_hook=list)
    except (ValueError, RecursionError):
        if is_strict and content.strip():
            raise BodyRefused("This provider takes another method in a body, and this one is no JSON.") from None
        return ()
    if not isinstance(document, list):
        return ()
    pairs = [item for item in document if isinstance(item, tuple)]
    return [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in pairs]
