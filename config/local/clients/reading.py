"""From the OpenAPI document to what a client is made of: operations, shapes, choices and problems. No I/O."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.local.clients.types import Either, ListOf, Plain, Ref, Type, named_in, type_of

_METHODS = ("get", "put", "post", "delete", "patch")
_SAFE_TO_REPEAT = ("GET", "PUT", "DELETE")
# POSTs that change nothing that doing them twice could harm.
_VENDS = ("/credential", "/credentials", "/oauth/token")
PROXIED = "{path}"
LINES = "application/x-ndjson"
# What the hand-written halves call their own methods.
_BY_HAND = {"call", "close", "each", "fetch_for", "proxied", "proxy", "vend"}


@dataclass(frozen=True)
class Member:
    """One member of a shape."""

    name: str
    type: Type
    is_required: bool
    meaning: str
    is_secret: bool


@dataclass(frozen=True)
class Shape:
    """An object with known members."""

    name: str
    meaning: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Parameter:
    """A parameter. ``word`` is what callers write: ``end_user`` for ``Latchkey-End-User``."""

    name: str
    place: str
    type: Type
    is_required: bool
    meaning: str

    @property
    def word(self) -> str:
        return self.name.lower().removeprefix("latchkey-").replace("-", "_")


@dataclass(frozen=True)
class Operation:
    """One operation. ``item`` is the type of what its pages hold, None where it has no pages."""

    name: str
    method: str
    path: str
    summary: str
    meaning: str
    parameters: tuple[Parameter, ...]
    body: Ref | None
    is_form: bool
    answer: Type | None
    item: Type | None

    def of(self, place: str) -> list[Parameter]:
        """Return the parameters in "path", "query" or "header"."""
        return [one for one in self.parameters if one.place == place]

    @property
    def may_repeat(self) -> bool:
        """Whether doing it twice does no harm."""
        return self.method in _SAFE_TO_REPEAT or self.path.endswith(_VENDS)

    @property
    def takes_key(self) -> bool:
        """Whether an ``Idempotency-Key`` makes it safe to repeat."""
        return any(one.name == "Idempotency-Key" for one in self.parameters)


@dataclass(frozen=True)
class Problem:
    """A stable code, and the members that its document may have beyond those of every problem."""

    code: str
    name: str
    meaning: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Api:
    """Everything. ``proxy`` is the operation by which any method is proxied; ``sent`` and ``received`` name shapes."""

    operations: tuple[Operation, ...]
    proxy: Operation
    shapes: Mapping[str, Shape]
    choices: Mapping[str, tuple[str, Type]]
    problems: tuple[Problem, ...]
    sent: frozenset[str]
    received: frozenset[str]

    def secrets_in(self, type_: Type | None) -> list[tuple[str, ...]]:
        """Return where secrets are in an answer, each as the members that lead there; "*" is every item of a list."""
        return [] if type_ is None else list(dict.fromkeys(self._secrets(type_, ())))

    def _secrets(self, type_: Type, seen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        match type_:
            case Ref(name) if name in self.shapes and name not in seen:
                for member in self.shapes[name].members:
                    if member.is_secret:
                        yield (member.name,)
                    else:
                        yield from ((member.name, *path) for path in self._secrets(member.type, (*seen, name)))
            case ListOf(item):
                yield from (("*", *path) for path in self._secrets(item, seen))
            case Either(options):
                for option in options:
                    yield from self._secrets(option, seen)


def read(document: Mapping[str, Any]) -> Api:
    """Return what the document describes. Raises ``ValueError`` where it says what no client could express."""
    schemas = dict(document["components"]["schemas"])
    found = [
        _operation(method.upper(), path, item[method], schemas)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item and not _is_stream(item[method]["responses"])
    ]
    if taken := {one.name for one in found} & _BY_HAND:
        raise ValueError(f"The clients have {', '.join(sorted(taken))} by hand: give the operation another name.")
    operations = tuple(sorted((one for one in found if PROXIED not in one.path), key=lambda one: one.name))
    (proxy,) = {one.path: one for one in found if PROXIED in one.path}.values()
    problems = tuple(_problem(schemas[ref.name]) for ref in _problem_refs(schemas))
    shapes = {name: _shape(name, schema) for name, schema in schemas.items() if "properties" in schema}
    choices = {
        name: (_line(schema.get("description", "")), type_of(schema))
        for name, schema in schemas.items()
        if "enum" in schema
    }
    about_problems = [member.type for problem in problems for member in problem.members]
    return Api(
        operations,
        proxy,
        shapes,
        choices,
        problems,
        sent=_reached([one.body for one in operations if one.body], shapes),
        received=_reached([one.answer for one in operations if one.answer] + about_problems, shapes),
    )


def _operation(method: str, path: str, said: Mapping[str, Any], schemas: dict[str, Any]) -> Operation:
    parameters = [
        Parameter(
            name=one["name"],
            place=one["in"],
            type=_without_null(type_of(one["schema"])),
            is_required=bool(one.get("required")),
            meaning=_line(one.get("description", "")),
        )
        for one in said.get("parameters", ())
        if one["name"] != "If-None-Match"  # for caches, which the clients are not
    ]
    order = re.findall(r"\{(\w+)\}", path)
    parameters.sort(key=lambda one: order.index(one.name) if one.place == "path" else len(order))
    bodies: dict[str, Any] = said.get("requestBody", {}).get("content", {})
    kind, content = next(iter(bodies.items()), ("", None))
    answer = _answer(said["responses"])
    return Operation(
        name=said["operationId"],
        method=method,
        path=path,
        summary=_line(said["summary"]),
        meaning=said.get("description", ""),
        parameters=tuple(parameters),
        body=None if content is None else _body(content["schema"], schemas),
        is_form=kind == "application/x-www-form-urlencoded",
        answer=answer,
        item=_item(answer, schemas) if any(one.name == "cursor" for one in parameters) else None,
    )


def _body(schema: Mapping[str, Any], schemas: dict[str, Any]) -> Ref:
    """Return the reference to a body's shape. One that stands in the operation itself is known by its title."""
    if "$ref" not in schema:
        schemas.setdefault(schema["title"], schema)
        return Ref(schema["title"])
    return Ref(str(schema["$ref"]).rpartition("/")[2])


