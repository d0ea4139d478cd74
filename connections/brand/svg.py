"""SVG, drawn anew: only shapes, gradients and clips are kept; nothing that runs, loads, links or animates. No I/O.

A drawing is read with a parser that knows no document type and no entity, and written anew from a closed list of
elements and attributes. What would change the picture if it were left out (a style sheet, a filter, text, an embedded
picture) is refused by name, so that nobody's logo comes out as something else. What changes nothing is left out.
"""

import re
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

_SVG = "http://www.w3.org/2000/svg"
_SEPARATOR = " "
_MOST_ELEMENTS = 2000
_DEEPEST = 32
_DRAWN = frozenset(
    (
        *("svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"),
        *("linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    )
)
_LEFT_OUT = frozenset(("title", "desc", "metadata"))
_ATTRIBUTES = frozenset(
    (
        *("id", "viewBox", "preserveAspectRatio", "width", "height", "x", "y", "x1", "y1", "x2", "y2"),
        *("cx", "cy", "r", "rx", "ry", "fx", "fy", "d", "points", "transform", "opacity", "color", "display"),
        *("visibility", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity"),
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset"),
        *("clip-path", "clip-rule", "clipPathUnits", "mask", "maskUnits", "maskContentUnits", "gradientUnits"),
        *("gradientTransform", "spreadMethod", "offset", "stop-color", "stop-opacity", "vector-effect", "paint-order"),
    )
)
_DANGEROUS_TO_LOSE = frozenset({"class", "filter"})
_LOCAL = re.compile(r"url\(\s*#[A-Za-z_][\w.-]*\s*\)")
_ID = re.compile(r"[A-Za-z_][\w.-]*")
_PLAIN = re.compile(r"[\w\s.,#%()+/-]*", re.ASCII)


class NotDrawable(ValueError):
    """The drawing holds what is not kept; the message names it."""


def redrawn(content: bytes) -> bytes:
    """Return the drawing, written anew. Raises ``NotDrawable``."""
    drawing = _Drawing()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.StartElementHandler = drawing.start
    parser.EndElementHandler = drawing.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, NotDrawable):
            raise
        raise NotDrawable("it is not well-formed XML") from None
    return "".join(drawing.written).encode()


def _refuse_doctype(*_: object) -> None:
    raise NotDrawable("it has a document type (<!DOCTYPE>): save it without one")


class _Drawing:
    """What has been read so far. ``written`` is the new drawing."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._open: list[bool] = []  # whether each open element is written
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            raise NotDrawable("it has too many elements")
        space, _, local = name.rpartition(_SEPARATOR)
        if not self._open and (space, local) != (_SVG, "svg"):
            raise NotDrawable("it is not an SVG: its first element is not <svg>, or lacks the namespace of SVG")
        if (self._open and not self._open[-1]) or space != _SVG or local in _LEFT_OUT:
            self._open.append(False)
            return
        if local not in _DRAWN:
            raise NotDrawable(f"it holds <{local[:20]}>, which is not kept: draw it with shapes alone")
        root = f' xmlns="{_SVG}"' if not self._open else ""
        kept = "".join(f" {key}={quoteattr(value)}" for key, value in _kept(attributes).items())
        self._open.append(True)
        self.written.append(f"<{local}{root}{kept}>")

    def end(self, name: str) -> None:
        if self._open.pop():
            self.written.append(f"</{name.rpartition(_SEPARATOR)[2]}>")


def _kept(attributes: dict[str, str]) -> dict[str, str]:
    given = dict(attributes)
    for declaration in given.pop("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip():
            given[key.strip()] = value.strip()
    kept = {}
    for key, value in given.items():
        if key in _DANGEROUS_TO_LOSE:
            raise NotDrawable(f"it uses {key!r}: save it with presentation attributes (fill, stroke) instead")
        if key not in _ATTRIBUTES:
            continue
        if not _PLAIN.fullmatch(value) or re.search(r"url\s*\(", _LOCAL.sub("", value), re.IGNORECASE):
            raise NotDrawable(f"its attribute {key!r} refers to something outside, or holds odd characters")
        if key == "id" and not _ID.fullmatch(value):
            raise NotDrawable("an id of it holds odd characters")
        kept[key] = value
    return kept
