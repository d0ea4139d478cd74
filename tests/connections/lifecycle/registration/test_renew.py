import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections.access.secrets import open_registration
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import continue_deletion, order_deletion
from connections.lifecycle.registration.obtain import obtain
from connections.lifecycle.registration.renew import end_unused, renew, renew_due
from connections.models import Connection, OwnerKind, ProviderApp, RegisteredClient, Status, Tenant
from connections.refusals import AppMisconfigured, NotFound, ProviderDown
from providers.sandbox.client import SandboxProcess

DAY = 86_400


@pytest.fixture
def client(app: ProviderApp, sandbox: SandboxProcess) -> RegisteredClient:
    """A client whose secret ends in a day."""
    sandbox.control.settings(registration_lifetime=DAY)
    from tests.connections.lifecycle.registration.conftest import look

    return obtain(app, look(sandbox), actor=SYSTEM)


def bring_nearer(client: RegisteredClient, *, seconds: int) -> datetime:
    """Let the secret end in ``seconds``, and return that moment."""
    ends_at = timezone.now() + timedelta(seconds=seconds)
    RegisteredClient.objects.filter(id=client.id).update(secret_expires_at=ends_at, renew_at=timezone.now())
    return ends_at


def outcomes(sandbox: SandboxProcess) -> list[str]:
    return [entry.outcome for entry in sandbox.control.log(endpoint="register")]


def test_a_secret_is_renewed_long_before_it_ends(client: RegisteredClient) -> None:
    assert client.secret_expires_at is not None and client.renew_at is not None
    left = client.secret_expires_at - client.renew_at
    assert timedelta(hours=5) < left < timedelta(hours=7)
    assert renew_due(now=timezone.now()) == 0
    assert renew_due(now=client.renew_at) == 1


def test_a_secret_that_ends_at_once_is_not_renewed_at_every_beat(app: ProviderApp, sandbox: SandboxProcess) -> None:
    from tests.connections.lifecycle.registration.conftest import look

    sandbox.control.settings(registration_lifetime=1)
    client = obtain(app, look(sandbox), actor=SYSTEM)
    assert client.renew_at is not None
    assert timedelta(minutes=14) < client.renew_at - timezone.now() <= timedelta(minutes=15)


