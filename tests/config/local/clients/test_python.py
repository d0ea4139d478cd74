"""The Python that comes of a document."""

import ast
from copy import deepcopy

import pytest

from config.local.clients.python import python_module
from config.local.clients.reading import read
from tests.config.local.clients.test_reading import DOCUMENT


def test_it_is_python_with_everything_in_it() -> None:
    text = python_module(read(DOCUMENT))
    names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    assert {"Thing", "ThingIn", "ThingPage", "GonePlace", "Operations", "list_things", "iter_things", "proxy"} <= names
    assert 'Kind = Literal["a", "b"]' in text.replace("'", '"')
    assert "key: str | None = field(default=None, repr=False)" in text


def test_two_things_of_one_name_are_refused() -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Thing"] = {"properties": {}}
    document["components"]["schemas"]["ThingOut"]["properties"]["other"] = {"$ref": "#/components/schemas/Thing"}
    with pytest.raises(ValueError, match="Two things are called Thing"):
        python_module(read(document))


def test_a_text_cannot_leave_its_docstring() -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/things"]["get"]["description"] = 'a """ and \\ and ends with "'
    assert ast.parse(python_module(read(document)))


def test_a_member_that_is_no_name_is_refused() -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["ThingIn"]["properties"]["class"] = {"type": "string"}
    with pytest.raises(ValueError, match="'class'"):
        python_module(read(document))
