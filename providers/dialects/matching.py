"""Matching what was sent with templates of a fixture: addresses, and the values of headers."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote

_NAME = re.compile(r"\{([A-Za-z][\w-]*)\}")
_CODED = re.compile(r"(\w+) base64\((.*)\)")


def names_in(template: str) -> list[str]:
    """Return the placeholders of ``template``, in their order."""
    return _NAME.findall(template)


def values_in(
    template: str, text: str, known: Mapping[str, str], *, at_start: bool = False, is_address: bool = False
) -> dict[str, str] | None:
    """Return the values of the placeholders of ``template`` in ``text``, or None if it does not match.

    A placeholder of ``known`` stands for that value alone. With ``at_start`` something may follow in ``text``.
    ``is_address``: both are addresses.
    """
    if wanted := _CODED.fullmatch(template):
        scheme, _, coded = text.partition(" ")
        try:
            decoded = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return values_in(wanted[2], decoded, known) if scheme == wanted[1] else None
    pattern, at = "", 0
    grouped: dict[str, str] = {}
    host_ends = 0
    if is_address:
        host_ends = template.find("/", len("https://"))
        host_ends = len(template) if host_ends < 0 else host_ends
    for found in _NAME.finditer(template):
        pattern += _literal(template[at : found.start()], at, host_ends)
        at, name = found.end(), found[1]
        if name in known:
            value = re.escape(known[name])
            pattern += f"(?i:{value})" if found.start() < host_ends else value
        elif name in grouped:
            pattern += f"(?P={grouped[name]})"
        else:
            grouped[name] = f"g{len(grouped)}"
            is_origin = is_address and found.start() == 0
            some = "https://[^?#]+?" if is_origin else "[^/?#]+?" if is_address else ".+?"
            pattern += f"(?P<{grouped[name]}>{some})"
    pattern += _literal(template[at:], at, host_ends) + ("" if at_start else r"\Z")
    matched = re.match(pattern, text, re.DOTALL)
    return None if matched is None else {name: unquote(matched[group]) for name, group in grouped.items()}


def _literal(text: str, at: int, host_ends: int) -> str:
    """Return the pattern of ``text``, whose case does not matter within the host (RFC 9110 §4.2.3)."""
    within = max(0, host_ends - at)
    return f"(?i:{re.escape(text[:within])}){re.escape(text[within:])}"


def address_values(
    template: str, url: str, known: Mapping[str, str], others: Mapping[str, str]
) -> dict[str, str] | None:
    """Return the values of the placeholders in an address with its query, or None if ``url`` is another address.

    ``others`` are templates of parameters that the query has besides.
    """
    path, _, query = template.partition("?")
    sent_path, _, sent_query = url.partition("?")
    if path.startswith("https://") and path.count("/") == 2:
        path += "/"  # an empty path is written so (RFC 9112 §3.2.1)
    found = values_in(path, sent_path, known, is_address=True)
    if found is None:
        return None
    sent = dict(parse_qsl(sent_query, keep_blank_values=True))
    wanted = {**dict(parse_qsl(query, keep_blank_values=True)), **others}
    if sent.keys() != wanted.keys():
        return None
    for name, value in wanted.items():
        if name in others:
            continue
        inner = values_in(value, sent[name], {**known, **found})
        if inner is None:
            return None
        found |= inner
    return found


def is_carried(templates: Mapping[str, str], sent: Mapping[str, str], accepts: Callable[[str, str], bool]) -> str:
    """Return "" if ``sent`` holds each of ``templates`` with values that are accepted, else what is wrong.

    A template may say several ways, with | between them.
    """
    for name, template in templates.items():
        value = sent.get(name)
        ways = [values_in(way, value, {}) for way in template.split("|")] if value is not None else []
        found = [way for way in ways if way is not None]
        if not found:
            return f"{name} is not {template}"
        if not any(all(accepts(placeholder, given) for placeholder, given in way.items()) for way in found):
            return f"{name}: one of {', '.join(found[0])} is not accepted"
    return ""
