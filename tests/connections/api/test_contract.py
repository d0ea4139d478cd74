"""Whatever is sent, well formed or not, the API answers as its OpenAPI document says: Schemathesis finds nothing.

Each operation gets what its schemas allow, and what they do not, for a tenant that has one of each thing; the same each
time. ``make contract`` does so for longer, against the running stack.
"""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from connections.models import Permission
from tests.asgi_client import AsgiClient
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.operations import DOCUMENT
from tests.connections.api.test_matrix import victims
from tests.connections.api.victim import Victim, make_victim
from tests.factories import Caller, make_caller

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
EXAMPLES = 3
# These ask somebody outside, which no transaction may be open around: the campaign names what is there.
ASK_A_PROVIDER = {"put_domain", "refresh_connection", "probe_connection", "send_test_event"}
# A schema cannot say that a provider is in the catalogue, or that a return URL is one of the tenant's.
EXCLUDED = [positive_data_acceptance]


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Be a WSGI application whose requests the ASGI application answers, in this thread and transaction."""
    sent = {
        name.removeprefix("HTTP_").replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name != "HTTP_HOST"
    }
    url = environ["PATH_INFO"].encode("latin-1")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer = AsgiClient().generic(
        environ["REQUEST_METHOD"],
        quote(url) + (f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""),
        body,
        environ.get("CONTENT_TYPE", ""),
        headers=sent,
    )
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]


SCHEMA.app = application


@pytest.fixture(scope="module")
def victim(module_db: None) -> Victim:
    return make_victim()


@pytest.fixture(scope="module")
def manager(module_db: None) -> Caller:
    return make_caller(None, "manager", list(Permission))


@pytest.mark.parametrize("operation", DESCRIBED, ids=str)
def test_the_api_answers_as_its_document_says(operation: Described, victim: Victim, manager: Caller, db: None) -> None:
    described = SCHEMA[operation.path][operation.method]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(data=st.data())
    def attempt(data: Any) -> None:
        mode = data.draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
        case = data.draw(described.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()) and operation.told["operationId"] not in ASK_A_PROVIDER:
            aim(case, operation, victim)
        answer = case.call_and_validate(
            base_url="http://localhost/api/v1", headers=manager.headers, excluded_checks=EXCLUDED
        )
        if is_wrong(case, ParameterLocation.BODY):
            assert answer.status_code >= HTTPStatus.BAD_REQUEST

    attempt()


def aim(case: Case, operation: Described, victim: Victim) -> None:
    """Have a case name what the victim has."""
    for place, value in () if is_wrong(case, ParameterLocation.PATH) else victims(operation, victim).items():
        case.path_parameters[place.partition("{")[2].rstrip("}")] = value
    if operation.tenant_is_named_in == "query":
        case.query["tenant"] = victim.tenant.slug
    elif operation.tenant_is_named_in == "header":
        case.headers["Latchkey-Tenant"] = victim.tenant.slug
    elif operation.tenant_is_named_in == "body" and isinstance(case.body, dict):
        case.body["tenant"] = victim.tenant.slug


def is_wrong(case: Case, where: ParameterLocation) -> bool:
    """Whether this part of a case is one that the document does not allow."""
    component = case.meta.components.get(where) if case.meta is not None else None
    return component is not None and component.mode is GenerationMode.NEGATIVE
