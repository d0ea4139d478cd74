"""What is read from a document: types, shapes, pages, secrets, problems."""

from copy import deepcopy
from typing import Any

import pytest

from config.local.clients.reading import read
from config.local.clients.types import Choice, Either, ListOf, MapOf, Plain, Ref, type_of

_KEY = {"type": "string", "x-secret": True, "description": "the\n  key"}
DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Kind": {"type": "string", "enum": ["a", "b"], "description": "Of which kind."},
            "ThingOut": {
                "description": "A thing.",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "key": _KEY,
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/ThingOut"}},
                },
                "required": ["id", "kind"],
            },
            "ThingPage": {
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/ThingOut"}},
                    "next": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["items", "next"],
            },
            "ThingIn": {"properties": {"kind": {"$ref": "#/components/schemas/Kind"}}, "required": ["kind"]},
            "GonePlaceProblem": {
                "title": "GonePlaceProblem",
                "description": "It is gone.",
                "properties": {"code": {"const": "gone_place"}, "where": {"type": "string"}},
                "required": ["code"],
            },
            "Problem": {"oneOf": [{"$ref": "#/components/schemas/GonePlaceProblem"}]},
        }
    },
    "paths": {
        "/things": {
            "get": {
                "operationId": "list_things",
                "summary": "List things",
                "parameters": [
                    {"name": "cursor", "in": "query", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingPage"}}}}
                },
            },
            "post": {
                "operationId": "create_thing",
                "summary": "Make a thing",
                "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingIn"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingOut"}}}}
                },
            },
        },
        "/things/{thing_id}/proxy/{path}": {
            "get": {
                "operationId": "proxy_get",
                "summary": "Call",
                "parameters": [{"name": "Latchkey-End-User", "in": "header", "schema": {"type": "string"}}],
                "responses": {"200": {}},
            }
        },
    },
}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "format": "uuid"}, Plain("string")),
        ({"type": "string", "format": "date-time"}, Plain("datetime")),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, Either((Plain("integer"), Plain("null")))),
        ({"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 3}]}, Plain("string")),
        ({"type": ["string", "null"]}, Either((Plain("string"), Plain("null")))),
        ({"const": 3}, Choice((3,))),
        ({"type": "string", "enum": ["a"]}, Choice(("a",))),
        ({"type": "object", "additionalProperties": {"type": "string"}}, MapOf(Plain("string"))),
        ({"type": "object"}, MapOf(Plain("any"))),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Kind"}}, ListOf(Ref("Kind"))),
        ({"allOf": [{"$ref": "#/components/schemas/Kind"}]}, Ref("Kind")),
        ({}, Plain("any")),
    ],
)
def test_a_schema_becomes_a_type(schema: dict[str, Any], expected: object) -> None:
    assert type_of(schema) == expected


def test_what_no_client_can_express_is_refused() -> None:
    with pytest.raises(ValueError, match="No client can express"):
        type_of({"type": "file"})


def test_an_operation_knows_its_page_its_key_and_its_body() -> None:
    api = read(DOCUMENT)
    create, listed = api.operations
    assert (create.name, create.body, create.takes_key, create.may_repeat) == (
        "create_thing",
        Ref("ThingIn"),
        True,
        False,
    )
    assert (listed.item, listed.may_repeat) == (Ref("ThingOut"), True)
    assert listed.parameters[0].type == Plain("string")
    assert [one.word for one in api.proxy.of("header")] == ["end_user"]


def test_an_operation_takes_no_name_that_a_client_has_by_hand() -> None:
    document = deepcopy(DOCUMENT)
    document["paths"]["/things"]["post"]["operationId"] = "close"
    with pytest.raises(ValueError, match="by hand"):
        read(document)


def test_shapes_are_told_apart_by_who_sends_them() -> None:
    api = read(DOCUMENT)
    assert api.sent == {"ThingIn", "Kind"}
    assert api.received == {"ThingPage", "ThingOut", "Kind"}
    assert api.choices == {"Kind": ("Of which kind.", Choice(("a", "b")))}


def test_secrets_are_found_wherever_they_are() -> None:
    api = read(DOCUMENT)
    assert api.secrets_in(Ref("ThingPage")) == [("items", "*", "key")]
    assert api.shapes["ThingOut"].members[2].meaning == "the key"


def test_a_problem_has_its_further_members() -> None:
    (problem,) = read(DOCUMENT).problems
    assert (problem.code, problem.name, problem.meaning) == ("gone_place", "GonePlace", "It is gone.")
    assert [member.name for member in problem.members] == ["where"]


def test_a_body_that_stands_in_the_operation_is_known_by_its_title() -> None:
    document = deepcopy(DOCUMENT)
    form = {"title": "FormIn", "properties": {"grant": {"type": "string"}}, "required": ["grant"]}
    document["paths"]["/things"]["post"]["requestBody"]["content"] = {
        "application/x-www-form-urlencoded": {"schema": form}
    }
    create = read(document).operations[0]
    assert (create.body, create.is_form) == (Ref("FormIn"), True)
    assert "FormIn" in read(document).shapes
