"""The JSON Schema of an entry's file, for editors: completion, what a key means, and what is wrong with a value.

Made from the shapes that the loader validates with, and from ``descriptions``. What must agree across keys
(``providers.catalog.checks``) no schema can say: ``manage.py providers check FILE`` does.
It keeps to what draft-07 knows, because editors of TOML read that.
"""

import json
from collections.abc import Iterator
from typing import Any, cast, get_args

from pydantic.json_schema import GenerateJsonSchema

from providers.catalog.descriptions import Description
from providers.catalog.fields import Shape
from providers.catalog.method_descriptions import DESCRIPTIONS
from providers.catalog.schema import SCHEMA_VERSION, CatalogEntry, sections


def entry_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft-07) of an entry's file. No I/O."""
    schema = cast("dict[str, Any]", _without_null(CatalogEntry.model_json_schema(schema_generator=_Generator)))
    schema["properties"]["presentation"]["propertyNames"] = {"enum": [method.style for method in sections().values()]}
    schema["required"].remove("slug")  # the file's name
    schema["anyOf"] = [{"required": [name]} for name in sections()]
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"urn:latchkey:catalogue-entry:{SCHEMA_VERSION}",
        "title": f"Catalogue entry of Latchkey, version {SCHEMA_VERSION}",
        "description": "One provider: where it is, how to connect to it, and how to use and probe a credential.",
    }
    return head | {name: value for name, value in schema.items() if name not in head}


def entry_schema_text() -> str:
    """Return the text of the schema's file. No I/O."""
    return json.dumps(entry_schema(), indent=2, ensure_ascii=False) + "\n"


def undescribed() -> Iterator[str]:
    """Yield each key of an entry that has no description, and each description of a key that is not there. No I/O."""
    for shape in dict.fromkeys(base for found in _shapes_in(CatalogEntry) for base in found.__mro__):
        if issubclass(shape, Shape):
            own = shape.model_fields.keys() & vars(shape).get("__annotations__", {}).keys()
            yield from (f"{shape.__name__}.{name}" for name in sorted(own ^ DESCRIPTIONS.get(shape, {}).keys()))


def _shapes_in(annotation: Any) -> Iterator[type[Shape]]:
    """Yield the shapes of which ``annotation`` is made, and those within them, if need be more than once."""
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _shapes_in(field.annotation)
    for part in get_args(annotation):
        yield from _shapes_in(part)


class _Generator(GenerateJsonSchema):
    """Says of each key what ``DESCRIPTIONS`` has, in place of the docstrings, which are for us."""

    def model_schema(self, schema: Any) -> Any:
        found = super().model_schema(schema)
        found.pop("description", None)
        shape = schema["cls"]
        for name, said in found.get("properties", {}).items():
            said.pop("title", None)
            described = _description(shape, name)
            if "$ref" in said:  # draft-07 ignores what stands beside a reference
                said["allOf"] = [{"$ref": said.pop("$ref")}]
            said["description"] = described.text
            if described.examples:
                said["examples"] = list(described.examples)
        return found

    def enum_schema(self, schema: Any) -> Any:
        found = super().enum_schema(schema)
        found.pop("description", None)
        return found


def _description(shape: type[Shape], name: str) -> Description:
    for base in shape.__mro__:
        if (found := DESCRIPTIONS.get(base, {}).get(name)) is not None:
            return found
    raise LookupError(f"{shape.__name__}.{name} has no description: see providers.catalog.descriptions")


def _without_null(part: Any) -> Any:
    """Return the schema without null, which TOML does not have: a key is left out instead."""
    if isinstance(part, list):
        return [_without_null(item) for item in part]
    if not isinstance(part, dict):
        return part
    kept = {name: _without_null(value) for name, value in part.items() if not (name == "default" and value is None)}
    if isinstance(choices := kept.get("anyOf"), list) and {"type": "null"} in choices:
        choices.remove({"type": "null"})
        if len(choices) == 1:
            del kept["anyOf"]
            (only,) = choices
            kept = {"allOf": [only], **kept} if "$ref" in only else {**only, **kept}
    return kept
