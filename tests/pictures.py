"""Small pictures, good and hostile, as data URIs and files."""

import base64
from io import BytesIO
from typing import Any

from PIL import Image

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="#0f766e"/></svg>'


def picture(kind: str = "PNG", *, size: tuple[int, int] = (40, 20), color: str = "#0f766e", **options: Any) -> bytes:
    """Return the file of a picture in one colour."""
    file = BytesIO()
    Image.new("RGB", size, color).save(file, kind, **options)
    return file.getvalue()


def data_uri(content: bytes, media_type: str = "image/png") -> str:
    """Return a file as a data URI."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def opened(content: bytes) -> Image.Image:
    """Return the picture in a file."""
    return Image.open(BytesIO(content))
