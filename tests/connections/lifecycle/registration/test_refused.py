from typing import Any

import pytest
from django.utils import timezone

from connections.journal.audit import SYSTEM
from connections.lifecycle.registration.obtain import obtain
from connections.lifecycle.registration.refused import give_up_refused
from connections.models import AuditEvent, ProviderApp, RegisteredClient
from providers.errors import ClientRejected, Evidence, GrantRejected, ProviderError

UNKNOWN = Evidence("refused", status=401, error="invalid_client")


@pytest.mark.parametrize(
    "said",
    [UNKNOWN, Evidence("refused", status=400, error="invalid_client"), Evidence("refused", status=401)],
    ids=["RFC 6749", "with 400", "a bare 401"],
)
def test_a_client_that_the_server_does_not_know_any_more_is_registered_anew(
    app: ProviderApp, discovered: dict[str, str], said: Evidence
) -> None:
    before = obtain(app, discovered, actor=SYSTEM)
    for _ in range(2):
        give_up_refused(app, before, ClientRejected(said), now=timezone.now())
    after = obtain(app, discovered, actor=SYSTEM)
    assert (after.id != before.id, after.client_id != before.client_id) == (True, True)
    kept = RegisteredClient.objects.get(id=before.id)
    assert (kept.client_id, kept.replaced_at is not None) == (before.client_id, True), "its connections keep it"
    told = AuditEvent.objects.get(action="provider_app.registration_refused")
    assert told.detail["issuer"] == discovered["issuer"]


@pytest.mark.parametrize(
    "failure",
    [
        ClientRejected(Evidence("no", status=401, error="unauthorized_client")),
        ClientRejected(Evidence("no", status=400)),
        ClientRejected(Evidence("no", status=500)),
        ClientRejected(Evidence("no", sent=False)),
        GrantRejected(UNKNOWN),
    ],
)
def test_another_refusal_gives_up_nothing(app: ProviderApp, discovered: dict[str, str], failure: ProviderError) -> None:
    client = obtain(app, discovered, actor=SYSTEM)
    give_up_refused(app, client, failure, now=timezone.now())
    give_up_refused(app, None, ClientRejected(UNKNOWN), now=timezone.now())
    assert obtain(app, discovered, actor=SYSTEM).id == client.id


def test_a_document_is_ours_and_is_never_given_up(app: ProviderApp, discovered: dict[str, str]) -> None:
    said: dict[str, Any] = discovered | {"client_id_metadata_document": "supported"}
    client = obtain(app, said, actor=SYSTEM)
    give_up_refused(app, client, ClientRejected(UNKNOWN), now=timezone.now())
    assert obtain(app, said, actor=SYSTEM).id == client.id
