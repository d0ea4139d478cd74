"""How long the server takes for each page of the widget: ``pages``, against a constant view of the same run.

The constant view answers through all of Django and asks the database nothing. So ``times_constant`` says what a page
costs beyond that: its queries, which are counted in ``tests/connections/consent/test_queries.py``, and its template.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from config.local.demo.stack import LocalStack
from tests.browser.catalogue import write_catalogue
from tests.browser.operator import Operator
from tests.campaigns.load import Load, request_bytes, run_load

MOST_TIMES_CONSTANT = 25.0  # 8 to 13 on two quiet cores; more where every query waits for a turn
_PRODUCT = "https://app.acme.test"
_SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "document"}
_ROUNDS = 3


def pages(folder: Path, *, seconds: float) -> dict[str, Any]:
    """Measure each page alone, in turns with the constant view, and return medians."""
    folder.mkdir()
    overrides = {
        "DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings",
        "LATCHKEY_CATALOG_DIR": str(write_catalogue(folder / "catalogue")),
    }
    with LocalStack(
        state_dir=folder / "stack", processes=("web", "sandbox"), seed=False, overrides=overrides, durable=False
    ) as stack:
        web = stack.urls["web"]
        printed = json.loads(stack.run("prepare", "-m", "tests.browser.prepare", _PRODUCT).strip().splitlines()[-1])
        acme = Operator(_PRODUCT, web, printed["key"], "teams")
        globex = Operator(_PRODUCT, web, printed["globex_key"], "sandbox")
        offered = [name.partition("/")[2] for name in printed["apps"] if name.startswith("globex/")]
        wanted = {"constant": request_bytes("GET", f"{web}/bench/constant"), "root": request_bytes("GET", f"{web}/")}
        wanted["landing"] = request_bytes("GET", acme.begin().partition("#")[0])
        wanted |= {
            "choose": _begun(globex.begin(), "choose"),
            "choose_many": _begun(globex.begin(provider=offered), "choose"),
            "fields": _begun(acme.begin(provider="shops"), ""),
            "not_finished": _begun(acme.begin(), "outcome"),
        }
        measured: dict[str, list[Load]] = {name: [] for name in wanted}
        for number in range(_ROUNDS + 1):
            for name, request in wanted.items():
                load = run_load(web, [request], connections=1, seconds=seconds / 6)
                if load.unexpected:
                    raise SystemExit(f"{name}: unexpected answer {load.unexpected[0]!r}")
                if number:  # the first round warms up
                    measured[name].append(load)
    medians = {name: sorted(load.p50_ms for load in loads)[_ROUNDS // 2] for name, loads in measured.items()}
    shares = {name: round(median / medians["constant"], 1) for name, median in medians.items() if name != "constant"}
    return {
        "bench": "pages",
        "p50_ms": medians,
        "times_constant": shares,
        "most_times_constant": MOST_TIMES_CONSTANT,
        "ok": max(shares.values()) <= MOST_TIMES_CONSTANT,
    }


def _begun(url: str, step: str) -> bytes:
    """Take the click of a session, and return the request for one of its pages: ``step``, or where the click leads."""
    address, _, token = url.partition("#")
    with requests.Session() as browser:
        browser.trust_env = False
        answer = browser.post(
            f"{address}/start", {"token": token}, headers=_SAME_ORIGIN, allow_redirects=False, timeout=30
        )
        path = f"{urlsplit(address).path}/{step}" if step else urlsplit(answer.headers["Location"]).path
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    parts = urlsplit(address)
    return request_bytes("GET", f"{parts.scheme}://{parts.netloc}{path}", headers={"Cookie": cookies})
