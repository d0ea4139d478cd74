"""Rows from the bytes of a file: CSV, JSON or JSON Lines, in the charset that it turns out to have.

The file is read twice: once for its charset, once for its rows. Neither pass holds more than a row and what was read
ahead of it.
"""

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, TextIO

from providers.brought.json_stream import LARGEST_ROW, BrokenFile, objects_of

FORMATS = ("csv", "json", "nango")
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",;\t|"

csv.field_size_limit(LARGEST_ROW)


def charset_of(file: BinaryIO) -> str:
    """Return the charset of a file, by its mark, else UTF-8 if all of it is, else Windows-1252. Reads it whole.

    Leaves the file at its beginning.
    """
    file.seek(0)
    begins = file.read(4096)
    for mark, charset in _MARKS:
        if begins.startswith(mark):
            file.seek(0)
            return charset
    if begins[1::2].count(0) > len(begins) // 4:
        found = "utf-16-le"
    elif begins[::2].count(0) > len(begins) // 4:
        found = "utf-16-be"
    else:
        found = "utf-8" if _is_utf8(file) else "cp1252"
    file.seek(0)
    return found


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def rows_of(file: BinaryIO, *, form: str, charset: str = "") -> Iterator[tuple[int, Any]]:
    """Yield each row of a seekable ``file``: of CSV with the line on which it begins, else with its number.

    ``form`` is one of ``FORMATS``. A row of CSV is a mapping from the names of its columns to texts; of the others it
    is whatever value stands there. ``charset`` "" finds out. Raises ``BrokenFile`` where the rest cannot be read.
    """
    text = io.TextIOWrapper(file, encoding=charset or charset_of(file), newline="")
    try:
        yield from _rows_of_csv(text) if form == "csv" else objects_of(text)
    except UnicodeDecodeError:
        raise BrokenFile(0, "The file has bytes that are no text in its charset: name the charset.") from None
    finally:
        text.detach()


def _rows_of_csv(text: TextIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines, blank, header = iter(text), 0, ""
    for header in lines:
        if header.strip():
            break
        blank += 1
    header = header.lstrip("\ufeff")
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(itertools.chain([header], lines), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise BrokenFile(1, f"The file has two columns of one name: {', '.join(twice)[:200]}.")
        begins = blank + reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, _row(names, cells)
            begins = blank + reader.line_num + 1
    except csv.Error:
        raise BrokenFile(
            blank + reader.line_num, "A quoted cell is not closed, or a cell is larger than it may be."
        ) from None


def _row(names: list[str], cells: list[str]) -> Mapping[str, Any]:
    """Return the cells by their columns; those beyond the last column by "" (there should be none)."""
    row: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=False) if name}
    if any(cell.strip() for cell in cells[len(names) :]):
        row[""] = "more cells than columns"
    return row