def test_where_it_can_be_managed_it_keeps_its_client_id_and_the_secret_of_before(
    client: RegisteredClient, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    ends_at = bring_nearer(client, seconds=3600)
    [before] = open_registration(app, client=client).secrets
    renewed = renew(client.id, actor=SYSTEM)
    assert (renewed.is_new, renewed.client.client_id) == (False, client.client_id)
    assert renewed.client.secret_expires_at is not None and renewed.client.secret_expires_at > ends_at
    after = open_registration(app, client=RegisteredClient.objects.get()).secrets
    assert (len(after), after[1]) == (2, before)
    assert after[0] != before
    assert outcomes(sandbox) == ["registered", "updated"]
    renew(client.id, actor=SYSTEM)  # with the token that the update gave
    assert outcomes(sandbox)[-1] == "updated"


def test_elsewhere_a_new_one_takes_its_place_and_the_old_one_stays_for_its_connections(
    client: RegisteredClient, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    RegisteredClient.objects.update(management=None)  # the server offers none
    renewed = renew(client.id, actor=SYSTEM)
    assert (renewed.is_new, renewed.client.client_id != client.client_id) == (True, True)
    assert renewed.client.redirect_uri.endswith(str(renewed.client.id))
    kept = RegisteredClient.objects.get(id=client.id)
    assert kept.replaced_at is not None
    assert open_registration(app, client=kept).secrets == open_registration(app, client=client).secrets
    with pytest.raises(NotFound):
        renew(client.id, actor=SYSTEM)


def test_an_update_that_brings_no_later_end_is_followed_by_a_new_registration(
    client: RegisteredClient, sandbox: SandboxProcess
) -> None:
    bring_nearer(client, seconds=3600)
    sandbox.control.settings(registration_lifetime=60)
    assert renew(client.id, actor=SYSTEM).is_new
    assert outcomes(sandbox) == ["registered", "updated", "registered"]


def test_a_registration_that_the_server_forgot_is_made_anew(client: RegisteredClient, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("error", endpoint="register", error="invalid_token", status=401)
    assert renew(client.id, actor=SYSTEM).is_new


@pytest.mark.parametrize(
    ("kind", "told"),
    [("status", {"status": 405}), ("error", {"error": "invalid_client_metadata"}), ("status", {"status": 302})],
)
def test_where_no_update_is_taken_it_is_made_anew_in_time(
    client: RegisteredClient, app: ProviderApp, sandbox: SandboxProcess, kind: str, told: dict[str, Any]
) -> None:
    sandbox.control.fault(kind, endpoint="register", **told)
    with pytest.raises(AppMisconfigured):
        renew(client.id, actor=SYSTEM)  # nothing is due yet, and nothing is lost
    bring_nearer(client, seconds=3600)
    sandbox.control.fault(kind, endpoint="register", **told)
    renewed = renew(client.id, actor=SYSTEM)
    assert renewed.is_new
    assert open_registration(app, client=renewed.client).secrets


@pytest.mark.parametrize("is_due", [False, True])
def test_an_update_that_repeats_no_secret_leaves_the_one_there_is(
    client: RegisteredClient, app: ProviderApp, sandbox: SandboxProcess, is_due: bool
) -> None:
    ends_at = bring_nearer(client, seconds=3600 if is_due else DAY)
    if not is_due:
        RegisteredClient.objects.update(renew_at=ends_at)
    before = open_registration(app, client=client).secrets
    sandbox.control.fault("status", endpoint="register", status=200, body=json.dumps({"client_id": client.client_id}))
    renewed = renew(client.id, actor=SYSTEM)
    assert renewed.is_new is is_due
    kept = RegisteredClient.objects.get(id=client.id)
    assert open_registration(app, client=kept).secrets == before
    assert kept.secret_expires_at is not None and abs(kept.secret_expires_at - ends_at) < timedelta(seconds=2)


def test_a_failure_leaves_it_as_it_was_and_is_tried_again(
    client: RegisteredClient, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    bring_nearer(client, seconds=3600)
    sandbox.control.fault("status", endpoint="register", status=503, times=0)
    with pytest.raises(ProviderDown):
        renew(client.id, actor=SYSTEM)
    row = RegisteredClient.objects.get()
    assert (row.client_id, row.claimed_until, bool(row.problem)) == (client.client_id, None, True)
    assert row.renew_at is not None and timedelta(0) < row.renew_at - timezone.now() <= timedelta(minutes=16)
    assert renew_due(now=timezone.now()) == 0
    sandbox.control.clear_faults()
    assert renew_due(now=row.renew_at) == 1
    assert RegisteredClient.objects.get().problem == ""


def test_another_process_s_renewal_is_left_alone(client: RegisteredClient) -> None:
    RegisteredClient.objects.update(claimed_until=timezone.now() + timedelta(seconds=30), renew_at=timezone.now())
    with pytest.raises(ProviderDown):
        renew(client.id, actor=SYSTEM)
    assert renew_due(now=timezone.now()) == 0


def test_what_does_not_open_is_told(client: RegisteredClient, settings: object) -> None:
    RegisteredClient.objects.update(management=b"not sealed at all")
    with pytest.raises(AppMisconfigured, match="does not open"):
        renew(client.id, actor=SYSTEM)


def connected(client: RegisteredClient, **values: object) -> Connection:
    app = client.provider_app
    return Connection.objects.create(
        tenant=app.tenant,
        provider_app=app,
        provider=app.provider,
        owner_kind=OwnerKind.END_USER,
        end_user="alice",
        registered_client=client,
        **values,
    )


def test_a_replaced_one_ends_at_the_server_too_once_no_connection_needs_it(
    client: RegisteredClient, sandbox: SandboxProcess
) -> None:
    connection = connected(client)
    RegisteredClient.objects.get().replace(at=timezone.now())
    assert end_unused() == 0
    Connection.objects.filter(id=connection.id).update(status=Status.DISCONNECTED, reason="disconnected_by_request")
    assert end_unused() == 1
    assert outcomes(sandbox)[-1] == "deleted"
    assert not RegisteredClient.objects.exists()
    assert Connection.objects.get().registered_client_id is None


def test_the_current_one_stays_though_nobody_has_connected_yet(client: RegisteredClient) -> None:
    assert end_unused() == 0
    assert RegisteredClient.objects.count() == 1


def test_what_a_tenant_registered_ends_at_the_server_before_the_tenant_s_keys_do(
    client: RegisteredClient, acme: Tenant, sandbox: SandboxProcess
) -> None:
    order_deletion(acme.id, now=timezone.now(), at_once=False, actor=SYSTEM)
    assert not continue_deletion(acme.id, now=timezone.now()).is_done, "the server knows the client still"
    assert end_unused() == 1
    assert outcomes(sandbox)[-1] == "deleted"
    assert continue_deletion(acme.id, now=timezone.now()).is_done


def test_a_server_that_does_not_answer_holds_up_no_deletion(
    client: RegisteredClient, acme: Tenant, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", endpoint="register", status=503, times=0)
    order_deletion(acme.id, now=timezone.now(), at_once=False, actor=SYSTEM)
    continue_deletion(acme.id, now=timezone.now())
    assert end_unused() == 1
    assert continue_deletion(acme.id, now=timezone.now()).is_done
