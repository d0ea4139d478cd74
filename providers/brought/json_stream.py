"""The objects of a JSON document one by one, in constant memory: an array, an object around one, or JSON Lines."""

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

LARGEST_ROW = 256 * 1024  # characters
_CHUNK = 64 * 1024
_AROUND = re.compile(r'\{\s*"(?:connections|data|items|rows|results)"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")


class BrokenFile(Exception):
    """The file cannot be read on from ``line``. The text says why, and holds nothing of the file."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def objects_of(stream: TextIO) -> Iterator[tuple[int, Any]]:
    """Yield the number of each value, from 1, and the value: many may be in one line. Raises ``BrokenFile``.

    The values are the members of an array, of the first array of an object that holds connections, or the values that
    follow each other (JSON Lines). Nothing but the present value and what was read ahead is held.
    """
    source = _Source(stream)
    source.skip()
    in_array = source.begin_array()
    number = 0
    while source.skip() and not (in_array and source.takes("]")):
        number += 1
        yield number, source.value()
    if in_array and not source.is_closed:
        raise BrokenFile(source.line, "The file ends in the middle of its list: it was cut off.")


class _Source:
    """What has been read ahead of a stream, and the number of its first line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._ahead = ""
        self._decoder = json.JSONDecoder()
        self.line = 1
        self.is_closed = False

    def skip(self) -> bool:
        """Pass over white space and commas. Return whether anything follows."""
        while True:
            found = _BETWEEN.match(self._ahead)
            self._pass(0 if found is None else found.end())
            if self._ahead or not self._read():
                return bool(self._ahead)

    def begin_array(self) -> bool:
        """Go into the array of the document. Return whether it has one."""
        while len(self._ahead) < 200 and self._read():
            pass
        if (around := _AROUND.match(self._ahead)) is not None:
            self._pass(around.end())
            return True
        return self.takes("[")

    def takes(self, mark: str) -> bool:
        """Whether ``mark`` is next; pass over it then."""
        if not self._ahead.startswith(mark):
            return False
        self.is_closed = mark == "]"
        self._pass(1)
        return True

    def value(self) -> Any:
        """Return the next value, and pass over it. Raises ``BrokenFile``."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._ahead)
                # A number may go on in what was not read yet.
                if end < len(self._ahead) or not self._read():
                    self._pass(end)
                    return value
            except (ValueError, RecursionError):
                if len(self._ahead) > LARGEST_ROW:
                    raise BrokenFile(self.line, "What begins here is no JSON, or larger than one row may be.") from None
                if not self._read():
                    raise BrokenFile(self.line, "What begins here is no JSON.") from None

    def _read(self) -> bool:
        more = self._stream.read(_CHUNK)
        self._ahead += more
        return bool(more)

    def _pass(self, count: int) -> None:
        self.line += self._ahead.count("\n", 0, count)
        self._ahead = self._ahead[count:]
