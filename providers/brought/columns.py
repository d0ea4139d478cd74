"""A connection from a row with our names of columns, as CSV has them, or an object of JSON with the same members.

Columns: ``tenant``, ``provider``, ``auth_style``, ``end_user``, ``owner`` (end_user or tenant), ``source_id``,
``label``, ``account_id``, ``account_name``, ``client_id``, ``access_token``, ``refresh_token``, ``token_type``,
``token_secret``, ``expires_at``, ``scopes``, ``metadata`` (JSON), ``key`` (a pasted key whose field need not be named),
``raw`` (the provider's own token response, JSON), ``field.NAME`` (what the end user types) and ``param.NAME`` (a
parameter of the connection). In JSON ``fields``, ``params`` and ``metadata`` may be objects, ``scopes`` a list.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from providers.brought.connection import BroughtConnection, RowFault
from providers.brought.moments import moment_of
from providers.values import Brought

TEXTS = (
    *("tenant", "provider", "auth_style", "owner", "end_user", "source_id", "label"),
    *("account_id", "account_name", "client_id"),
)
SECRETS = ("access_token", "refresh_token", "token_secret", "key")
OTHERS = ("token_type", "expires_at", "scopes", "metadata", "raw", "fields", "params")
NAMES = frozenset({*TEXTS, *SECRETS, *OTHERS})
_LONGEST = {"provider": 64, "auth_style": 40, "owner": 10, "label": 64, "tenant": 64, "client_id": 500}
_LONGEST_TEXT = 255
_LONGEST_SECRET = 16_384
_LONGEST_METADATA = 16 * 1024
_DEEPEST = 20
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")  # RFC 6749 §3.3
_MOST_SCOPES = 1000


def unknown_columns(names: Mapping[str, Any]) -> list[str]:
    """Return those of ``names`` that mean nothing here."""
    return sorted(name for name in names if name not in NAMES and not name.startswith(("field.", "param.")))


def connection_of(row: Any) -> BroughtConnection:
    """Return what ``row`` says of a connection. Columns without a meaning are left out. Raises ``RowFault``."""
    if not isinstance(row, Mapping):
        raise RowFault("unreadable_row", "The row is no object.")
    if "" in row:
        raise RowFault("unreadable_row", "The row has more cells than there are columns.")
    check_storable(row)

    def text(name: str) -> str:
        return text_of(row.get(name), field=name, longest=_LONGEST.get(name, _LONGEST_TEXT))

    return BroughtConnection(
        credential=Brought(
            access_token=secret_of(row.get("access_token"), field="access_token"),
            refresh_token=secret_of(row.get("refresh_token"), field="refresh_token"),
            token_secret=secret_of(row.get("token_secret"), field="token_secret"),
            token_type=text_of(row.get("token_type"), field="token_type", longest=64) or "Bearer",
            value=secret_of(row.get("key"), field="key"),
            fields=dict(_fields(row)),
            document=object_of(row.get("raw"), field="raw"),
        ),
        expires_at=moment_of(row.get("expires_at"), field="expires_at"),
        scopes=scopes_of(row.get("scopes"), field="scopes"),
        params=dict(_params(row)),
        metadata=metadata_of(row.get("metadata"), field="metadata"),
        tenant=text("tenant"),
        provider=text("provider"),
        auth_style=text("auth_style"),
        owner=text("owner"),
        end_user=text("end_user"),
        source_id=text("source_id"),
        label=text("label"),
        account_id=text("account_id"),
        account_name=text("account_name"),
        client_id=text("client_id"),
    )


def _fields(row: Mapping[str, Any]) -> Iterator[tuple[str, SecretStr]]:
    given = {f"field.{name}": value for name, value in object_of(row.get("fields"), field="fields").items()}
    for name, value in {**given, **{name: row[name] for name in row if name.startswith("field.")}}.items():
        found = typed_secret_of(value, field=name)
        if found is not None:
            yield name.removeprefix("field."), found


def _params(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    given = {f"param.{name}": value for name, value in object_of(row.get("params"), field="params").items()}
    for name, value in {**given, **{name: row[name] for name in row if name.startswith("param.")}}.items():
        text = text_of(value, field=name, longest=2000)
        if text:
            yield name.removeprefix("param."), text


def check_storable(value: Any, *, depth: int = 0) -> None:
    """Raise ``RowFault`` for what no database stores (NUL, half a surrogate pair), or what is nested too deeply."""
    if depth > _DEEPEST:
        raise RowFault("unreadable_row", "The row is nested too deeply.")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= mark <= "\udfff" for mark in value):
            raise RowFault("unreadable_row", "The row holds NUL, or half of a surrogate pair.")
    elif isinstance(value, Mapping):
        for name, member in value.items():
            check_storable(name)
            check_storable(member, depth=depth + 1)
    elif isinstance(value, list):
        for member in value:
            check_storable(member, depth=depth + 1)


def text_of(value: Any, *, field: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text of one line without space around it; "" for nothing. Raises ``RowFault``."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowFault("bad_field", "It is no text.", field=field)
    text = str(value).strip()
    if len(text) > longest:
        raise RowFault("bad_field", f"It is longer than {longest} characters.", field=field)
    if not text.isprintable():
        raise RowFault("bad_field", "It holds line breaks or marks that nobody sees.", field=field)
    return text


def secret_of(value: Any, *, field: str) -> SecretStr | None:
    """Return a token without white space around it; None for nothing. Raises ``RowFault``."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RowFault("bad_field", "It is no text.", field=field)
    token = value.strip()
    if len(token) > _LONGEST_SECRET:
        raise RowFault("bad_field", f"It is longer than {_LONGEST_SECRET} characters.", field=field)
    if any(mark.isspace() for mark in token) or not token.isascii() or not token.isprintable():
        raise RowFault("bad_field", "It holds spaces, or marks that no header can carry.", field=field)
    return SecretStr(token) if token else None


