"""The fields of the widget: what an end user types for one style of an entry, for the widget and for its preview."""

from collections.abc import Container, Mapping
from typing import Any

from providers.catalog.loader import form_schema
from providers.catalog.schema import CatalogEntry


def asked_fields(
    entry: CatalogEntry,
    style: str,
    *,
    typed: Mapping[str, str] | None = None,
    fixed: Container[str] = (),
    wrong: str = "",
) -> list[dict[str, Any]]:
    """Return what ``connect/fields.html`` needs of each field: its words, and the value to show again. No I/O.

    ``typed`` is what was typed before; a secret is never shown again. ``fixed`` are the names that nobody types, and
    ``wrong`` is the field that has to be mended.
    """
    properties: dict[str, dict[str, Any]] = form_schema(entry, style)["properties"]
    optional = {field.name for field in entry.fields_of(style) if field.optional}
    return [
        {
            "name": name,
            "label": schema["title"],
            "help": schema.get("description", ""),
            "is_secret": schema.get("writeOnly", False),
            "is_multiline": schema.get("multiline", False),
            "is_required": name not in optional,
            "example": next(iter(schema.get("examples", [])), ""),
            "value": "" if schema.get("writeOnly") else (typed or {}).get(name, schema.get("default", "")),
            "is_wrong": name == wrong,
        }
        for name, schema in properties.items()
        if name not in fixed
    ]
