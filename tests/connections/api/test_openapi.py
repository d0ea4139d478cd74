"""The OpenAPI document: whole, without a key, and true to what the API does."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema

from connections import refusals
from connections.api.problem_shapes import MEANINGS, name_of
from connections.api.problems import STATUS_OF
from connections.refusals import Refusal
from tests.asgi_client import AsgiClient
from tests.connections.api.operations import DOCUMENT, documented

# Refusals that no call of the API ends with: bundles are imported by an operator's command.
_BY_COMMAND_ALONE = {"bundle_refused"}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_is_served_without_a_key(db: None) -> None:
    answer = AsgiClient().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    served = json.loads(answer.content)
    assert served["openapi"].startswith("3.1")
    assert {f"/api/v1{path}" for path in DOCUMENT["paths"]} == set(served["paths"])


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        node: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert isinstance(node, dict)


def test_every_operation_is_named_once_and_says_what_it_does() -> None:
    operations = [operation for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(documented())
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["tags"]
            assert operation["security"], f"{operation['operationId']} needs no key"
            declared = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))
            assert any(status.startswith("2") for status in map(str, operation["responses"]))


def test_only_the_vends_answer_has_a_place_for_a_secret() -> None:
    names = [name for name in DOCUMENT["components"]["schemas"] if not name.endswith("Problem")]
    assert [name for name in names if "credential" in name.lower()] == ["CredentialOut"]
    users = {
        f"{method.upper()} {path}"
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if "VendOut" in json.dumps(operation["responses"])
    }
    assert users == {"POST /connections/{connection_id}/credential", "POST /credentials"}


def test_bodies_refuse_what_they_do_not_know() -> None:
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, schema in content.items():
                if kind == "application/x-www-form-urlencoded":
                    continue  # RFC 6749 §3.2: what is not known is ignored
                name = schema["schema"]["$ref"].rpartition("/")[2]
                assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False, name


def test_every_problem_is_described_with_its_status() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    described = {schemas[name_of(code)]["properties"]["code"]["const"] for code in MEANINGS}
    assert described == {*STATUS_OF, "internal_error"}
    assert set(schemas["Problem"]["discriminator"]["mapping"]) == described


def test_every_refusal_has_a_problem_of_its_own() -> None:
    codes = {kind.code for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    assert codes - {Refusal.code} - _BY_COMMAND_ALONE <= set(MEANINGS)


def test_an_operation_tells_with_which_problems_it_is_refused() -> None:
    for path, item in DOCUMENT["paths"].items():
        for operation in item.values():
            if path == "/oauth/token":
                continue  # RFC 6749 has errors of its own
            answers = operation["responses"]
            assert "application/problem+json" in answers["401"]["content"], path
            assert "Problem" in json.dumps(answers["default"])
    vend = DOCUMENT["paths"]["/credentials"]["post"]["responses"]
    assert "ReauthorizationRequiredProblem" in json.dumps(vend["409"])
    assert "Retry-After" in vend["503"]["headers"]
    assert "ApprovalRequiredProblem" in json.dumps(vend["202"])


def test_operations_are_called_by_short_names_and_their_tags_are_described() -> None:
    names = [operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)
    used = {tag for item in DOCUMENT["paths"].values() for operation in item.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    assert all(tag["description"] for tag in DOCUMENT["tags"])


def test_what_must_not_be_shown_is_marked() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    marked = {
        f"{name}.{member}"
        for name, schema in schemas.items()
        for member, said in schema.get("properties", {}).items()
        if said.get("x-secret")
    }
    assert {"CredentialOut.value", "CredentialOut.headers", "ConnectSessionOut.token"} <= marked
    assert "ConnectionOut.connect_url" not in marked


def test_examples_are_valid() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    given = {name: schema["examples"] for name, schema in schemas.items() if "examples" in schema}
    assert {"ConnectSessionIn", "VendIn", "VendByOwnerIn", "AccessGrantIn"} <= given.keys()
    for name, examples in given.items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
        for example in examples:
            jsonschema.Draft202012Validator(whole).validate(example)


def test_every_member_and_every_parameter_says_what_it_is() -> None:
    silent = [
        f"{name}.{member}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for member, said in schema.get("properties", {}).items()
        if not said.get("description")
    ]
    silent += [
        f"{operation['operationId']}: {parameter['name']}"
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]
    assert silent == [], "describe it in its Field, or in connections/api/glossary.py"
