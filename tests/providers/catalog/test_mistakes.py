"""Mistakes that authors of entries make: each is told by its key and with what would be right, and none is a crash."""

import random
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from providers.catalog.fields import Param
from providers.catalog.loader import CatalogError, _checked, _entry_in, catalog_files, load_entry

CONSENT = """name = "Acme"
website = "https://acme.example"
base_url = "https://api.acme.example"

[[params]]
name = "region"
label = "Region"
pattern = '^[a-z]{2}$'
example = "eu"

[[scopes]]
name = "read"
description = "Read"
default = true

[authorization_code]
authorization_url = "https://{region}.acme.example/authorize"
token_url = "https://{region}.acme.example/token"

[probe]
url = "https://api.acme.example/me"
account_id = "/id"
"""
KEY = """name = "Acme"
[api_key]
fields = [{ name = "api_key", label = "Key" }]
[presentation.api_key]
headers = { Authorization = "Token {api_key}" }
"""


def change(was: str, becomes: str, *, entry: str = CONSENT) -> str:
    assert was in entry
    return entry.replace(was, becomes, 1)


def in_code(line: str) -> str:
    return change("[probe]", f"{line}\n[probe]")


MISTAKES: dict[str, tuple[str, str]] = {
    "a key": (change("website", "webiste"), "webiste: there is no such key; did you mean website?"),
    "a key of a section": (
        change("token_url", "tokn_url"),
        "authorization_code.tokn_url: there is no such key; did you mean token_url?",
    ),
    "a section": (
        change("[authorization_code]", "[authorisation_code]"),
        "authorisation_code: there is no such key; did you mean authorization_code?",
    ),
    "a key of a parameter": (
        change('label = "Region"', 'lable = "Region"'),
        "params.region.lable: there is no such key; did you mean label?",
    ),
    "a key in the wrong place": (
        'token_url = "https://acme.example/token"\n' + CONSENT,
        "token_url: there is no such key of the whole entry; it belongs into [authorization_code]",
    ),
    "a key below a table": (
        KEY + 'category = "CRM"\n',
        "there is no such key in [presentation.api_key], but one of the whole entry; write it above the first",
    ),
    "a key like none": (
        change("[[scopes]]", "[registration]\nzzz = 1\n[[scopes]]"),
        "registration.zzz: there is no such key; the keys here are console, review, steps",
    ),
    "a number for a text": (change('name = "Acme"', "name = 5"), 'name: is a number; write a text, in quotes: "…"'),
    "a table for a list": (
        change("[[scopes]]", "[scopes]"),
        "scopes: is a table; write a list: [ … ], or [[scopes]] above each table",
    ),
    "a text for a table": (
        'probe = "https://acme.example/me"\n' + KEY,
        "probe: is a text; write a table: [probe] above its keys, or { … }",
    ),
    "a text for a truth": (
        change("default = true", 'default = "maybe"'),
        "scopes.read.default: is a text; write true or false, without quotes",
    ),
    "a text for a number": (
        'requests_per_minute = "lots"\n' + CONSENT,
        "requests_per_minute: is a text; write a whole number, without quotes",
    ),
    "a number out of bounds": (
        "requests_per_minute = 0\n" + CONSENT,
        "requests_per_minute: is 0; write a number from 1 on",
    ),
    "a date": (
        'facts = { confidence = "high", checked_on = 2026-11-29 }\n' + CONSENT,
        "facts.checked_on: holds a date or a time; write it as a text, in quotes",
    ),
    "no name": (
        change('name = "Acme"\n', ""),
        "name: is missing; write it. The provider's name, as end users know it. As 'Acme CRM'.",
    ),
    "no label": (
        change('label = "Region"\n', ""),
        "params.region.label: is missing; write it. What forms call it. As 'Subdomain'.",
    ),
    "no way to connect": ('name = "Acme"\n', "the entry: describe at least one of [authorization_code], "),
    "a word for another": (
        in_code('client_authentication = "client_secret_bsic"'),
        "authorization_code.client_authentication: 'client_secret_bsic' is none of client_secret_basic, ",
    ),
    "a word that is none": (in_code('pkce = "plain"'), "authorization_code.pkce: 'plain' is none of S256, breaks"),
    "a meaning": (
        CONSENT + '[[authorization_code.errors]]\nvalue = "x"\nmeans = "grant_dead"\n',
        "malformed; did you mean grant_rejected?",
    ),
    "another version": ("schema_version = 2\n" + CONSENT, "schema_version: is 2; write 1"),
    "a colour": ('colour = "red"\n' + CONSENT, "colour: is 'red'; write # and six digits of 0-9 and a-f, as #00a1e0"),
    "a day": (
        'facts = { confidence = "high", checked_on = "yesterday" }\n' + CONSENT,
        "facts.checked_on: is 'yesterday'; write a day, as 2026-11-29",
    ),
    "an alias in capitals": (
        'aliases = { "Acme X" = "authorization_code" }\n' + CONSENT,
        "aliases.Acme X: is 'Acme X'; write lower-case letters and digits, with single - between them, as acme-crm",
    ),
    "an alias of no section": (
        'aliases = { acme-x = "api_key" }\n' + CONSENT,
        "aliases.acme-x: there is no section [api_key]; name the one that is meant: authorization_code",
    ),
    "an alias of its own name": (
        'aliases = { acme = "authorization_code" }\n' + CONSENT,
        "aliases.acme: is the entry's own name; remove it",
    ),
    "a placeholder": (
        change("{region}.acme.example/token", "{regoin}.acme.example/token"),
        "authorization_code.token_url: uses {regoin}; did you mean {region}?",
    ),
    "a placeholder of nobody": (
        change("{region}.acme.example/token", "{zzz}.acme.example/token"),
        "authorization_code.token_url: uses {zzz}; declare a [[params]] of that name, or use one of {region}",
    ),
    "plain http": (
        change("https://api.acme.example/me", "http://api.acme.example/me"),
        "probe.url: only this machine is called by http; write https://api.acme.example/me",
    ),
    "no scheme": (
        change("https://api.acme.example/me", "api.acme.example/me"),
        "probe.url: 'api.acme.example/me' is no address; write it whole, from https:// on, without white space",
    ),
    "another scheme": (change("https://api.acme.example/me", "ftp://acme.example"), "probe.url: 'ftp://acme.example'"),
    "a space": (change("https://api.acme.example/me", "https://api.acme.example/m e"), "probe.url: "),
    "no host": (
        change("https://api.acme.example/me", "https:///me"),
        "probe.url: 'https:///me' names no host; write it between // and the next /",
    ),
    "a password in an address": (
        change("https://api.acme.example/me", "https://ann:secret@api.acme.example/me"),
        "probe.url: holds a user name or a password; remove it, and say how to authenticate",
    ),
    "a website": (change('"https://acme.example"', '"acme.example"'), "website: 'acme.example' is no link"),
    "a pointer": (change('"/id"', '"id"'), "probe.account_id: 'id' is no JSON Pointer; start it with /"),
    "a pattern": (change("'^[a-z]{2}$'", "'^[a-z'"), "params.region.pattern: is no regular expression: "),
    "an example": (
        change('example = "eu"', 'example = "europe"'),
        "params.region.pattern: does not match 'europe', the entry's own default or example",
    ),
    "a parameter twice": (
        change("[[scopes]]", '[[params]]\nname = "region"\nlabel = "R"\n\n[[scopes]]'),
        "params: 'region' is declared twice or is a name of ours; choose another",
    ),
    "a scope twice": (
        change("[authorization_code]", '[[scopes]]\nname = "read"\ndescription = "x"\n[authorization_code]'),
        "scopes: 'read' is declared twice",
    ),
    "a presentation of no style": (
        CONSENT + '[presentation.api_key]\nheaders = { X = "y" }\n',
        "presentation.api_key: the entry does not describe this way to connect; remove it",
    ),
    "a presentation of nothing": (
        change("Token {api_key}", "Token", entry=KEY),
        "presentation.api_key: carries no credential; put {api_key} into its headers, or its query",
    ),
    "no presentation": (
        KEY.split("[presentation", maxsplit=1)[0],
        "the entry: [api_key] needs [presentation.api_key]: ",
    ),
    "two lines in a header": (
        change("Token {api_key}", "Token {api_key}\\nX: y", entry=KEY),
        "presentation.api_key.headers.Authorization: a header holds visible ASCII",
    ),
    "a body of a GET": (CONSENT + '[probe.body]\nx = "1"\n', 'probe.body: a GET carries none; say method = "POST"'),
    "discovery of nobody": (in_code("discover = true"), "authorization_code.issuer: is needed for discovery"),
    "a rule that matches all": (
        CONSENT + '[[authorization_code.errors]]\nmeans = "grant_rejected"\n',
        "authorization_code.errors.0: would match a success too",
    ),
    "a workspace for nothing": (
        CONSENT + '[workspaces]\nurl = "https://api.acme.example/sites"\nid = "/id"\n',
        "workspaces.param: no parameter is filled with the id",
    ),
    "no quotes": (
        change('"Acme"', "Acme"),
        "is not TOML: line 1, column 8: this is no value; a text stands in quotes, and true and false are in small",
    ),
    "a key twice": (
        'name = "A"\n' + CONSENT,
        'is not TOML: line 2, column 14: this key is there twice; keep one of the two: name = "Acme"',
    ),
    "a table twice": (CONSENT + "[probe]\n", "is not TOML: line 23, column 7: this table is there twice; "),
    "an open text": (change('"Acme"', '"Acme'), "is not TOML: line 1, column 13: a text is not closed at the end"),
    "nothing": ("", "name: is missing; write it."),
    "a pattern that could take for ever": (
        change("'^[a-z]{2}$'", "'^([a-z]+)*$'"),
        "params.region.pattern: could take for ever to refuse a text; let nothing that repeats repeat as a whole",
    ),
    "a blank name": (change('"Acme"', '" "'), "name: is shown as one line; write 1 to 300 characters"),
    "two lines for a name": (change('"Acme"', r'"Acme\nAcme"'), "name: is shown as one line;"),
    "a huge category": (f'category = "{"c" * 301}"\n' + CONSENT, "category: is shown as one line;"),
    "a byte of nothing": (
        change('"Acme"', r'"Ac\u0000me"'),
        r"name: holds '\x00', a character that cannot be seen; remove it",
    ),
    "an order to the terminal": (
        change("See your", r"\u001b[2J", entry=change('"Read"', '"See your"')),
        r"scopes.0.description: holds '\x1b', a character that cannot be seen; remove it",
    ),
    "a text that turns round": (change('"Region"', r'"Reg\u202eion"'), r"params.0.label: holds '\u202e', a character"),
    "a key that cannot be seen": (
        in_code(r'authorization_params = { "a\u0000" = "x" }'),
        r"authorization_code.authorization_params.'a\x00': the key holds a character that cannot be seen",
    ),
    "a key as deep as a well": (".".join(["a"] * 3000) + " = 1\n" + CONSENT, "is nested too deeply"),
    "lists in lists": (f"notes = {'[' * 300}{']' * 300}\n" + CONSENT, "is nested too deeply"),
    "a number without an end": (f"requests_per_minute = 0x{'F' * 5000}\n" + CONSENT, "holds a number that is too long"),
    "another slug": ('slug = "other"\n' + CONSENT, "slug: is 'other', so call the file other.toml"),
}


