"""Templates of catalogue entries.

``{name}`` stands for a value, and ``{base64:…}`` for the Base64 of its content, as in
``Basic {base64:{email}/token:{token}}``. Outside of Base64, ``{{`` and ``}}`` stand for a brace. In a text that is
written ``loosely``, such as a GraphQL query, every brace that belongs to no placeholder stands for itself, unless
``{{`` occurs in the text.

The loader checks which names a template may use (``providers.catalog.loader``).
"""

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from providers.errors import Evidence, MisconfiguredProvider

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,40})\}")
_BASE64 = "{base64:"


@dataclass(frozen=True, slots=True)
class _Part:
    """Literal text, a name, or a part to be encoded."""

    text: str = ""
    name: str = ""
    encoded: tuple["_Part", ...] | None = None


def names(template: str, *, loosely: bool = False) -> frozenset[str]:
    """Return the names that ``template`` uses. Raises ``ValueError`` when a brace belongs to no placeholder."""
    return frozenset(_names(_parts(template, loosely=loosely)))


def uses(template: str, name: str) -> bool:
    """Return whether ``template`` names ``name``. False for one that is malformed: its own check reports that."""
    try:
        return name in names(template)
    except ValueError:
        return False


def lacking(templates: Iterable[str], values: Collection[str]) -> str:
    """Return the names that ``templates`` use and ``values`` lacks, as a text for people; "" if none is missing."""
    return ", ".join(sorted({name for template in templates for name in names(template) if name not in values}))


def check_values(templates: Iterable[str], values: Collection[str], *, needed: str) -> None:
    """Raise ``MisconfiguredProvider`` with the names that ``templates`` use and a credential's ``values`` lack.

    ``needed`` begins its sentence: "revocation needs".
    """
    if missing := lacking(templates, values):
        raise MisconfiguredProvider(Evidence(f"The credential lacks {missing}, which {needed}.", sent=False))


def is_plain(template: str) -> bool:
    """Whether ``template`` has nothing but placeholders, as addresses must. Raises ``ValueError`` likewise."""
    parts = _parts(template)
    return "{{" not in template and "}}" not in template and all(part.encoded is None for part in parts)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the plain ``template`` with ``values`` filled in, once: braces in a value stay as they are.

    Placeholders without a value stay, so that a later call with more values can fill them in.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def render(template: str, values: Mapping[str, str], *, loosely: bool = False) -> str:
    """Return the text that ``template`` stands for. Values are filled in once: braces in them stay as they are.

    Placeholders without a value stay. Raises ``ValueError`` as ``names`` does.
    """
    return "".join(_written(part, values) for part in _parts(template, loosely=loosely))


def texts_of(value: JsonValue) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


def _written(part: _Part, values: Mapping[str, str]) -> str:
    if part.encoded is not None:
        text = "".join(_written(inner, values) for inner in part.encoded)
        return base64.b64encode(text.encode()).decode()
    return values.get(part.name, f"{{{part.name}}}") if part.name else part.text


def _names(parts: tuple[_Part, ...]) -> Iterator[str]:
    for part in parts:
        if part.name:
            yield part.name
        yield from _names(part.encoded or ())


@lru_cache(maxsize=1024)
def _parts(template: str, *, loosely: bool = False) -> tuple[_Part, ...]:
    parts, at = _read(template, 0, is_inside=False, loosely=loosely and "{{" not in template)
    if at < len(template):
        raise _stray(template)
    return parts


def _read(template: str, at: int, *, is_inside: bool, loosely: bool) -> tuple[tuple[_Part, ...], int]:
    """Return the parts from ``at`` on, and the position behind them: the end, or after the closing brace."""
    parts: list[_Part] = []
    while at < len(template):
        if template.startswith(_BASE64, at) and not is_inside:
            encoded, at = _read(template, at + len(_BASE64), is_inside=True, loosely=False)
            parts.append(_Part(encoded=encoded))
        elif found := _PLACEHOLDER.match(template, at):
            parts.append(_Part(name=found[1]))
            at = found.end()
        elif is_inside and template[at] == "}":
            return tuple(parts), at + 1
        elif not (loosely or is_inside) and template.startswith(("{{", "}}"), at):
            parts.append(_Part(text=template[at]))
            at += 2
        elif template[at] in "{}" and not loosely:
            raise _stray(template)
        else:
            parts.append(_Part(text=template[at]))
            at += 1
    if is_inside:
        raise _stray(template)
    return tuple(parts), at


def _stray(template: str) -> ValueError:
    return ValueError(
        f"{template!r}: write placeholders as {{name}}, lower case, or {{base64:…}}, and every other brace double: "
        "{{ for one that opens, }} for one that closes"
    )