def _is_stream(responses: Mapping[str, Any]) -> bool:
    """Whether success is a stream of lines, which the clients have no method for: it is for collectors of logs."""
    return LINES in responses.get("200", {}).get("content", {})


def _answer(responses: Mapping[str, Any]) -> Type | None:
    """Return the type of what comes with success; problems have a content type of their own, whatever their status."""
    for status, response in sorted(responses.items()):
        if status.startswith("2") and "application/json" in response.get("content", {}):
            return type_of(response["content"]["application/json"]["schema"])
    return None


def _item(answer: Type | None, schemas: Mapping[str, Any]) -> Type | None:
    if isinstance(answer, Ref) and {"items", "next"} <= schemas[answer.name].get("properties", {}).keys():
        items = type_of(schemas[answer.name]["properties"]["items"])
        return items.item if isinstance(items, ListOf) else None
    return None


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    required = set(schema.get("required", ()))
    members = tuple(
        Member(
            name=member,
            type=type_of(said),
            is_required=member in required,
            meaning=_line(said.get("description", "")),
            is_secret=bool(said.get("x-secret")),
        )
        for member, said in schema["properties"].items()
    )
    return Shape(name, schema.get("description", ""), members)


def _problem_refs(schemas: Mapping[str, Any]) -> list[Ref]:
    return [Ref(str(one["$ref"]).rpartition("/")[2]) for one in schemas["Problem"]["oneOf"]]


def _problem(schema: Mapping[str, Any]) -> Problem:
    shape = _shape(schema["title"], schema)
    further = tuple(member for member in shape.members if not member.is_required)
    code = schema["properties"]["code"]["const"]
    return Problem(code, shape.name.removesuffix("Problem"), _line(shape.meaning), further)


def _reached(types: list[Any], shapes: Mapping[str, Shape]) -> frozenset[str]:
    """Return the names of all that the types lead to."""
    reached: set[str] = set()
    left = [name for type_ in types for name in named_in(type_)]
    while left:
        if (name := left.pop()) not in reached:
            reached.add(name)
            if name in shapes:
                left += [inner for member in shapes[name].members for inner in named_in(member.type)]
    return frozenset(reached)


def _without_null(type_: Type) -> Type:
    """Return the type of a parameter that is there: one that is left out is not sent."""
    if isinstance(type_, Either):
        left = tuple(option for option in type_.options if option != Plain("null"))
        return left[0] if len(left) == 1 else Either(left)
    return type_


def _line(text: str) -> str:
    return " ".join(text.split())
