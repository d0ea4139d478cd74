"""Unpacking: the same bytes whatever the parts, in bounded parts, and no end that is none."""

import gzip
import zlib

import pytest

from providers.proxying.unpacking import CodingRefused, Unpacker

TEXT = b"hello " * 50_000


def unpacked(coding: str, packed: bytes, size: int) -> bytes:
    unpacker = Unpacker(coding)
    parts = [part for at in range(0, len(packed), size) for part in unpacker.feed(packed[at : at + size])]
    unpacker.finish()
    assert all(len(part) <= 65_536 or not unpacker.is_packed for part in parts)
    return b"".join(parts)


@pytest.mark.parametrize("size", [1, 3, 1000, 1_000_000])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("GZIP, identity", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("x-gzip", gzip.compress(TEXT) + b"padding"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
    ],
    ids=["none", "identity", "gzip", "members", "padded", "zlib", "bare"],
)
def test_a_body_comes_out_whole(coding: str, packed: bytes, size: int) -> None:
    assert unpacked(coding, packed, size if len(packed) < 5000 else max(size, 1000)) == TEXT


@pytest.mark.parametrize("size", [1, 5, 200])
def test_a_body_that_is_cut_short_is_not_whole(size: int) -> None:
    with pytest.raises(zlib.error):
        unpacked("gzip", gzip.compress(TEXT, mtime=0)[:size], 1000)


def test_a_damaged_body_is_refused() -> None:
    with pytest.raises(zlib.error):
        unpacked("gzip", b"no gzip at all", 1000)


def test_no_body_at_all_is_whole() -> None:
    assert unpacked("gzip", b"", 10) == b""


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd", "gzip, br"])
def test_a_coding_that_cannot_be_undone_is_refused(coding: str) -> None:
    with pytest.raises(CodingRefused):
        Unpacker(coding)
