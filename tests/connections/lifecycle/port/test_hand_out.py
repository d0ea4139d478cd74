"""Hand out: what of a tenant leaves, and what does not. Where it goes, ``test_receive.py`` has it arrive."""

import pytest
from django.db.models import Model

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.port.hand_out import (
    APP_COLUMNS,
    APP_SWITCHES,
    CONNECTION_COLUMNS,
    SECRETS_END,
    VERSION_COLUMNS,
)
from connections.lifecycle.steer.switches import suspend
from connections.models import AuditEvent, Connection, CredentialVersion, ProviderApp, SubjectToken, Tenant
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.port.test_receive import bundle
from tests.factories import make_tenant

# Columns that do not leave with a tenant, and why. A new column has to be in one of the two.
STAY: dict[type[Model], tuple[tuple[str, ...], set[str]]] = {
    ProviderApp: (
        (*APP_COLUMNS, *APP_SWITCHES, *SECRETS_END),
        {
            *("id", "tenant", "secrets"),  # of these the bundle has members of its own
            *("secret_source", "secret_read_at", "secret_look_at", "secret_claimed_until"),  # a place of this house
            *("secret_failing_since", "secret_problem"),
            "push_secrets",  # the provider has to be told the new address, and a new secret with it
            "registers_itself",  # what it registered is this address's
            *("secrets_changed_at", "created_at", "updated_at"),
        },
    ),
    Connection: (
        CONNECTION_COLUMNS,
        {
            *("id", "tenant", "provider_app", "current_version"),  # of these the bundle has members of its own
            *("registered_client", "is_canary", "is_trial"),  # such connections stay
            *("access_expires_at", "refresh_expires_at", "grant_expires_at", "grant_id", "party"),  # from the version
            *("evidence", "status_changed_at", "refused_at", "failures", "refresh_failing_at"),  # seen anew there
            *("undecryptable_at", "answer_unread_at", "verified_at", "verified_by", "crowded_at", "foretold"),
            *("refresh_due_at", "refresh_enqueued_until", "next_attempt_at", "probe_due_at"),  # planned anew there
            *("spared_by", "spared_at"),  # a refresh that may be in doubt here alone
            *("revocation", "revocation_due_at", "revocation_deadline_at", "revocation_failures"),  # live ones go
            *("last_vended_at", "updated_at"),
        },
    ),
    CredentialVersion: (
        VERSION_COLUMNS,
        {"id", "connection", "data_key", "secrets", "fingerprint", "grant_id", "parent", "attempt", "stage"},
    ),
}


@pytest.mark.parametrize("model", STAY)
def test_it_is_decided_of_every_column_whether_it_leaves(model: type[Model]) -> None:
    leave, stay = STAY[model]
    assert {*leave} & stay == set()
    assert {*leave} | stay == {column.name for column in model._meta.concrete_fields}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("was_suspended", [False, True])
def test_a_move_that_is_repeated_does_not_take_its_own_standstill_for_the_operator_s(was_suspended: bool) -> None:
    acme = make_tenant("acme")
    make_connection(acme)
    SubjectToken.objects.create(connection=Connection.objects.get(), asked=b"asked", kept_until=database_now())
    if was_suspended:
        suspend(acme, now=database_now(), actor=SYSTEM)
    for _ in range(2):
        _, document = bundle(Tenant.objects.get())
        assert document["tenant"]["suspended"] is was_suspended
    assert not SubjectToken.objects.exists(), "suspending forgets them, whoever does it"
    assert AuditEvent.objects.filter(action="tenant.suspended").count() == 1
