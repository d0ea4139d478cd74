"""Templates of catalogue entries: ``{name}`` stands for a value, and nothing else is special.

Which names a template may use is checked when the entry is loaded (``providers.catalog.loader``).
"""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,40})\}")


def names(template: str) -> frozenset[str]:
    """Return the names that ``template`` uses. Raises ``ValueError`` when a brace belongs to no placeholder."""
    if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        raise ValueError(f"{template!r}: write placeholders as {{name}}, lower case, and no other braces")
    return frozenset(_PLACEHOLDER.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return ``template`` with what ``values`` knows filled in, once: braces inside a value stay as they are.

    Placeholders without a value are left standing, for a later filling that knows more.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
