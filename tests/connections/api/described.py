"""Calls made from the OpenAPI document alone, so that an operation which is new there is called without a line here."""

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpResponse

from tests.connections.api.operations import DOCUMENT
from tests.factories import Caller
from tests.flows import call, post_form

TENANT_HEADER = "Latchkey-Tenant"
_FORM = "application/x-www-form-urlencoded"
# What members of these names take. All others are filled by their schemas.
_BY_NAME: dict[str, Any] = {
    "provider": "sandbox",
    "return_url": "https://app.globex.example/connected",
}


@dataclass(frozen=True)
class Described:
    """One operation as the document describes it."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def told(self) -> dict[str, Any]:
        """What the document says of it."""
        found: dict[str, Any] = DOCUMENT["paths"][self.path][self.method.lower()]
        return found

    @property
    def places(self) -> list[str]:
        """What its path names, each with the collection that it is in: ``connections/{connection_id}``."""
        return re.findall(r"[^/]+/\{\w+\}", self.path)

    @property
    def tenant_is_named_in(self) -> str:
        """Where a call names its tenant: "query", "header", "body", or nowhere: ""."""
        for parameter in self.told.get("parameters", ()):
            if parameter["name"] in ("tenant", TENANT_HEADER):
                return str(parameter["in"])
        return "body" if "tenant" in self.members else ""

    @property
    def members(self) -> dict[str, Any]:
        """The schemas of its body's members, by name."""
        return dict(resolved(self._body_schema).get("properties", {}))

    @property
    def is_form(self) -> bool:
        """Whether its body is a form."""
        return _FORM in self.told.get("requestBody", {}).get("content", {})

    @property
    def _body_schema(self) -> dict[str, Any]:
        for kind in self.told.get("requestBody", {}).get("content", {}).values():
            return dict(kind["schema"])
        return {}

    def identifiers(self) -> Iterator[tuple[str, str]]:
        """Yield each parameter of the query and member of the body that takes an identifier: where, and its name."""
        for parameter in self.told.get("parameters", ()):
            if parameter["in"] == "query" and takes_identifier(parameter["schema"]):
                yield "query", parameter["name"]
        for name, schema in self.members.items():
            if takes_identifier(schema):
                yield "body", name

    def call(
        self,
        caller: Caller | None,
        named: Mapping[str, str],
        *,
        tenant: str | None = None,
        query: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """Call it. ``named`` has the value of each of its ``places``; ``members`` go into the body beside the rest."""
        path = self.path
        for place in self.places:
            collection, _ = place.split("/")
            path = path.replace(place, f"{collection}/{quote(named[place], safe='/')}")
        queried, sent, where = dict(query or {}), dict(headers or {}), self.tenant_is_named_in
        body = {**sample(self._body_schema), **(members or {})} if self._body_schema else None
        if tenant is not None and where == "query":
            queried["tenant"] = tenant
        elif tenant is not None and where == "header":
            sent[TENANT_HEADER] = tenant
        elif tenant is not None and where == "body" and body is not None:
            body["tenant"] = tenant
        if queried:
            path = f"{path}?{urlencode(queried)}"
        if self.is_form:
            return post_form(caller, path, body or {})
        return call(caller, self.method, path, body, headers=sent)


DESCRIBED = [Described(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item]


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema in place of a reference to it."""
    if "$ref" not in schema:
        return dict(schema)
    return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])


@cache
def _unknown_id() -> str:
    return str(uuid.UUID(int=7))


def takes_identifier(schema: Mapping[str, Any]) -> bool:
    """Whether a value of this schema may be the id of something."""
    schema = resolved(schema)
    return schema.get("format") == "uuid" or any(takes_identifier(one) for one in schema.get("anyOf", ()))


def sample(schema: Mapping[str, Any], name: str = "") -> Any:
    """Return a value of this schema with no more than it requires.

    Raises ``AssertionError`` for a pattern or a kind of value that is not known: give the schema an example.
    """
    schema = resolved(schema)
    for known in ("examples", "enum"):
        if schema.get(known):
            return schema[known][0]
    if "const" in schema or "default" in schema or name in _BY_NAME:
        return schema.get("const", schema.get("default", _BY_NAME.get(name)))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return sample(options[0], name)
    match schema.get("type"), schema.get("format"):
        case "string", "uuid":
            return _unknown_id()
        case "string", "date-time":
            return "2099-01-01T00:00:00Z"
        case "string", _ if "pattern" not in schema:
            return "x" * max(1, schema.get("minLength", 16 if schema.get("format") == "password" else 1))
        case (("integer" | "number"), _):
            return schema.get("minimum", 1)
        case "boolean", _:
            return False
        case "array", _:
            return [sample(schema["items"])] * schema.get("minItems", 0)
        case "object", _:
            members = schema.get("properties", {})
            return {required: sample(members[required], required) for required in schema.get("required", ())}
    raise AssertionError(f"No value is known for {name or 'this'}: give its schema an example. {schema}")