def told_of(content: bytes) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        _checked(Path("acme.toml"), content)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("acme.toml: ") for line in lines)
    return [line.removeprefix("acme.toml: ") for line in lines]


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_once_with_its_key_and_what_would_be_right(text: str, said: str) -> None:
    (told,) = told_of(text.encode())
    assert said in told
    assert not any(word in told for word in ("Input should", "Field required", "Error", "pydantic"))


def test_the_examples_themselves_are_right(tmp_path: Path) -> None:
    for text in (CONSENT, KEY, "\ufeff" + KEY):
        (tmp_path / "acme.toml").write_text(text, encoding="utf-8")
        assert load_entry(tmp_path / "acme.toml").name == "Acme"


def test_of_more_mistakes_than_anybody_mends_at_once_the_first_hundred_are_told() -> None:
    told = told_of(("\n".join(f"key{number} = 1" for number in range(20_000)) + "\n" + CONSENT).encode())
    assert len(told) == 101
    assert told[0].startswith("key0: there is no such key")
    assert told[-1] == "has 19900 mistakes more; mend these first"


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    text = change('"/id"', '"id"', entry=change("token_url", "tokn_url", entry=change("website", "webiste")))
    text = change("pattern", "note = 7\npattern", entry=text)
    keys = ", ".join(sorted(Param.model_fields))
    assert told_of(('colour = "red"\n' + text).encode()) == [
        "colour: is 'red'; write # and six digits of 0-9 and a-f, as #00a1e0",
        f"params.region.note: there is no such key; the keys here are {keys}",
        "authorization_code.tokn_url: there is no such key; did you mean token_url?",
        "webiste: there is no such key; did you mean website?",
        "probe.account_id: 'id' is no JSON Pointer; start it with /",
    ]


