"""The script of embedding pages: small, cacheable, for every site; and it keeps its word to its types."""

import gzip
import re

from django.conf import settings

from tests.asgi_client import AsgiClient

PATH = "/connect/v1/connect.js"
MOST_BYTES = 5 * 1024


def test_it_weighs_less_than_five_kilobytes_on_the_wire() -> None:
    answer = AsgiClient().get(PATH, headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) < MOST_BYTES
    assert gzip.decompress(answer.content) == (settings.BASE_DIR / "static" / "connect.js").read_bytes()


def test_every_site_may_load_it_and_every_cache_keep_it() -> None:
    answer = AsgiClient().get(PATH)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("public, max-age=3600")
    assert answer["Vary"] == "Accept-Encoding"
    assert not answer.cookies
    again = AsgiClient().get(PATH, headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_it_loads_nothing_else_and_runs_no_text() -> None:
    """A page that allows our scripts and frames in its policy allows all that this needs."""
    script = AsgiClient().get(PATH).content.decode()
    for word in ("eval", "Function(", "innerHTML", "fetch(", "XMLHttpRequest", "import", "<style", '"*"'):
        assert word not in script, word


def test_the_types_name_what_the_script_has() -> None:
    types = AsgiClient().get("/connect/v1/connect.d.ts").content.decode()
    script = AsgiClient().get(PATH).content.decode()
    told = set(re.findall(r'(?:report|event: |call)\(?"?([a-z]+\.?[a-z]+)"', script + landing()))
    events = set(re.findall(r'"([a-z.]+)"', types[types.index("type LatchkeyEvent") :]))
    assert events - {"exit"} <= told | {"ready"}
    for option in re.findall(r"options\.(\w+)", script):
        assert re.search(rf"\b{option}\b", types), option


def landing() -> str:
    return (settings.BASE_DIR / "static" / "connect" / "landing.js").read_text(encoding="utf-8")
