"""What ``make contract`` aims at, loaded by Schemathesis as its hooks: what is there, and never what the run lives by.

Of three victims one is read, changed and vended from; what ends, stops or narrows something is aimed at another, and
what ends or stops a whole tenant at the third. A sequence that comes upon the run's own API client, or the first
victim's, and would take its rights away does that to the second victim's. Answers are counted, by operation.
"""

import atexit
import json
import os
import random
import re
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import ServerError
from schemathesis.core.parameters import ParameterLocation

TARGETS = "LATCHKEY_CONTRACT_TARGETS"
COUNTS = "LATCHKEY_CONTRACT_COUNTS"
_READS = ("GET", "HEAD", "OPTIONS")
_PLACE = re.compile(r"[^/]+/\{(\w+)\}")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ENDS = re.compile(r"/(switches|revoke|close|deny)$|^/connect-sessions/[^/]+/complete$|^/api-clients/")
_ENDS_TENANT = re.compile(r"^/tenants/\{slug\}(/switches)?$")
_TENANT_HEADER = "Latchkey-Tenant"
# Made up, they only lead to a refusal: a tag that nothing has, the page of no list, the key of another call.
_SELDOM_APT = ("If-Match", "cursor", "Idempotency-Key")
_AIMED = 0.8

_targets: dict[str, Any] = json.loads(os.environ.get(TARGETS, "{}"))
_chance = random.Random(1)
_met: set[str] = set()
_answers: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))


@schemathesis.hook
def before_call(context: Any, case: Case, kwargs: dict[str, Any]) -> None:
    """Have most cases name what is there, and keep all of them from what the run lives by."""
    path, victim = _path_of(case), _victim_of(case)
    if not _is_wrong(case, ParameterLocation.PATH):
        is_aimed = _chance.random() < _AIMED
        for place, name in ((found[0], found[1]) for found in _PLACE.finditer(path)):
            value = str(case.path_parameters.get(name, ""))
            is_led_here = value in _met and value not in _lives_by(victim)
            if (is_aimed and not is_led_here) or value in _lives_by(victim):
                case.path_parameters[name] = _targets[victim][place]
    for part in (case.headers, case.query):
        for name in [name for name in part if name in _SELDOM_APT and _chance.random() < _AIMED]:
            del part[name]
    if isinstance(case.body, dict) and not _is_wrong(case, ParameterLocation.BODY):
        apt = _targets["members"][victim]
        case.body.update({name: apt[name] for name in case.body.keys() & apt.keys() if _chance.random() < _AIMED})
    if _chance.random() < _AIMED:
        _name_tenant(case, _targets[victim]["tenants/{slug}"])


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Case, response: Any) -> bool:
    """Leave out that a 503 of the proxy is an error: nobody listens where the victims' provider would be."""
    is_away = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "/proxy/" in _path_of(case)
    return not (is_away and isinstance(failure, ServerError))


@schemathesis.hook
def after_call(context: Any, case: Case, response: Any) -> None:
    """Count the answer, and remember what it names: sequences come back to that."""
    if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        _answers[f"{case.method} {_path_of(case)}"][response.status_code] += 1
    if len(_met) < 100_000:
        _met.update(_UUID.findall(response.text))


def _path_of(case: Case) -> str:
    return str(case.operation.path).removeprefix("/api/v1")


def _victim_of(case: Case) -> str:
    path = _path_of(case)
    if case.method in _READS:
        return "kept"
    if _ENDS_TENANT.match(path):
        return "spare" if case.method == "DELETE" or path.endswith("/switches") else "kept"
    return "spent" if case.method == "DELETE" or _ENDS.search(path) else "kept"


def _lives_by(victim: str) -> set[str]:
    """Return what a call that is for ``victim`` must not name."""
    if victim == "kept":
        return set()
    kept = {value for place, value in _targets["kept"].items() if place not in _targets["shared"]}
    return kept | {_targets["own_client"]}


def _name_tenant(case: Case, slug: str) -> None:
    names = {parameter.name: parameter.location for parameter in case.operation.iter_parameters()}
    if names.get("tenant") is ParameterLocation.QUERY and not _is_wrong(case, ParameterLocation.QUERY):
        case.query["tenant"] = slug
    elif _TENANT_HEADER in names and not _is_wrong(case, ParameterLocation.HEADER):
        case.headers[_TENANT_HEADER] = slug
    elif isinstance(case.body, dict) and "tenant" in case.body and not _is_wrong(case, ParameterLocation.BODY):
        case.body["tenant"] = slug


def _is_wrong(case: Case, where: ParameterLocation) -> bool:
    component = case.meta.components.get(where) if case.meta is not None else None
    return component is not None and component.mode is GenerationMode.NEGATIVE


@atexit.register
def _write_counts() -> None:
    if path := os.environ.get(COUNTS):
        Path(path).write_text(json.dumps(_answers))
