"""The generated module of the TypeScript client: interfaces, a union of problems, and a class of operations. No I/O."""

import json
import re
import textwrap
from collections.abc import Iterator

from config.local.clients.reading import Api, Member, Operation, Parameter
from config.local.clients.types import Choice, Either, ListOf, MapOf, Plain, Ref, Type

_PLAIN = {
    "string": "string",
    "datetime": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "any": "unknown",
}
_HEAD = """/** Generated from the OpenAPI document by `make clients`: do not edit. Operations, values and problems. */

import { Caller } from "./wire.ts";
import type { CallOptions, ProxyInit } from "./wire.ts";
"""
_WIDTH = 112


def typescript_module(api: Api) -> str:
    """Return the module's text."""
    return "\n".join([_HEAD, *_choices(api), *_shapes(api), *_problems(api), *_operations(api)])


def _choices(api: Api) -> Iterator[str]:
    for name, (meaning, type_) in sorted(api.choices.items()):
        yield f"{_doc(meaning, '')}export type {_named(name)} = {_type(type_)};\n"


def _shapes(api: Api) -> Iterator[str]:
    for name, shape in sorted(api.shapes.items()):
        if name in api.received | api.sent:
            yield f"{_doc(shape.meaning, '')}export interface {_named(name)} {{"
            yield from (_member(member) for member in shape.members)
            yield "}\n"


def _member(member: Member) -> str:
    mark = "" if member.is_required else "?"
    return f"{_doc(member.meaning, '  ')}  readonly {member.name}{mark}: {_type(member.type)};"


def _problems(api: Api) -> Iterator[str]:
    yield "/** What every problem has (RFC 9457). */\nexport interface AnyProblem {"
    yield "  readonly type: string;\n  readonly title: string;\n  readonly status: number;"
    yield "  /** What it is, and what to do, for people. */\n  readonly detail: string;\n}\n"
    for problem in api.problems:
        yield f"{_doc(problem.meaning, '')}export interface {problem.name}Problem extends AnyProblem {{"
        yield f'  readonly code: "{problem.code}";'
        yield from (_member(member) for member in problem.members)
        yield "}\n"
    yield "/** Why a request was refused: `code` says which of these it is. */"
    yield "export type Problem =\n" + "\n".join(f"  | {problem.name}Problem" for problem in api.problems) + ";\n"


def _operations(api: Api) -> Iterator[str]:
    yield "/** Every operation of the API. */\nexport class Operations extends Caller {"
    for operation in api.operations:
        yield from _method(api, operation)
        if operation.item is not None:
            yield from _pages(operation, operation.item)
    yield from _proxy(api.proxy)
    yield "}\n"


def _method(api: Api, operation: Operation) -> Iterator[str]:
    answer = "void" if operation.answer is None else _type(operation.answer)
    told = f"{operation.summary}.\n\n{operation.meaning}"
    yield f"{_doc(told, '  ')}  {_camel(operation.name)}("
    yield from (f"    {parameter}," for parameter in _parameters(operation))
    yield f"  ): Promise<{answer}> {{"
    yield f"    return this.call<{answer}>("
    yield f"      {{\n        method: {json.dumps(operation.method)},\n        path: {_path(operation)},"
    if operation.of("query"):
        yield "        query: { ...query },"
    if operation.of("header"):
        headers = ", ".join(f'"{one.name}": options.{_camel(one.word)}' for one in operation.of("header"))
        yield f"        headers: {{ {headers} }},"
    yield from (f"        {line}," for line in _said(api, operation))
    yield "      },\n      options,\n    );\n  }\n"


def _said(api: Api, operation: Operation) -> Iterator[str]:
    if operation.body is not None:
        yield "body"
    if operation.is_form:
        yield "isForm: true"
    if operation.may_repeat:
        yield "mayRepeat: true"
    if operation.takes_key:
        yield "takesKey: true"
    if secrets := api.secrets_in(operation.answer):
        yield f"secrets: {json.dumps(secrets)}"


