"""The generated module of the Python client: values, requests, exceptions, and two classes of operations. No I/O."""

import keyword
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from config.local.clients.reading import Api, Member, Operation, Parameter
from config.local.clients.types import Choice, Either, ListOf, MapOf, Plain, Ref, Type

_PLAIN = {
    "string": "str",
    "datetime": "datetime",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "any": "Any",
}
_HEAD = '''"""Generated from the OpenAPI document by `make clients`: do not edit. Operations, values, problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, Unpack

from latchkey_client.calls import AsyncCaller, Caller, Operation
from latchkey_client.errors import Problem
from latchkey_client.wire import Answer, AsyncAnswer, AsyncSending, Sending
'''
_IMPORTED = re.findall(r"[A-Z]\w+", _HEAD.partition("annotations")[2])
_WIDTH = 112


def python_module(api: Api) -> str:
    """Return the module's text, not yet formatted. Raises ``ValueError`` where two things would have one name."""
    names = [*api.choices, *api.received & api.shapes.keys(), *api.sent & api.shapes.keys()]
    names += [*_IMPORTED, *(problem.name for problem in api.problems)]
    if twice := {name for name, count in Counter(map(_named, names)).items() if count > 1}:
        raise ValueError(f"Two things are called {', '.join(sorted(twice))}: give one of the models another name.")
    return "\n".join([_HEAD, *_choices(api), *_received(api), *_sent(api), *_problems(api), *_operations(api)]) + "\n"


def _choices(api: Api) -> Iterator[str]:
    for name, (meaning, type_) in sorted(api.choices.items()):
        yield f"{name} = {_type(type_, sends=False)}"
        yield f"{_doc(meaning, '')}\n" if meaning else ""


def _received(api: Api) -> Iterator[str]:
    for name, shape in sorted(api.shapes.items()):
        if name in api.received:
            yield "\n@dataclass(frozen=True, kw_only=True)"
            yield f"class {_named(name)}:"
            yield _doc(shape.meaning, "    ") + "\n"
            yield from (_field(member) for member in shape.members)


def _field(member: Member) -> str:
    type_ = _type(member.type, sends=False)
    options = ["repr=False"] if member.is_secret else []
    if not member.is_required:
        options.insert(0, "default=None")
        type_ = type_ if "None" in type_.split(" | ") or type_ == "Any" else f"{type_} | None"
    default = f" = field({', '.join(options)})" if options else ""
    return f"    {_word(member.name)}: {type_}{default}\n{_doc(member.meaning, '    ')}\n"


def _sent(api: Api) -> Iterator[str]:
    for name, shape in sorted(api.shapes.items()):
        if name in api.sent:
            yield f"\nclass {_named(name)}(TypedDict):"
            yield _doc(shape.meaning, "    ") + "\n"
            yield from (_key(member) for member in shape.members)


def _key(member: Member) -> str:
    type_ = _type(member.type, sends=True)
    return (
        f"    {_word(member.name)}: {type_ if member.is_required else f'NotRequired[{type_}]'}"
        f"\n{_doc(member.meaning, '    ')}\n"
    )


def _problems(api: Api) -> Iterator[str]:
    for problem in api.problems:
        yield f"\nclass {problem.name}(Problem):"
        yield _doc(problem.meaning, "    ") + "\n"
        yield f'    code = "{problem.code}"'
        for member in problem.members:
            # What is nested stays as the document has it: an exception must never fail to be made.
            plain = isinstance(member.type, Plain) or member.type == ListOf(Plain("string"))
            type_ = "list[Any]" if not plain else _type(member.type, sends=False).replace("datetime", "str")
            yield f"    {_word(member.name)}: {type_} | None\n{_doc(member.meaning, '    ')}"


def _operations(api: Api) -> Iterator[str]:
    for operation in api.operations:
        said = [f'"{operation.method}"', f'"{operation.path}"', f"may_repeat={operation.may_repeat}"]
        said += ["is_form=True"] if operation.is_form else []
        said += ["takes_key=True"] if operation.takes_key else []
        yield f"{_constant(operation)} = Operation({', '.join(said)})"
    for is_async in (False, True):
        yield f"\n\nclass {'Async' if is_async else ''}Operations({'Async' if is_async else ''}Caller):"
        more = ", asynchronously. Operations says more of each" if is_async else ""
        yield f'    """Every operation of the API{more}."""\n'
        for operation in api.operations:
            yield from _method(operation, is_async=is_async)
            if operation.item is not None:
                yield from _pages(operation, is_async=is_async)
        yield from _proxy(api.proxy, is_async=is_async)


def _method(operation: Operation, *, is_async: bool) -> Iterator[str]:
    answer = "None" if operation.answer is None else _type(operation.answer, sends=False)
    yield f"    {'async ' if is_async else ''}def {operation.name}({_signature(operation)}) -> {answer}:"
    yield _doc(f"{operation.summary}." if is_async else f"{operation.summary}.\n\n{operation.meaning}", " " * 8)
    call = (
        f"{'await ' if is_async else ''}self._call({_constant(operation)}, {answer}, "
        f"path={_filled(operation, 'path')}, query={_filled(operation, 'query')}, "
        f"headers={_filled(operation, 'header')}{', body=body' if operation.body else ''})"
    )
    yield f"        {call}" if operation.answer is None else f"        answer: {answer} = {call}\n        return answer"
    yield ""


