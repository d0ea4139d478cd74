"""Templates of catalogue entries.

``{name}`` stands for a value, ``{base64:…}`` for the Base64 of what stands in it, and outside of that ``{{`` and ``}}``
for a brace: ``Basic {base64:{email}/token:{token}}``. In a text that is written ``loosely``, a query of GraphQL for
instance, every brace that belongs to no placeholder stands for itself, unless ``{{`` occurs in it.

Which names a template may use is checked when the entry is loaded (``providers.catalog.loader``).
"""

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from providers.errors import Evidence, MisconfiguredProvider

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,40})\}")
_BASE64 = "{base64:"


@dataclass(frozen=True, slots=True)
class _Part:
    """Text as it stands, a name, or what is to be encoded."""

    text: str = ""
    name: str = ""
    encoded: tuple["_Part", ...] | None = None


def names(template: str, *, loosely: bool = False) -> frozenset[str]:
    """Return the names that ``template`` uses. Raises ``ValueError`` when a brace belongs to no placeholder."""
    return frozenset(_names(_parts(template, loosely=loosely)))


def lacking(templates: Iterable[str], values: Collection[str]) -> str:
    """Return the names that ``templates`` use and ``values`` lacks, for people; "" where there are all."""
    return ", ".join(sorted({name for template in templates for name in names(template) if name not in values}))


def check_values(templates: Iterable[str], values: Collection[str], *, needed: str) -> None:
    """Raise ``MisconfiguredProvider`` naming what ``templates`` use and a credential's ``values`` lack.

    ``needed`` says by whom it is: "revocation needs".
    """
    if missing := lacking(templates, values):
        raise MisconfiguredProvider(Evidence(f"The credential lacks {missing}, which {needed}.", sent=False))


def is_plain(template: str) -> bool:
    """Whether ``template`` has nothing but placeholders, as addresses must. Raises ``ValueError`` likewise."""
    parts = _parts(template)
    return "{{" not in template and "}}" not in template and all(part.encoded is None for part in parts)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return ``template``, a plain one, with what ``values`` knows filled in, once: braces in a value stay as they are.

    Placeholders without a value are left standing, for a later filling that knows more.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def render(template: str, values: Mapping[str, str], *, loosely: bool = False) -> str:
    """Return what ``template`` stands for. Values are filled in once: braces in them stay as they are.

    Names without a value are left standing. Raises ``ValueError`` as ``names`` does.
    """
    return "".join(_written(part, values) for part in _parts(template, loosely=loosely))


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


def _parts(template: str, *, loosely: bool = False) -> tuple[_Part, ...]:
    parts, at = _read(template, 0, is_inside=False, loosely=loosely and "{{" not in template)
    if at < len(template):
        raise _stray(template)
    return parts


def _read(template: str, at: int, *, is_inside: bool, loosely: bool) -> tuple[tuple[_Part, ...], int]:
    """Return the parts from ``at`` on, and where they end: at the end, or behind the brace that closes them."""
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
