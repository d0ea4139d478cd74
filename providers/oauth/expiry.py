"""When a token ends, according to its answer: relative or absolute, in any unit, under any of the names in use.

A number is believed only if it can be true: more than 0, and at most ten years for an access token, twenty for a grant.
A number that is not believed counts as missing, and a warning is logged. Pure except for that warning.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import structlog

from providers.catalog.answers import Expiry
from providers.catalog.pointer import value_at

SHORTEST_SECONDS = 30
LONGEST_SECONDS = 365 * 24 * 3600
_MOST_BELIEVED = 10 * LONGEST_SECONDS
_MOST_BELIEVED_OF_A_GRANT = 20 * LONGEST_SECONDS
_UNITS = {"seconds": 1.0, "milliseconds": 0.001, "minutes": 60.0, "epoch": 1.0, "epoch_ms": 0.001}
_RELATIVE = ("seconds", "milliseconds", "minutes", "duration")
_WORDS = {
    **dict.fromkeys(("ms", "msec", "millisecond"), 0.001),
    **dict.fromkeys(("s", "sec", "second"), 1.0),
    **dict.fromkeys(("m", "min", "minute"), 60.0),
    **dict.fromkeys(("h", "hr", "hour"), 3600.0),
    **dict.fromkeys(("d", "day"), 86_400.0),
    **dict.fromkeys(("w", "week"), 604_800.0),
}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]{1,12})[\s,]*")
_ISO_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
# In a field named for a moment, a larger number can only be an epoch: no token lives for 30 years; 1e11 s are 3000.
_FIRST_EPOCH = 1_000_000_000
_FIRST_EPOCH_MS = 100_000_000_000
# Names for the lifetime of the refresh token: Google; GitHub and others; Keycloak; Intuit; and a few more use them.
_REFRESH_EXPIRIES = ("refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in", "rt_expires_in")
_REFRESH_ENDS = (
    "refresh_token_expires_at",
    "refresh_token_expires_on",
    "refresh_token_expiration",
    "refresh_token_expiry",
    "refresh_token_expires",
    "refresh_expires_at",
)
# draft-ietf-oauth-refresh-token-expiration: the refresh token's longest idle time, and the end of the whole grant.
_IDLE, _AUTHORIZATION = "refresh_token_timeout", "authorization_expires_in"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AccessLife:
    """How long an access token lives: ``seconds``, or ``is_endless``, or neither if that is unknown."""

    seconds: int | None = None
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class GrantLife:
    """The lifetimes of a grant according to an answer, in seconds from now; None for those that it does not name.

    ``refresh_seconds``: until the refresh token ends; ``idle_seconds``: its longest idle time;
    ``grant_seconds``: until the end of the whole grant.
    """

    refresh_seconds: int | None = None
    idle_seconds: int | None = None
    grant_seconds: int | None = None


def access_life(fields: Mapping[str, Any], whole: Mapping[str, Any], *, expiry: Expiry, clock: float) -> AccessLife:
    """Return how long the access token lives, between 30 s and a year; ``clock`` is the answer's own epoch."""
    value = _found(expiry, fields, whole)
    if as_text(value) in expiry.never:
        return AccessLife(is_endless=True)
    seconds = _seconds(value, expiry.format, clock=clock)
    believed = _believed(seconds, most=_MOST_BELIEVED, field=expiry.field)
    return AccessLife(None if believed is None else int(min(max(believed, SHORTEST_SECONDS), LONGEST_SECONDS)))


def grant_life(
    fields: Mapping[str, Any], whole: Mapping[str, Any], *, expiry: Expiry | None, clock: float
) -> GrantLife:
    """Return the lifetimes of the refresh token and the grant: by the entry's field, else by the names in use."""
    refresh: int | None = None
    if expiry is not None:
        value = _found(expiry, fields, whole)
        if as_text(value) not in expiry.never:
            refresh = _of_grant(_seconds(value, expiry.format, clock=clock), field=expiry.field)
    else:
        for name in _REFRESH_EXPIRIES:
            refresh = refresh or _of_grant(_seconds(fields.get(name), "seconds", clock=clock), field=name)
        for name in _REFRESH_ENDS:
            refresh = refresh or _of_grant(_until(fields.get(name), clock=clock), field=name)
    return GrantLife(
        refresh_seconds=refresh,
        idle_seconds=_of_grant(_seconds(fields.get(_IDLE), "seconds", clock=clock), field=_IDLE),
        grant_seconds=_of_grant(_seconds(fields.get(_AUTHORIZATION), "seconds", clock=clock), field=_AUTHORIZATION),
    )


