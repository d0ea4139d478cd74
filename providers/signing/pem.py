"""The blocks of a text in PEM (RFC 7468), found in one pass over it, however its lines were pasted. No I/O."""

import base64
import binascii
import re
from dataclasses import dataclass

# Every repetition has an end: a text that is made to look like many beginnings takes no longer than another.
_BOUNDARY = re.compile(r"-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,40})-----")
_LINE = 64
LONGEST_PEM = 64 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label, such as ``PRIVATE KEY``, and the block itself in whole lines."""

    label: str
    pem: str

    @property
    def size(self) -> int:
        """How many bytes it holds, at the most."""
        return sum(len(line) for line in self.pem.splitlines()[1:-1] if ":" not in line) * 3 // 4

    @property
    def der(self) -> bytes:
        """What it holds. Raises ``ValueError`` if that is not Base64, or has headers."""
        packed = "".join(self.pem.splitlines()[1:-1])
        try:
            return base64.b64decode(packed, validate=True)
        except binascii.Error as error:
            raise ValueError("not in Base64") from error


def pem_blocks(text: str) -> list[Block]:
    """Return the blocks in ``text``, none if that is too long. A form may have joined their lines."""
    found, begun = [], None
    for boundary in _BOUNDARY.finditer(text) if len(text) <= LONGEST_PEM else ():
        if boundary[1] == "BEGIN":
            begun = boundary
        elif begun is not None and begun[2] == boundary[2]:
            found.append(_block(boundary[2], text[begun.end() : boundary.start()]))
            begun = None
    return found


def _block(label: str, body: str) -> Block:
    if ":" in body:  # headers of the old form of encryption, which need their lines as they are
        lines = body.strip().splitlines()
    else:
        packed = "".join(body.split())
        lines = [packed[start : start + _LINE] for start in range(0, len(packed), _LINE)]
    return Block(label, "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]))
