"""SVG, drawn anew: what draws stays, what runs, loads, links or animates never does."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.brand.svg import NotDrawable, redrawn
from tests.pictures import SVG

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'


def wrapped(inside: str, attributes: str = "") -> bytes:
    return f"<svg {NAMESPACE} {attributes}>{inside}</svg>".encode()


def test_a_drawing_stays_as_it_is() -> None:
    assert redrawn(SVG) == SVG.replace(b"/></svg>", b"></path></svg>")


def test_gradients_and_clips_stay() -> None:
    drawing = wrapped(
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
        '<clipPath id="c"><circle r="4"/></clipPath></defs>'
        '<g clip-path="url(#c)"><rect fill="url(#a)" width="9" height="9" style="opacity: .5; stroke:#000"/></g>'
    )
    written = redrawn(drawing).decode()
    for part in ('<linearGradient id="a">', 'stop-color="#fff"', 'fill="url(#a)"', 'opacity=".5"', 'stroke="#000"'):
        assert part in written
    assert "style" not in written


def test_what_changes_nothing_is_left_out() -> None:
    drawing = b"<?xml version='1.0'?><!-- <script>alert(1)</script> -->" + wrapped(
        "<title>Home</title><desc><b/>me</desc><metadata>Jane</metadata><e:grid/><?php run ?>text<path d='M0 0'/>",
        "xmlns:e='http://editor' e:version='1' onload='alert(1)' data-x='1' role='img' xml:space='preserve'",
    )
    assert redrawn(drawing) == wrapped('<path d="M0 0"></path>').replace(b" >", b">")


@pytest.mark.parametrize(
    "drawing",
    [
        wrapped("<script>alert(1)</script>"),
        wrapped("<style>* { fill: red }</style><path/>"),
        wrapped("<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>"),
        wrapped("<image href='https://evil.example/x.png'/>"),
        wrapped("<use href='#a'/>"),
        wrapped("<a href='javascript:alert(1)'><path/></a>"),
        wrapped("<animate attributeName='fill'/>"),
        wrapped("<set attributeName='fill' to='red'/>"),
        wrapped("<text>Acme</text>"),
        wrapped("<filter id='f'/>"),
        wrapped("<iframe/>"),
        wrapped("<path class='a'/>"),
        wrapped("<path filter='url(#f)'/>"),
        wrapped("<path fill='url(https://evil.example/#a)'/>"),
        wrapped("<path fill='URL(//evil.example)'/>"),
        wrapped("<path fill='url(\"#a\")'/>"),
        wrapped("<path style='fill: url(//evil.example)'/>"),
        wrapped("<path fill='u\\72l(//evil.example)'/>"),
        wrapped("<path d='M0 0&#10;&#x202e;'/>"),
        wrapped("<path id='a b'/>"),
        wrapped("<path id='a\"/&gt;&lt;script&gt;'/>"),
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + wrapped("<path d='&a;'/>"),
        b"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + wrapped("&a;"),
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/x.dtd'>" + wrapped(""),
        wrapped("<g>" * 40 + "</g>" * 40),
        wrapped("<g/>" * 3000),
        b"<html><body/></html>",
        b"<svg><path/></svg>",
        b"<svg xmlns='http://www.w3.org/1999/xhtml'><path/></svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<",
        b"<svg \x00",
        b"<?xml version='1.0' encoding='utf-7'?>+ADw-script+AD4-",
        b"<?xml version='1.0' encoding='nonsense'?><svg/>",
    ],
)
def test_what_would_be_lost_or_do_harm_is_refused_by_name(drawing: bytes) -> None:
    with pytest.raises(NotDrawable) as refused:
        redrawn(drawing)
    assert str(refused.value)


def test_an_attribute_cannot_break_out_of_its_quotes() -> None:
    written = redrawn(wrapped('<path d="M0 0" data-x=\'"/><script>\'/>'.replace("<script>", "&lt;script&gt;")))
    assert b"script" not in written


@given(st.binary(max_size=200) | st.text(max_size=200).map(wrapped))
def test_no_bytes_make_an_error(content: bytes) -> None:
    with suppress(NotDrawable):
        assert redrawn(content).startswith(b"<svg xmlns=")
