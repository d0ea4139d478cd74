"""Whoever calls whatever: each operation of the OpenAPI document is attacked across tenants, a new one by itself.

Each attack names what another tenant has. Its answer has to be the one for what does not exist, and what is stored of
that tenant has to stay. ``test_isolation.py`` says by hand what each operation needs, and of whom.
"""

import re
import uuid

import pytest
from django.http import HttpResponse

from connections.models import ApiClient, Permission, Tenant
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.stored import make_connection
from tests.connections.api.victim import MARK, NAMED, PERSON, SHARED, SLUG, Victim, make_victim, stored_of, unknown_of
from tests.factories import Caller, make_caller, make_tenant

of_operations = pytest.mark.parametrize("operation", DESCRIBED, ids=str)
_TENANT = "tenants/{slug}"
# Different in two answers that say the same.
_VARIES = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"
    r"|(?:victim|person)-" + MARK + r"|" + MARK + r"\.example|unknown-\w{6}(?:\.example)?"
)


@pytest.fixture(scope="module")
def victim(module_db: None) -> Victim:
    return make_victim()


@pytest.fixture(scope="module")
def globex(module_db: None) -> Tenant:
    return make_tenant("globex")


@pytest.fixture(scope="module")
def stranger(globex: Tenant) -> Caller:
    """A client of globex's whose key has every permission that there is."""
    make_connection(globex)
    caller = make_caller(globex, "stranger", [])
    ApiClient.objects.filter(id=caller.client.id).update(permissions=list(Permission))
    return caller


@pytest.fixture(scope="module")
def operator(globex: Tenant) -> Caller:
    """An operator-wide client that may do everything, and is at work for globex."""
    return make_caller(None, "operator", list(Permission))


@pytest.fixture(autouse=True)
def _all_is_there(victim: Victim, stranger: Caller, operator: Caller, db: None) -> None:
    """Let each test begin with the same rows, whichever comes first."""


def told(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, _VARIES.sub("…", answer.content.decode())


def victims(operation: Described, victim: Victim) -> dict[str, str]:
    """Return how the path names what the victim has."""
    unheard = [place for place in operation.places if place not in NAMED.keys() | SHARED.keys()]
    assert not unheard, f"{operation}: say in victim.py what of the victim's {unheard} names, or that it is shared."
    return {place: SHARED.get(place) or NAMED[place](victim) for place in operation.places}


def nobodys(operation: Described) -> dict[str, str]:
    """Return how the path names what nobody has."""
    return {place: unknown_of(place) for place in operation.places}


def sees_nothing(operation: Described, foreign: HttpResponse, unknown: HttpResponse) -> None:
    """Check that the answer about the victim is the one about nothing, and holds nothing of the victim's."""
    assert told(foreign) == told(unknown), operation
    assert foreign.status_code not in (400, 422, 500), f"{operation} was not really called: {foreign.content!r}"
    text = foreign.content.decode()
    for sent in (SLUG, PERSON, f"{MARK}.example"):
        text = text.replace(sent, "")  # what the path named may come back
    assert MARK not in text, operation


@of_operations
def test_nothing_is_answered_without_a_key(operation: Described, victim: Victim) -> None:
    before = stored_of(victim.tenant)
    for named in (victims(operation, victim), nobodys(operation)):
        for key in (None, Caller(ApiClient(), "lk_unknown")):
            answer = operation.call(key, named)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert answer["WWW-Authenticate"].startswith("Bearer")
    assert stored_of(victim.tenant) == before


@of_operations
def test_what_the_path_names_of_another_tenant_is_as_unknown_as_what_is_not_there(
    operation: Described, victim: Victim, stranger: Caller, operator: Caller
) -> None:
    before = stored_of(victim.tenant)
    foreign, unknown = victims(operation, victim), nobodys(operation)
    if set(operation.places) - SHARED.keys():
        sees_nothing(
            operation,
            operation.call(stranger, foreign),
            operation.call(stranger, unknown),
        )
    # A PUT by name makes what it names, for whoever may: nothing of another tenant's is meant by it.
    makes_it = operation.method == "PUT" and not any(place.endswith("_id}") for place in operation.places)
    if set(operation.places) - SHARED.keys() - {_TENANT} and not makes_it:
        elsewhere = {_TENANT: "globex"} if _TENANT in operation.places else {}
        sees_nothing(
            operation,
            operation.call(operator, foreign | elsewhere, tenant="globex"),
            operation.call(operator, unknown | elsewhere, tenant="globex"),
        )
    assert stored_of(victim.tenant) == before


@of_operations
def test_another_tenants_name_is_as_unknown_as_one_that_nobody_has(
    operation: Described, victim: Victim, stranger: Caller
) -> None:
    if not operation.tenant_is_named_in:
        pytest.skip("names no tenant")
    before = stored_of(victim.tenant)
    named = victims(operation, victim)
    foreign = operation.call(stranger, named, tenant=SLUG)
    unknown = operation.call(stranger, named, tenant="unknown-000000")
    refusals = (400,) if operation.is_form else (403, 404)  # RFC 6749 §5.2
    assert (told(foreign), foreign.status_code in refusals) == (told(unknown), True)
    assert stored_of(victim.tenant) == before


@of_operations
def test_an_identifier_of_another_tenant_is_as_unknown_elsewhere_in_a_request(
    operation: Described, victim: Victim, stranger: Caller
) -> None:
    before, named = stored_of(victim.tenant), nobodys(operation)
    identifiers = [value for value in victim.ids.values() if len(value) == 36]
    for where, name in operation.identifiers():
        place = "query" if where == "query" else "members"
        unknown = operation.call(stranger, named, **{place: {name: str(uuid.uuid4())}})
        for sent in identifiers:
            foreign = operation.call(stranger, named, **{place: {name: sent}})
            assert told(foreign) == told(unknown), (name, sent)
            assert foreign.status_code != 500
            assert MARK not in foreign.content.decode()
    assert stored_of(victim.tenant) == before


@of_operations
def test_what_names_nothing_tells_nothing_of_another_tenant(
    operation: Described, victim: Victim, stranger: Caller, operator: Caller
) -> None:
    if set(operation.places) - SHARED.keys():
        pytest.skip("names something")
    before, shared = stored_of(victim.tenant), {place: SHARED[place] for place in operation.places}
    answers = [operation.call(stranger, shared)]
    if operation.tenant_is_named_in:
        answers.append(operation.call(operator, shared, tenant="globex"))
    for answer in answers:
        assert answer.status_code != 500
        assert MARK not in answer.content.decode()
        assert not [id_ for id_ in victim.ids.values() if id_ in answer.content.decode()]
    assert stored_of(victim.tenant) == before