def _pages(operation: Operation, *, is_async: bool) -> Iterator[str]:
    if operation.item is None:
        return
    kind = f"{'Async' if is_async else ''}Iterator[{_type(operation.item, sends=False)}]"
    yield f"    def iter_{operation.name.removeprefix('list_')}({_signature(operation, without='cursor')}) -> {kind}:"
    yield _doc(f"{operation.summary}, page by page.", " " * 8)
    given = [one.word for one in operation.of("path")]
    given += [
        f"{one.word}={one.word}" for one in operation.of("query") + operation.of("header") if one.name != "cursor"
    ]
    kept = "" if _is_optional(operation, "cursor") else ' or ""'
    given.append(f"cursor=cursor{kept}")
    yield f"        return self._each(lambda cursor: self.{operation.name}({', '.join(given)}))\n"


def _proxy(operation: Operation, *, is_async: bool) -> Iterator[str]:
    stated = operation.of("header")
    named = ", ".join(f"{one.word}: str | None = None" for one in stated)
    prefix = "Async" if is_async else ""
    yield f"    {'async ' if is_async else ''}def proxy(self, method: str, connection_id: str, path: str, /, *, "
    yield f"        {named}, **sending: Unpack[{prefix}Sending]) -> {prefix}Answer:"
    told = "\n".join(f"- `{one.word}`: {one.meaning}" for one in stated)
    yield _doc(f"Call the provider, with any method.\n\n{operation.meaning}\n\n{told}", " " * 8)
    members = ", ".join(f'"{one.name}": {one.word}' for one in stated)
    yield (
        f"        {'return await' if is_async else 'return'} self._proxy(method, "
        f'"{operation.path}", connection_id, path, {{{members}}}, sending)\n'
    )


def _signature(operation: Operation, *, without: str = "") -> str:
    parts = ["self", *(f"{one.word}: {_type(one.type, sends=True)}" for one in operation.of("path"))]
    parts += ["/"] if operation.of("path") else []
    named = [one for one in operation.of("query") + operation.of("header") if one.name != without]
    parts += ["*"] if named else []
    parts += [_named_parameter(one) for one in sorted(named, key=lambda one: not one.is_required)]
    parts += [f"**body: Unpack[{_named(operation.body.name)}]"] if operation.body else []
    return ", ".join(parts)


def _named_parameter(parameter: Parameter) -> str:
    type_ = _type(parameter.type, sends=True)
    return f"{parameter.word}: {type_}" if parameter.is_required else f"{parameter.word}: {type_} | None = None"


def _is_optional(operation: Operation, name: str) -> bool:
    return all(not one.is_required for one in operation.of("query") if one.name == name)


def _filled(operation: Operation, place: str) -> str:
    return "{" + ", ".join(f'"{one.name}": {one.word}' for one in operation.of(place)) + "}"


def _constant(operation: Operation) -> str:
    return f"_{operation.name.upper()}"


def _named(name: str) -> str:
    """Return the name of a shape: what is received loses its suffix."""
    return name.removesuffix("Out")


def _type(type_: Type, *, sends: bool) -> str:
    match type_:
        case Plain(kind):
            return "datetime | str" if sends and kind == "datetime" else _PLAIN[kind]
        case Choice(values):
            return f"Literal[{', '.join(map(repr, values))}]"
        case Ref(name):
            return _named(name)
        case ListOf(item):
            return f"{'Sequence' if sends else 'list'}[{_type(item, sends=sends)}]"
        case MapOf(value):
            return f"{'Mapping' if sends else 'dict'}[str, {_type(value, sends=sends)}]"
        case Either(options):
            return " | ".join(_type(option, sends=sends) for option in options)


def _word(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{name!r} cannot be the name of a member in Python.")
    return name


def _doc(text: str, indent: str) -> str:
    """Return a docstring. Texts without any get a sentence, so that nothing is without one."""
    text = re.sub(r"(?m)[ \t]+$", "", text.strip() or "Undescribed.").replace("\\", "\\\\").replace('"""', "'''")
    text = text[0].upper() + text[1:]
    blocks = [_wrapped(block, indent) for block in re.split(r"\n{2,}", text)]
    whole = f"\n\n{indent}".join(blocks)
    if whole.endswith('"'):
        whole += " "
    return f'{indent}"""{whole}\n{indent}"""' if "\n" in whole else f'{indent}"""{whole}"""'


def _wrapped(block: str, indent: str) -> str:
    lines = block.split("\n") if block.startswith("- ") else [" ".join(block.split())]
    return f"\n{indent}".join(
        f"\n{indent}".join(textwrap.wrap(line, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False))
        for line in lines
    )
