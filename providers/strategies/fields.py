"""Checks the fields that the end user typed, before any use or storage. No I/O."""

import re
from collections.abc import Mapping

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.errors import FieldInvalid


def checked_fields(target: Target, typed: Mapping[str, str]) -> dict[str, SecretStr]:
    """Return the values of the entry's fields for the target's style, without white space from pasting around them.

    ``typed`` may also hold the entry's parameters; these are left out. Raises ``FieldInvalid`` naming the field that is
    missing, unknown, or not in the form that the entry requires; its text shows no value.
    """
    expected = {item.name: item for item in target.entry.fields_of(target.style)}
    for name in typed.keys() - expected.keys() - {param.name for param in target.entry.params}:
        raise FieldInvalid(name, f"{target.entry.name} has no field of this name.")
    checked: dict[str, SecretStr] = {}
    for name, item in expected.items():
        value = typed.get(name, "").strip().replace("\r\n", "\n")
        if not value and item.optional:
            continue
        if not value:
            raise FieldInvalid(name, f"{item.label} is required.")
        # Beyond the pattern: a line break or a letter that HTTP headers cannot carry is a slip of the clipboard.
        lines = value.split("\n") if item.multiline else [value]
        is_plain = value.isascii() and all(line.isprintable() for line in lines)
        if not is_plain or not re.fullmatch(item.pattern, value):
            raise FieldInvalid(name, f"{item.label} does not have the expected form.")
        checked[name] = SecretStr(value)
    return checked
