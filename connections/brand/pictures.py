"""Logos and favicons: read with care, and drawn anew, so that nothing of the file but its picture is kept. No I/O.

A bitmap comes out as a small PNG: no EXIF, no colour profile, no text, nothing behind the picture. Its size is looked
at before it is decoded. An SVG is written anew by ``svg``. Only a still picture is taken.
"""

import base64
import binascii
import re
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from connections.brand.svg import NotDrawable, redrawn

MOST_BYTES = 64 * 1024
MOST_PIXELS = 2048
PNG, SVG = "image/png", "image/svg+xml"
LOGO_PIXELS, FAVICON_PIXELS = 192, 64
_HEAVY = 16 * 1024
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_TOO_LARGE = f"It is larger than {MOST_PIXELS} by {MOST_PIXELS} pixels: give a smaller one."
_DATA_URI = re.compile(r"data:image/([a-z0-9.+-]{1,30});base64,([A-Za-z0-9+/=\s]*)")
_NAMES = "PNG, JPEG, GIF, WebP or SVG"


class NotAPicture(ValueError):
    """What was given cannot be shown; the message says why, as a sentence."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is stored: PNG or SVG. No content and no media type for none."""

    media_type: str = ""
    content: bytes = b""


def picture_from(data_uri: str, *, pixels: int) -> Picture:
    """Return the picture of a data URI, at most ``pixels`` wide and high; none for "". Raises ``NotAPicture``."""
    if not data_uri:
        return Picture()
    match = _DATA_URI.fullmatch(data_uri) if len(data_uri) <= 2 * MOST_BYTES else None
    if match is None and len(data_uri) > 2 * MOST_BYTES:
        raise NotAPicture("It is larger than 64 KiB: give a smaller one.")
    if match is None:
        raise NotAPicture(f"Give it as a base64 data URI of a {_NAMES}.")
    try:
        content = base64.b64decode(match[2])
    except binascii.Error:
        raise NotAPicture("It is not valid base64.") from None
    return picture_of(content, pixels=pixels)


def picture_of(content: bytes, *, pixels: int) -> Picture:
    """Return the picture in a file, drawn anew. What it is shows in its bytes. Raises ``NotAPicture``."""
    if len(content) > MOST_BYTES:
        raise NotAPicture("It is larger than 64 KiB: give a smaller one.")
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        try:
            return Picture(SVG, redrawn(content))
        except NotDrawable as error:
            raise NotAPicture(f"The SVG cannot be taken: {error}.") from None
    return Picture(PNG, _bitmap(content, pixels))


def _bitmap(content: bytes, pixels: int) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of what is looked at here anyway
            with Image.open(BytesIO(content), formats=_FORMATS) as opened:
                _check(opened)
                drawn = ImageOps.exif_transpose(opened).convert("RGBA")
    except NotAPicture:
        raise
    except Image.DecompressionBombError:
        raise NotAPicture(_TOO_LARGE) from None
    except Exception:  # noqa: BLE001 (the decoders of four formats meet hostile bytes: whatever they raise, it is none)
        raise NotAPicture(f"It cannot be read as a {_NAMES}.") from None
    drawn.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    written = _png(drawn)
    return written if len(written) <= _HEAVY else _png(drawn.quantize(256, method=Image.Quantize.FASTOCTREE))


def _check(opened: Image.Image) -> None:
    if max(opened.size) > MOST_PIXELS:
        raise NotAPicture(_TOO_LARGE)
    if getattr(opened, "is_animated", False):
        raise NotAPicture("It is animated: give a still picture.")


def _png(drawn: Image.Image) -> bytes:
    drawn.info.clear()
    file = BytesIO()
    drawn.save(file, "PNG", optimize=True)
    return file.getvalue()
