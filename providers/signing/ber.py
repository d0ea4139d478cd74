"""Reading BER and DER (X.690): just the structure, for a look at a container before a library opens it. No I/O.

PKCS #12 files of some browsers are not DER: they have lengths that are not told ahead, and texts in pieces.
``cryptography.hazmat.asn1`` reads DER alone.
"""

from dataclasses import dataclass

SEQUENCE, OCTETS, INTEGER, TAGGED = 0x30, 0x04, 0x02, 0xA0
_CONSTRUCTED, _UNTOLD, _DEEPEST = 0x20, 0x80, 16
_END = b"\x00\x00"


@dataclass(frozen=True, slots=True)
class Element:
    """One value: the octet that says what it is, what is in it, and the whole as it was written."""

    tag: int
    content: bytes
    whole: bytes


def elements(data: bytes) -> list[Element]:
    """Return the values that stand one after another in ``data``. Raises ``ValueError``."""
    found, at = [], 0
    while at < len(data):
        element, at = _read(data, at, depth=0)
        found.append(element)
    return found


def only(data: bytes) -> Element:
    """Return the one value that ``data`` is. Raises ``ValueError``."""
    found = elements(data)
    if len(found) != 1:
        raise ValueError("not one value")
    return found[0]


def octets(element: Element) -> bytes:
    """Return the octets of an OCTET STRING, however it is tagged, and put together if it is in pieces.

    Raises ``ValueError``, also for pieces of pieces, which nobody writes.
    """
    if not element.tag & _CONSTRUCTED:
        return element.content
    pieces = elements(element.content)
    if any(piece.tag != OCTETS for piece in pieces):
        raise ValueError("not made of octets")
    return b"".join(piece.content for piece in pieces)


def number(element: Element) -> int:
    """Return an INTEGER. Raises ``ValueError`` for another value, or a negative one."""
    if element.tag != INTEGER or not element.content or element.content[0] & 0x80:
        raise ValueError("no number")
    return int.from_bytes(element.content)


def written(tag: int, content: bytes) -> bytes:
    """Return a value in DER."""
    size = len(content)
    if size < _UNTOLD:
        return bytes([tag, size]) + content
    told = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, _UNTOLD | len(told)]) + told + content


def _read(data: bytes, at: int, *, depth: int) -> tuple[Element, int]:
    """Return the value at a position, and the position behind it."""
    if at + 2 > len(data) or depth > _DEEPEST or data[at] & 0x1F == 0x1F:
        raise ValueError("cut off, too deep, or a tag that none of these has")
    tag, size, begins = data[at], data[at + 1], at + 2
    if size == _UNTOLD:
        ends = begins
        while data[ends : ends + 2] != _END:
            _, ends = _read(data, ends, depth=depth + 1)
        behind = ends + len(_END)
    else:
        if size > _UNTOLD:
            count = size - _UNTOLD
            size = int.from_bytes(data[begins : begins + count])
            begins += count
        ends = behind = begins + size
    if behind > len(data):
        raise ValueError("cut off")
    return Element(tag, data[begins:ends], data[at:behind]), behind