def _pages(operation: Operation, item: Type) -> Iterator[str]:
    name = f"iter_{operation.name.removeprefix('list_')}"
    given = [*(_camel(one.word) for one in operation.of("path")), "{ ...query, cursor }", "options"]
    yield f"{_doc(f'{operation.summary}, page by page.', '  ')}  {_camel(name)}("
    yield from (f"    {parameter}," for parameter in _parameters(operation, without="cursor"))
    yield f"  ): AsyncGenerator<{_type(item)}, void> {{"
    yield f"    return this.each((cursor) => this.{_camel(operation.name)}({', '.join(given)}));\n  }}\n"


def _proxy(operation: Operation) -> Iterator[str]:
    members = "; ".join(f"{_camel(one.word)}?: string" for one in operation.of("header"))
    stated = ", ".join(f'"{one.name}": init.{_camel(one.word)}' for one in operation.of("header"))
    told = "\n".join(f"- `{_camel(one.word)}`: {one.meaning}" for one in operation.of("header"))
    prefix = operation.path.removesuffix("{path}").replace("{connection_id}", "${encodeURIComponent(connectionId)}")
    yield _doc(f"Call the provider, with any method.\n\n{operation.meaning}\n\n{told}", "  ").rstrip("\n")
    yield "  proxy(\n    method: string,\n    connectionId: string,\n    path: string,"
    yield f"    init: ProxyInit & {{ {members} }} = {{}},\n  ): Promise<Response> {{"
    yield f"    const stated = {{ {stated} }};"
    yield f"    return this.proxied(method, `{prefix}`, path, stated, init);\n  }}"


def _parameters(operation: Operation, *, without: str = "") -> Iterator[str]:
    for one in operation.of("path"):
        yield f"{_camel(one.word)}: {_type(one.type)}"
    query = [one for one in operation.of("query") if one.name != without]
    if operation.body is not None:
        yield f"body: {_named(operation.body.name)}"
    if operation.of("query"):
        is_needed = any(one.is_required for one in query)
        yield f"query: {_inline(query)}{'' if is_needed else ' = {}'}"
    headers = operation.of("header")
    more = f" & {_inline(headers, camel=True)}" if headers else ""
    yield f"options: CallOptions{more} = {{}}"


def _inline(parameters: list[Parameter], *, camel: bool = False) -> str:
    members = [
        f"{_camel(one.word) if camel else one.name}{'' if one.is_required else '?'}: {_type(one.type)}"
        for one in parameters
    ]
    return f"{{ {'; '.join(members)} }}" if members else "Record<never, never>"


def _path(operation: Operation) -> str:
    path = operation.path
    for one in operation.of("path"):
        path = path.replace(f"{{{one.name}}}", f"${{encodeURIComponent({_camel(one.word)})}}")
    return f"`{path}`" if operation.of("path") else json.dumps(path)


def _named(name: str) -> str:
    """Return the name of a shape: what is received loses its suffix."""
    return name.removesuffix("Out")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _type(type_: Type) -> str:
    match type_:
        case Plain(kind):
            return _PLAIN[kind]
        case Choice(values):
            return " | ".join(json.dumps(value) for value in values)
        case Ref(name):
            return _named(name)
        case ListOf(item):
            inner = _type(item)
            return f"readonly {f'({inner})' if ' | ' in inner else inner}[]"
        case MapOf(value):
            return f"Readonly<Record<string, {_type(value)}>>"
        case Either(options):
            return " | ".join(dict.fromkeys(_type(option) for option in options))


def _doc(text: str, indent: str) -> str:
    """Return a comment of JSDoc, with its line's end; nothing for no text."""
    text = text.strip().replace("*/", "*\\/")
    if not text:
        return ""
    lines: list[str] = []
    for block in re.split(r"\n{2,}", text[0].upper() + text[1:]):
        lines += [""] if lines else []
        for line in block.split("\n") if block.startswith("- ") else [" ".join(block.split())]:
            lines += textwrap.wrap(line, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    body = "\n".join(f"{indent} * {line}".rstrip() for line in lines)
    return f"{indent}/**\n{body}\n{indent} */\n"