def seconds_until(value: object, *, clock: float, field: str) -> int | None:
    """Return the seconds from ``clock`` to an epoch, at most a year; None if it is past or cannot be true."""
    believed = _believed(_seconds(value, "epoch", clock=clock), most=_MOST_BELIEVED, field=field)
    return None if believed is None else int(min(believed, LONGEST_SECONDS))


def as_text(value: object) -> str:
    """Return a value of an answer in the form in which entries write it; a missing one is "null", too."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _found(expiry: Expiry, fields: Mapping[str, Any], whole: Mapping[str, Any]) -> object:
    if not expiry.field.startswith("/"):
        return fields.get(expiry.field)
    found = value_at(fields, expiry.field)
    return value_at(whole, expiry.field) if found is None else found


def _of_grant(seconds: float | None, *, field: str) -> int | None:
    believed = _believed(seconds, most=_MOST_BELIEVED_OF_A_GRANT, field=field)
    return None if believed is None else int(max(believed, SHORTEST_SECONDS))


def _believed(seconds: float | None, *, most: float, field: str) -> float | None:
    if seconds is None:
        return None
    if 0 < seconds <= most:
        return seconds
    logger.warning("lifetime_not_believed", field=field, why="not positive" if seconds <= 0 else "too long")
    return None


def _seconds(value: object, form: str, *, clock: float) -> float | None:
    """Return the seconds from now that ``value`` stands for, or None if it does not have that form."""
    if form == "duration":
        seconds = _duration(value)
    elif form == "timestamp":
        seconds = epoch_of(value)
    else:
        seconds = _number(value)
        seconds = None if seconds is None else seconds * _UNITS[form]
    return seconds if seconds is None or form in _RELATIVE else seconds - clock


def _until(value: object, *, clock: float) -> float | None:
    """Return the seconds until a moment: an epoch in seconds or milliseconds, or a date."""
    number = _number(value)
    if number is None:
        return _seconds(value, "timestamp", clock=clock)
    if number >= _FIRST_EPOCH_MS:
        return number / 1000 - clock
    return number - clock if number >= _FIRST_EPOCH else number


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf if not isinstance(value, str) and value > 0 else -math.inf
    except ValueError:
        return None
    return None if math.isnan(number) else number


def epoch_of(value: object) -> float | None:
    """Return the epoch of a date in the form of RFC 3339, ISO 8601 or HTTP. Without a time zone it is UTC."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    for parse, written in (
        (datetime.fromisoformat, re.sub(r"\s*(?:UTC|GMT)$", "+00:00", text)),
        (parsedate_to_datetime, text),
    ):
        try:
            moment = parse(written)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _duration(value: object) -> float | None:
    """Return the seconds of "PT1H", "1h 30m", "90 minutes", "1:30:00", or of a bare number."""
    if (number := _number(value)) is not None:
        return number
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    if (iso := _ISO_DURATION.fullmatch(text.upper())) is not None and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (float(part or 0) for part in iso.groups())
        return weeks * 604_800 + days * 86_400 + hours * 3600 + minutes * 60 + seconds
    if (clock := _CLOCK.fullmatch(text)) is not None:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + int(clock[3] or 0)
    total, position = 0.0, 0
    while part := _PART.match(text.lower(), position):
        size = _WORDS.get(part[2], _WORDS.get(part[2].removesuffix("s")))
        if size is None:
            return None
        total, position = total + float(part[1]) * size, part.end()
    return total if 0 < position == len(text) else None