def typed_secret_of(value: Any, *, field: str) -> SecretStr | None:
    """Return what somebody may have typed, spaces and lines included; None for nothing. Raises ``RowFault``."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise RowFault("bad_field", "It is no text.", field=field)
    if len(str(value)) > _LONGEST_SECRET:
        raise RowFault("bad_field", f"It is longer than {_LONGEST_SECRET} characters.", field=field)
    return SecretStr(str(value))


def object_of(value: Any, *, field: str) -> dict[str, Any]:
    """Return a JSON object, written out or as a text; {} for nothing. Raises ``RowFault``."""
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
        else:
            check_storable(value)
    if not isinstance(value, dict):
        raise RowFault("bad_field", "It is no JSON object.", field=field)
    return value


def metadata_of(value: Any, *, field: str) -> dict[str, Any]:
    """Return the operator's own notes, at most 16 KiB of JSON. Raises ``RowFault``."""
    found = object_of(value, field=field)
    try:
        size = len(json.dumps(found, allow_nan=False))
    except ValueError:
        raise RowFault("bad_field", "It holds a number that JSON does not have.", field=field) from None
    if size > _LONGEST_METADATA:
        raise RowFault("bad_field", "It is larger than 16 KiB.", field=field)
    return found


def scopes_of(value: Any, *, field: str) -> tuple[str, ...] | None:
    """Return scopes from a list, or from a text with spaces or commas between; None where none are named."""
    if value is None or value == "":
        return None
    names = value if isinstance(value, list) else re.split(r"[\s,]+", value) if isinstance(value, str) else None
    if names is None or not all(isinstance(name, str) for name in names) or len(names) > _MOST_SCOPES:
        raise RowFault("bad_field", "These are no scopes.", field=field)
    found = tuple(dict.fromkeys(name for name in names if name))
    if not all(_SCOPE.fullmatch(name) for name in found):
        raise RowFault("bad_field", "A scope has a mark that no scope has (RFC 6749 §3.3).", field=field)
    return found or None
