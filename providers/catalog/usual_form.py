"""The form of an own entry, and the document that it stands for: each is made of the other.

The form has the usual keys of the usual styles. A document may say more: what the form does not know stays as it is,
and so does a value that the form shows and nobody has changed. Nothing here decides what is valid; an entry's own rules
do that, once the document is written as TOML.
"""

from collections.abc import Mapping
from typing import Any

from providers.catalog.schema import sections

Document = dict[str, Any]
Values = dict[str, Any]

USUAL = ("authorization_code", "client_credentials", "api_key", "bearer_token", "http_basic")
_OAUTH = ("authorization_code", "client_credentials")
_TYPED = {"api_key": "api_key", "bearer_token": "token", "http_basic": "password"}  # the field that is the secret
_PLAIN = {
    "name": ("name",),
    "category": ("category",),
    "website": ("website",),
    "docs_url": ("docs_url",),
    "colour": ("colour",),
    "base_url": ("base_url",),
    "probe_url": ("probe", "url"),
    "probe_account_id": ("probe", "account_id"),
    "probe_account_name": ("probe", "account_name"),
}
_OF_OAUTH = {
    "authorization_url": "authorization_url",
    "token_url": "token_url",
    "revocation_url": "revocation_url",
    "issuer": "issuer",
    "client_authentication": "client_authentication",
}
_OF_A_FIELD = {"key_label": "label", "key_help": "help", "key_example": "example"}


def values_of(document: Document) -> Values:
    """Return what the form shows of ``document``: a text, or True or False, by the name of each field."""
    style = next((section for section in USUAL if isinstance(document.get(section), dict)), "")
    section: Document = document[style] if style else {}
    values: Values = {"style": style} | {field: _text(_at(document, path)) for field, path in _PLAIN.items()}
    values |= {field: _text(section.get(key) if style in _OAUTH else "") for field, key in _OF_OAUTH.items()}
    values["discover"] = section.get("discover") is True
    values["keeps_refresh_token"] = section.get("refresh_tokens_rotate") is False
    values["own_registration"] = section.get("own_registration") is True
    typed = _secret_field(section, style) or {}
    values |= {field: _text(typed.get(key)) for field, key in _OF_A_FIELD.items()}
    user = _user_field(section) if style == "http_basic" else None
    values["user_label"] = _text((user or {}).get("label"))
    headers = _at(document, ("presentation", _style_of(style), "headers")) if style else None
    headers = headers if isinstance(headers, dict) else {}
    values["headers"] = _lines(f"{name}: {value}" for name, value in headers.items())
    values["scopes"] = _lines(_scope_line(scope) for scope in _tables(document.get("scopes")))
    values["params"] = _lines(
        f"{_text(param.get('name'))} = {_text(param.get('label'))}" for param in _tables(document.get("params"))
    )
    return values


def document_with(values: Mapping[str, Any], document: Document) -> Document:
    """Return ``document`` with the ``values`` of the form in it. A field that shows what it showed changes nothing."""
    shown = values_of(document)
    changed = {field for field, value in values.items() if field in shown and value != shown[field]}
    made: Document = _copy(document)
    style = str(values.get("style", ""))
    if "style" in changed:
        _take_style(made, shown["style"], style)
        changed |= values.keys() - {"headers"}  # those that nobody typed are the other style's
    for field, path in _PLAIN.items():
        if field in changed:
            _put(made, path, values[field])
    if style:
        _put_style(made, style, values, changed)
    if "scopes" in changed:
        _put(made, ("scopes",), _named(values["scopes"], made.get("scopes"), _scope_of))
    if "params" in changed:
        _put(made, ("params",), _named(values["params"], made.get("params"), _param_of))
    return made


def _put_style(made: Document, style: str, values: Mapping[str, Any], changed: set[str]) -> None:
    if not isinstance(made.get(style), dict):
        made[style] = {}
    section = made[style]
    if style in _OAUTH:
        for field, key in _OF_OAUTH.items():
            if field in changed and (style == "authorization_code" or field != "authorization_url"):
                _put(section, (key,), values[field])
        if "discover" in changed:
            _put(section, ("discover",), values["discover"] or None)
        if "keeps_refresh_token" in changed and style == "authorization_code":
            _put(section, ("refresh_tokens_rotate",), False if values["keeps_refresh_token"] else None)
        if "own_registration" in changed and style == "client_credentials":
            _put(section, ("own_registration",), values["own_registration"] or None)
    else:
        _put_fields(section, style, values, changed)
    if "headers" in changed:
        _put(made, ("presentation", _style_of(style), "headers"), _headers(values["headers"]) or None)