def test_what_is_no_text_names_its_line() -> None:
    assert told_of(CONSENT.encode() + b"# \xe9\n") == [
        "is not TOML: line 23: holds what is not UTF-8; save the file as UTF-8"
    ]


def leaves(part: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything in a document."""
    if at:
        yield at
    if isinstance(part, dict | list):
        for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
            yield from leaves(inner, (*at, name))


def removed(within: Any, last: Any) -> None:
    del within[last]


def renamed(within: Any, last: Any) -> None:
    if isinstance(within, dict):
        within[f"{last}x"] = within.pop(last)


def becoming(value: Any) -> Callable[[Any, Any], None]:
    def put(within: Any, last: Any) -> None:
        within[last] = value

    return put


HARM = [removed, renamed, *map(becoming, ["", "{", "(?P<x>", "é\x00", 0, -(2**70), 1.5, True, [], {}, [[]], {"x": {}}])]


def test_whatever_is_changed_in_an_entry_it_is_an_entry_or_the_mistakes_are_told() -> None:
    chosen = random.Random(20261129)
    files = chosen.sample(sorted(catalog_files().items()), 40)
    told = 0
    for slug, path in files:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        places = list(leaves(document))
        for place, harm in zip(chosen.choices(places, k=24), chosen.choices(HARM, k=24), strict=True):
            changed = deepcopy(document)
            within = changed
            for step in place[:-1]:
                within = within[step]
            harm(within, place[-1])
            entry, problems = _entry_in(changed, slug)
            assert (entry is None) <= bool(problems), (slug, place, harm)
            assert all(": " in problem and "Error" not in problem for problem in problems), problems
            told += bool(problems)
    assert told > 300
