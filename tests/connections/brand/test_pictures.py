"""Logos and favicons: nothing of the file but its picture is kept, and no hostile file costs more than its size."""

import struct
import time
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from connections.brand.pictures import LOGO_PIXELS, MOST_BYTES, NotAPicture, Picture, picture_from, picture_of
from tests.pictures import SVG, data_uri, opened, picture


def kept(content: bytes) -> Picture:
    return picture_of(content, pixels=LOGO_PIXELS)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_that_claims(width: int, height: int, pixels: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(pixels)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_every_bitmap_comes_out_as_a_png_of_its_shape(kind: str) -> None:
    found = kept(picture(kind, size=(600, 300)))
    assert found.media_type == "image/png"
    drawn = opened(found.content)
    assert (drawn.format, drawn.size) == ("PNG", (192, 96))
    assert drawn.convert("RGB").getpixel((90, 40))[1] > 100


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_kind_of_pixel_is_read(mode: str) -> None:
    file, made = BytesIO(), Image.new(mode, (8, 8))
    made.save(file, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")
    assert opened(kept(file.getvalue()).content).size == (8, 8)


def test_what_a_camera_wrote_down_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6  # lying on its side
    found = kept(picture("JPEG", size=(40, 20), exif=exif.tobytes(), comment=b"secret comment"))
    assert b"taken at home" not in found.content
    assert b"secret comment" not in found.content
    assert opened(found.content).size == (20, 40)
    assert not opened(found.content).getexif()


def test_texts_and_profiles_are_gone() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    found = kept(picture("PNG", pnginfo=info, icc_profile=b"x" * 200, dpi=(72, 72)))
    assert not opened(found.content).info
    assert b"script" not in found.content


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04archive", b"%PDF-1.7", b"GIF89a=1;//"])
def test_nothing_rides_behind_a_picture(tail: bytes) -> None:
    for kind in ("PNG", "JPEG", "GIF", "WEBP"):
        assert tail not in kept(picture(kind) + tail).content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no image", "cannot be read"),
        (b"", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "cannot be read"),
        (picture()[:60], "cannot be read"),
        (b"%PDF-1.7\n", "cannot be read"),
        (picture("BMP"), "cannot be read"),
        (picture("TIFF"), "cannot be read"),
        (picture("ICO", size=(32, 32)), "cannot be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot be read"),
        (picture() + b"\0" * MOST_BYTES, "larger than 64 KiB"),
        (picture(size=(2049, 1)), "2048 by 2048"),
        (png_that_claims(60_000, 60_000), "2048 by 2048"),
        (png_that_claims(2_000, 2_000), "cannot be read"),
        (png_that_claims(0, 0), "cannot be read"),
    ],
)
def test_what_is_no_small_picture_is_refused_with_a_reason(content: bytes, why: str) -> None:
    with pytest.raises(NotAPicture, match=why):
        kept(content)


def test_a_small_file_that_unpacks_to_a_large_one_is_refused_before_it_is_unpacked() -> None:
    gif = bytearray(picture("GIF"))
    gif[6:10] = struct.pack("<HH", 60_000, 60_000)
    began = time.thread_time()
    for content in (bytes(gif), png_that_claims(9_000, 9_000, b"\0" * 20_000_000)):
        assert len(content) < MOST_BYTES
        with pytest.raises(NotAPicture, match="2048 by 2048"):
            kept(content)
    assert time.thread_time() - began < 5


def test_a_text_that_unpacks_to_a_large_one_is_refused() -> None:
    body = b"k\x00\x00" + zlib.compress(b"x" * 50_000_000, 9)
    bomb = picture()[:33] + png_chunk(b"zTXt", body[:60_000]) + picture()[33:]
    with pytest.raises(NotAPicture):
        kept(bomb)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_what_moves_is_refused(kind: str) -> None:
    file, frames = BytesIO(), [Image.new("RGB", (9, 9), color) for color in ("red", "blue", "green")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(NotAPicture, match="animated"):
        kept(file.getvalue())


def test_a_photograph_weighs_little() -> None:
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    file = BytesIO()
    noise.save(file, "JPEG", quality=60)
    assert len(kept(file.getvalue()).content) < 48 * 1024


@pytest.mark.parametrize(
    "uri",
    [
        "https://cdn.example/logo.png",
        "data:text/html;base64,PGI+",
        "data:image/png;base64,A",
        "data:image/png,raw",
        "data:image/png;base64,****",
        "data:image/png;charset=x;base64,AAAA",
        "javascript:alert(1)",
        "data:image/png;base64," + "A" * 200_000,
    ],
)
def test_only_a_data_uri_of_a_picture_is_read(uri: str) -> None:
    with pytest.raises(NotAPicture):
        picture_from(uri, pixels=LOGO_PIXELS)


def test_what_a_picture_is_shows_in_its_bytes_not_in_its_label() -> None:
    assert picture_from(data_uri(SVG, "image/png"), pixels=LOGO_PIXELS).media_type == "image/svg+xml"
    assert picture_from(data_uri(picture(), "image/svg+xml"), pixels=LOGO_PIXELS).media_type == "image/png"
    assert picture_from("", pixels=LOGO_PIXELS) == Picture()
