"""Bodies without end: JSON of any size, plain or packed, made without holding it."""

import struct
import zlib
from collections.abc import Iterator

_BLOCK = b"a" * (1 << 20)
_PREFIX, _SUFFIX = b'{"access_token":"', b'"}'
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"


def plain(size: int) -> Iterator[bytes]:
    """Yield ``size`` bytes (at least an empty document's) of valid JSON."""
    left = size - len(_PREFIX) - len(_SUFFIX)
    yield _PREFIX
    while left > 0:
        yield _BLOCK[:left]
        left -= len(_BLOCK)
    yield _SUFFIX


def gzipped(size: int) -> Iterator[bytes]:
    """Yield one gzip member that unpacks to ``size`` bytes, rounded up to whole mebibytes, of valid JSON (RFC 1952).

    A deflate block that ends in a full flush depends on nothing before it, so one packed mebibyte is sent again and
    again: a gibibyte costs one compression of a mebibyte, and the checksums.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block_packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed_block = block_packer.compress(_BLOCK) + block_packer.flush(zlib.Z_FULL_FLUSH)
    yield _GZIP_HEADER + packer.compress(_PREFIX) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum, unpacked = zlib.crc32(_PREFIX), len(_PREFIX)
    while unpacked < size:
        yield packed_block
        checksum, unpacked = zlib.crc32(_BLOCK, checksum), unpacked + len(_BLOCK)
    checksum, unpacked = zlib.crc32(_SUFFIX, checksum), unpacked + len(_SUFFIX)
    yield packer.compress(_SUFFIX) + packer.flush() + struct.pack("<II", checksum, unpacked & 0xFFFFFFFF)
