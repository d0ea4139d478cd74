import copy
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from providers.catalog.entry_schema import entry_schema, undescribed
from providers.catalog.loader import catalog_files
from providers.catalog.schema import CatalogEntry

LEAST = {"name": "Acme", "bearer_token": {}}


@cache
def built_in() -> dict[str, dict[str, Any]]:
    return {slug: tomllib.loads(path.read_text(encoding="utf-8")) for slug, path in catalog_files().items()}


@pytest.fixture(scope="module")
def editor() -> jsonschema.Draft7Validator:
    """What an editor does with the schema."""
    schema = entry_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def is_shaped(document: Any) -> bool:
    """Whether the loader takes the shape of a document."""
    try:
        CatalogEntry.model_validate({"slug": "acme"} | document)
    except ValidationError:
        return False
    return True


def places(part: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every key and every item of a document."""
    steps = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for step, value in steps:
        yield (*way, step)
        yield from places(value, (*way, step))


def changed(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value at the end of ``way``."""
    found = copy.deepcopy(document)
    part = found
    for step in way[:-1]:
        part = part[step]
    part[way[-1]] = value
    return found


def test_every_built_in_entry_is_valid(editor: jsonschema.Draft7Validator) -> None:
    wrong = {slug: [error.message for error in editor.iter_errors(document)] for slug, document in built_in().items()}
    assert {slug: messages for slug, messages in wrong.items() if messages} == {}


@pytest.mark.parametrize("slug", ["sandbox", "slack", "jira-cloud"])
def test_it_accepts_and_refuses_what_the_loader_does_wherever_a_mistake_is_made(
    editor: jsonschema.Draft7Validator, slug: str
) -> None:
    document, refused = built_in()[slug], 0
    for way in places(document):
        *before, last = way
        tries = [changed(document, way, value) for value in ([[1]], {"mistyped": [2]}, "mistyped", "")]
        if isinstance(last, str):
            tries.append(changed(document, (*before, f"{last}_mistyped"), "x"))
        for tried in tries:
            assert editor.is_valid(tried) == is_shaped(tried), way
            refused += not is_shaped(tried)
    assert refused > 50


@pytest.mark.parametrize(
    "document",
    [
        {"name": "Acme"},
        {"bearer_token": {}},
        {**LEAST, "schema_version": 2},
        {**LEAST, "presentation": {"smoke_signals": {}}},
        {**LEAST, "authorization_code": {"pkce": "plain"}},
    ],
)
def test_it_refuses_an_entry(editor: jsonschema.Draft7Validator, document: dict[str, Any]) -> None:
    assert editor.is_valid(LEAST)
    assert not editor.is_valid(document)


def test_every_key_is_described_and_none_that_is_not_there() -> None:
    assert list(undescribed()) == []


def test_a_description_is_a_sentence_and_its_examples_fit() -> None:
    schema = entry_schema()
    described = {"entry": schema, **schema["$defs"]}
    for name, shape in described.items():
        for key, said in shape.get("properties", {}).items():
            assert said["description"].endswith((".", ")", "on")), (name, key)
            for example in said.get("examples", []):
                alone = {"$defs": schema["$defs"], **said}
                assert jsonschema.Draft7Validator(alone).is_valid(example), (name, key, example)


def test_closed_choices_are_enumerated() -> None:
    parts = entry_schema()["$defs"]
    assert parts["Pkce"]["enum"] == ["S256", "breaks"]
    assert "grant_rejected" in parts["Meaning"]["enum"]
    assert parts["Expiry"]["properties"]["format"]["enum"][0] == "seconds"