def _put_fields(section: Document, style: str, values: Mapping[str, Any], changed: set[str]) -> None:
    """Put the fields that the end user fills in; where nothing is said of them, the style's own stand."""
    said = {key: values[field] for field, key in _OF_A_FIELD.items() if field in changed}
    user_label = values["user_label"] if style == "http_basic" and "user_label" in changed else None
    if not section.get("fields"):
        if not any(said.values()) and not user_label:
            return
        user = [{"name": "username", "label": "User name", "secret": False}] if style == "http_basic" else []
        default = "Password" if style == "http_basic" else "API key" if style == "api_key" else "Access token"
        section["fields"] = [*user, {"name": _TYPED[style], "label": default}]
    if (typed := _secret_field(section, style)) is not None:
        for key, value in said.items():
            _put(typed, (key,), value or (typed.get("label") if key == "label" else None))
    if user_label and (found := _user_field(section)) is not None:
        found["label"] = user_label


def _take_style(made: Document, old: str, new: str) -> None:
    """Take the section of another style out, with how its credential is sent."""
    if old:
        made.pop(old, None)
        _put(made, ("presentation", _style_of(old)), None)
    if new:
        made.setdefault(new, {})


def _secret_field(section: Document, style: str) -> Document | None:
    """Return the field of the credential that the form is about: the first that is secret."""
    if style not in _TYPED:
        return None
    fields = _tables(section.get("fields"))
    return next((field for field in fields if field.get("secret") is not False), None)


def _user_field(section: Document) -> Document | None:
    return next((field for field in _tables(section.get("fields")) if field.get("secret") is False), None)


def _scope_line(scope: Document) -> str:
    star = "* " if scope.get("default") is True else ""
    return f"{star}{_text(scope.get('name'))} = {_text(scope.get('description'))}"


def _scope_of(line: str) -> tuple[str, Document, tuple[str, ...]]:
    """Return the name of a scope, what the line says of it, and the keys that it thereby takes back."""
    is_default = line.startswith("*")
    name, _, description = line.lstrip("* ").partition(" = ")
    said: Document = {"description": description.strip() or name.strip()}
    return name.strip(), said | ({"default": True} if is_default else {}), () if is_default else ("default",)


def _param_of(line: str) -> tuple[str, Document, tuple[str, ...]]:
    name, _, label = line.partition("=")
    return name.strip(), {"label": label.strip() or name.strip()}, ()


def _named(lines: str, before: Any, read: Any) -> list[Document] | None:
    """Return a table for each line; of one that was there before, what the line does not say stays."""
    known = {_text(table.get("name")): table for table in _tables(before)}
    made = []
    for line in filter(None, (line.strip() for line in lines.splitlines())):
        name, said, dropped = read(line)
        kept = {key: value for key, value in known.get(name, {"name": name}).items() if key not in dropped}
        made.append(kept | said)
    return made or None


def _headers(lines: str) -> dict[str, str]:
    parts = (line.partition(":") for line in lines.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, _, value in parts}


def _style_of(section: str) -> str:
    """Return the name of the style of a section, as presentations have it."""
    return sections()[section].style


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _put(document: Document, path: tuple[str, ...], value: Any) -> None:
    """Set what is at ``path``; None and "" remove it, with the tables that are empty without it."""
    key, *rest = path
    if not rest:
        if value in (None, ""):
            document.pop(key, None)
        else:
            document[key] = value
        return
    inner = document.get(key)
    if not isinstance(inner, dict):
        if value in (None, ""):
            return
        inner = document[key] = {}
    _put(inner, tuple(rest), value)
    if not inner:
        del document[key]


def _tables(value: Any) -> list[Document]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _lines(lines: Any) -> str:
    return "\n".join(lines)
