"""Each operation that changes something leaves an audit row: derived from the OpenAPI document, a new one by itself."""

import pytest
from django.apps import apps

from connections.models import ApiKey, AuditEvent, KeptAnswer, Permission
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.victim import NAMED, SHARED, Victim, make_victim
from tests.factories import Caller, make_caller

CHANGING = [operation for operation in DESCRIBED if operation.method not in ("GET", "HEAD")]
# What the sample of the document alone is refused for, or finds as it was. Other tests call these well, and look at the
# trail. Each proxied call, vend and exchange has a row even if it is refused.
CHANGE_NOTHING_HERE = {
    *("DELETE /own-providers/{own_slug}", "PUT /own-providers/{own_slug}"),
    *("DELETE /provider-apps/{app_id}/client-secrets/{fingerprint}", "DELETE /provider-apps/{app_id}/keys/{key_id}"),
    *("PUT /provider-apps/{app_id}/client-secrets/end", "PUT /provider-apps/{app_id}/client-secrets/source"),
    *("DELETE /provider-apps/{app_id}/push-secrets/{fingerprint}", "POST /provider-apps/{app_id}/push-secrets"),
    "POST /bulk-jobs",
    *("POST /connect-sessions", "POST /connect-sessions/{session_id}/complete", "POST /management-sessions"),
    "POST /canaries",
    *("POST /connections/{connection_id}/discard-answer", "POST /connections/{connection_id}/reread"),
    "POST /connections/{connection_id}/release",
    *("POST /provider-apps/{app_id}/registered-clients/{registered_id}/renew", "POST /trusted-issuers"),
    *("POST /trusted-issuers/{issuer_id}/rules", "POST /webhook-endpoints", "PUT /webhook-endpoints/{endpoint_id}"),
    *("PUT /api-clients/{client_id}/assertion-keys", "PUT /api-clients/{client_id}/keys/{key_id}"),
    *("PUT /api-clients/{client_id}/switches", "PUT /connections/{connection_id}/sharing"),
    *("PUT /connections/{connection_id}/switches", "PUT /provider-apps/{app_id}/switches"),
    *("PUT /provider-apps/{app_id}/keys/{key_id}/certificates", "PUT /shared-provider-apps/{provider}"),
    *("PUT /tenants/{slug}/provider-apps/{provider}", "PUT /tenants/{slug}/switches"),
    # It looks at an entry, and stores nothing.
    "POST /own-providers/{own_slug}/check",
    # These send a request to somebody else, for which no transaction may be open as it is here.
    *("POST /connections/{connection_id}/probe", "POST /connections/{connection_id}/refresh"),
    *("POST /webhook-endpoints/{endpoint_id}/test", "PUT /tenants/{slug}/domains/{host}"),
}


@pytest.fixture(scope="module")
def victim(module_db: None) -> Victim:
    return make_victim()


@pytest.fixture(scope="module")
def operator(victim: Victim) -> Caller:
    """An operator-wide client that may do everything."""
    return make_caller(None, "operator", list(Permission))


def everything() -> dict[str, list[str]]:
    """Return every row of our tables as text, but for the trail, and what is noted of each call as such."""
    noted = (AuditEvent, KeptAnswer, ApiKey)
    tables = [table for table in apps.get_app_config("connections").get_models() if table not in noted]
    return {
        table.__name__: [str(row) for row in table._default_manager.order_by("pk").values_list()] for table in tables
    }


@pytest.mark.parametrize("operation", CHANGING, ids=str)
def test_what_changes_something_leaves_a_row(operation: Described, victim: Victim, operator: Caller, db: None) -> None:
    last, before = AuditEvent.objects.latest("id").id, everything()
    places = {place: SHARED.get(place) or NAMED[place](victim) for place in operation.places}
    operation.call(operator, places, tenant=victim.tenant.slug)
    written = AuditEvent.objects.filter(id__gt=last)
    if everything() == before and str(operation) in CHANGE_NOTHING_HERE:
        return
    assert written.exists(), "it changed something, or is not in the list of those that do not here"
    by = set(written.values_list("api_client_id", flat=True))
    assert operator.client.id in by or set(written.values_list("action", flat=True)) == {"import.finished"}, (
        "who did it"
    )
