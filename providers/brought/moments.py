"""When something ends, as exports and spreadsheets write it: ISO 8601, RFC 9110, epochs in any unit, Excel's days.

What could be read in two ways is refused: a guess that is wrong by an hour or a month would either vend a dead token or
refresh a live one too late.
"""

import re
from datetime import UTC, datetime, timedelta

from providers.brought.connection import RowFault
from providers.oauth.expiry import epoch_of

_EXCEL_BEGINS = datetime(1899, 12, 30, tzinfo=UTC)
_EXCEL_DAYS = (20_000.0, 100_000.0)  # 1954 to 2173
_FIRST_EPOCH = 100_000_000.0  # 1973
_UNITS = ((1e11, 1.0), (1e14, 1e-3), (1e17, 1e-6), (1e20, 1e-9))  # below: seconds, then ms, µs, ns
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,12})?")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d+")
_BY_SLASHES = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: *(?:UTC|Z))?")


def moment_of(value: object, *, field: str) -> datetime | None:
    """Return the moment that ``value`` names, in UTC; None for an empty one. Without a time zone it is UTC.

    Raises ``RowFault`` if it is no moment, or could be more than one.
    """
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if text.lower() in ("", "null", "none", "never", "0"):
        return None
    if _ROUNDED.fullmatch(text):
        raise _fault(field, "It is rounded, as spreadsheets write long numbers: export the whole number.")
    if _NUMBER.fullmatch(text):
        return _of_number(float(text), field=field)
    if (by_slashes := _BY_SLASHES.fullmatch(text)) is not None:
        return _of_slashes(by_slashes, field=field)
    if (epoch := epoch_of(text)) is not None:
        return datetime.fromtimestamp(epoch, UTC)
    raise _fault(field, "It is no date: write it as 2026-11-30T12:00:00Z, or as an epoch.")


def _of_number(number: float, *, field: str) -> datetime:
    if _EXCEL_DAYS[0] <= number < _EXCEL_DAYS[1]:
        return _EXCEL_BEGINS + timedelta(days=number)
    if number >= _FIRST_EPOCH:
        for below, unit in _UNITS:
            if number < below:
                return datetime.fromtimestamp(number * unit, UTC)
    raise _fault(field, "It is a number, but neither an epoch nor a day of a spreadsheet.")


def _of_slashes(found: "re.Match[str]", *, field: str) -> datetime:
    first, second, year, hour, minute, second_of = (int(part or 0) for part in found.groups())
    if first <= 12 and second <= 12 and first != second:
        raise _fault(field, "Day and month cannot be told apart: write it as 2026-11-30T12:00:00Z.")
    day, month = (first, second) if second <= 12 else (second, first)
    try:
        return datetime(year, month, day, hour, minute, second_of, tzinfo=UTC)
    except ValueError:
        raise _fault(field, "There is no such date.") from None


def _fault(field: str, detail: str) -> RowFault:
    return RowFault("bad_field", detail, field=field)
