"""What a request and its texts may hold: known members, and only what PostgreSQL can store and JSON can express."""

import math
import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from connections.database.clock import in_utc
from providers.lines import plain_line

DEEPEST = 20


def check_storable(value: Any, *, depth: int = 0) -> None:
    """Raise ``PydanticCustomError`` if the JSON ``value`` holds something that cannot be stored.

    That is NUL or a lone surrogate (PostgreSQL refuses both), NaN or an infinity (not JSON), or a document nested so
    deeply that reading it back would fail.
    """
    if depth > DEEPEST:
        raise PydanticCustomError("nesting", "Must not be nested more than {deepest} deep", {"deepest": DEEPEST})
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("number", "Must be a finite number")
    elif isinstance(value, dict):
        for name, member in value.items():
            _check_text(name)
            check_storable(member, depth=depth + 1)
    elif isinstance(value, list):
        for member in value:
            check_storable(member, depth=depth + 1)


def _check_text(text: str) -> str:
    if "\x00" in text or any("\ud800" <= mark <= "\udfff" for mark in text):
        raise PydanticCustomError("text", "Must not hold NUL or half of a surrogate pair")
    return text


def _as_line(text: str) -> str:
    if not (line := plain_line(text)):
        raise PydanticCustomError("text", "Must be one line, of visible characters")
    return line


def _check_token(token: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{16,16384}", token.get_secret_value()):
        raise PydanticCustomError("token", "Must be 16 to 16384 visible ASCII characters")
    return token


def _check_client_secret(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x20-\x7e]{1,4096}", secret.get_secret_value()):
        raise PydanticCustomError("client_secret", "Must be 1 to 4096 visible ASCII characters")
    return secret


def _as_moment(moment: datetime) -> datetime:
    try:
        return in_utc(moment)
    except ValueError:
        raise PydanticCustomError("moment", "Must be within the years 1 to 9999, in UTC") from None


def _check_written(moment: Any) -> Any:
    """A number would be read as seconds since 1970."""
    if not isinstance(moment, datetime) and not (isinstance(moment, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]", moment)):
        raise PydanticCustomError("moment", "Must be a date and a time with an offset (RFC 3339)")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_check_written), AfterValidator(_as_moment)]
Text = Annotated[str, AfterValidator(_check_text)]
# What is stripped is measured afterwards only where the bounds come first.
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True), AfterValidator(_check_text)
]
EndUser = Annotated[Text, StringConstraints(min_length=1, max_length=255)]
Slug = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Owner = Annotated[
    Slug, Field(description="the tenant's slug; an operator-wide client means the operator's own without it")
]
# Shown to people in lists: a line of its own, without marks that nobody sees.
Label = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True), AfterValidator(_as_line)]
Address = Annotated[Text, StringConstraints(max_length=1000)]
ScopeName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")
]  # RFC 6749 §3.3
CodeChallenge = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]  # RFC 7636 §4.2, S256
CodeVerifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{43,128}$")]  # RFC 7636 §4.1
# RFC 6749 appendix A.12. Shorter ones could be guessed, and what came of one is found by its digest.
SubjectToken = Annotated[
    SecretStr, AfterValidator(_check_token), WithJsonSchema({"type": "string", "format": "password", "writeOnly": True})
]
ClientSecret = Annotated[
    SecretStr,
    AfterValidator(_check_client_secret),
    WithJsonSchema({"type": "string", "format": "password", "writeOnly": True}),
]  # RFC 6749 appendix A.2
Locale = Annotated[str, StringConstraints(max_length=20, pattern=r"^([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*)?$")]  # BCP 47
Note = Annotated[Text, StringConstraints(max_length=255)]


def _be_strict(schema: Any) -> None:
    """Have a schema take no 0 for false and no "30" for 30. The rest stays as it is: JSON has no dates and no UUIDs."""
    if isinstance(schema, dict):
        if schema.get("type") in ("bool", "int", "float"):
            schema["strict"] = True
        for member in schema.values():
            _be_strict(member)
    elif isinstance(schema, list | tuple):
        for member in schema:
            _be_strict(member)


class Request(BaseModel):
    """A request body: it refuses members that it does not know, and values of another type than its schema says."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _be_strict(schema)
        return schema
