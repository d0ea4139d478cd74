"""The OpenAPI document: whole, without a key, and true to what the API does."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.asgi_client import AsgiClient
from tests.connections.api.operations import DOCUMENT, documented


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
    holders = [name for name, schema in DOCUMENT["components"]["schemas"].items() if "credential" in name.lower()]
    assert holders == ["CredentialOut"]
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
