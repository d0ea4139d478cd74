"""What the database refuses, whoever writes: each constraint by rows that break it, and by rows that just do not."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.database.clock import database_now
from connections.models import (
    ApiClient,
    Brand,
    Connection,
    Installation,
    Scope,
    TenantDomain,
)
from connections.models.brand import OPERATORS
from connections.models.states import REASONS_OF
from tests.connections.api.stored import make_app, make_connection
from tests.connections.models.cast import Cast
from tests.connections.models.figures import FIGURES
from tests.connections.models.issuers import ISSUERS
from tests.connections.models.notices import NOTICES
from tests.connections.models.sessions import SESSIONS
from tests.connections.models.watching import WATCHING
from tests.connections.models.webhooks import WEBHOOKS
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stored(module_db: None) -> Cast:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    return Cast(acme, globex, make_connection(acme, account="person-1"))


@pytest.fixture
def cast(stored: Cast) -> Cast:
    return deepcopy(stored)


Act = Callable[[Cast], object]


def twice(make: Act) -> Act:
    return lambda cast: (make(cast), make(cast))


# Constraint: what breaks it, and what comes close and is allowed.
CONSTRAINTS: dict[str, tuple[list[Act], list[Act]]] = {
    **ISSUERS,
    **SESSIONS,
    "quarantine_has_a_cause": (
        [
            lambda _: Installation.objects.create(quarantined_at=database_now()),
            lambda _: Installation.objects.create(cause="behind"),
            lambda _: Installation.objects.create(sorted_at=database_now()),
            lambda _: Installation.objects.create(rewound_to=database_now()),
        ],
        [
            lambda _: Installation.objects.create(quarantined_at=database_now(), cause="behind"),
        ],
    ),
    "staff_identity_once": (
        [twice(lambda cast: cast.identity())],
        [lambda cast: [cast.identity(), cast.identity(subject="2"), cast.identity(issuer="https://other.example")]],
    ),
    "import_ends_when_it_is_done": (
        [
            lambda cast: cast.import_run(state="done"),
            lambda cast: cast.import_run(state="storing", finished_at=database_now()),
        ],
        [lambda cast: cast.import_run(state="done", finished_at=database_now())],
    ),
    "import_row_once_a_line": (
        [twice(lambda cast: cast.import_row())],
        [lambda cast: [cast.import_row(line=line) for line in (1, 2)]],
    ),
    "import_row_keeps_content_until_stored": (
        [lambda cast: cast.import_row(state="stored", content=b"sealed")],
        [lambda cast: [cast.import_row(content=b"sealed"), cast.import_row(line=2, state="stored")]],
    ),
    **WATCHING,
    **WEBHOOKS,
    **NOTICES,
    "domain_once_a_tenant": (
        [twice(lambda cast: TenantDomain.objects.create(tenant=cast.acme, host="acme.example", challenge="x"))],
        [
            lambda cast: [
                TenantDomain.objects.create(tenant=tenant, host="acme.example", challenge="x")
                for tenant in (cast.acme, cast.globex)
            ]
        ],
    ),
    "brand_of_the_operator_is_one": (
        [lambda cast: Brand.objects.create(tenant=None)],
        [lambda cast: Brand.objects.create(tenant=None, id=OPERATORS)],
    ),
    "brand_of_a_tenant_has_no_name": (
        [lambda cast: Brand.objects.filter(tenant=cast.acme).update(name="Acme")],
        [lambda cast: Brand.objects.create(tenant=None, id=OPERATORS, name="Initech")],
    ),
    "brand_has_colors_as_rrggbb": (
        [
            lambda cast: Brand.objects.update(accent="red"),
            lambda cast: Brand.objects.update(dark_text="#12345"),
            lambda cast: Brand.objects.update(surface="#12;}*{"),
            lambda cast: Brand.objects.update(text="#12345\n"),
        ],
        [lambda cast: Brand.objects.update(accent="#0f766e", surface="")],
    ),
    "access_grant_has_one_target": (
        [
            lambda cast: cast.access_grant(provider=""),
            lambda cast: cast.access_grant(connection=cast.connection),
        ],
        [lambda cast: [cast.access_grant(), cast.access_grant(provider="", connection=cast.connection)]],
    ),
    "access_grant_names_its_subject": ([lambda cast: cast.access_grant(subject="")], [Cast.access_grant]),
    "access_grant_begins_first": (
        [lambda cast: cast.access_grant(expires_at=timezone.now() - timedelta(days=1))],
        [lambda cast: [cast.access_grant(expires_at=at) for at in (None, timezone.now() + timedelta(days=1))]],
    ),
    "access_grant_is_revoked_after_it_is_given": (
        [lambda cast: cast.access_grant(revoked_at=timezone.now() - timedelta(days=1))],
        [lambda cast: cast.access_grant(revoked_at=timezone.now() + timedelta(days=1))],
    ),
    "one_access_grant_of_these_terms": (
        [twice(Cast.access_grant)],
        [
            lambda cast: [cast.access_grant(methods=methods) for methods in (None, [], ["GET"])],
            lambda cast: [cast.access_grant(tenant=tenant) for tenant in (cast.acme, cast.globex)],
            lambda cast: [
                cast.access_grant(revoked_at=at)
                for at in (None, timezone.now() + timedelta(days=1), timezone.now() + timedelta(days=1))
            ],
        ],
    ),
    "approval_is_decided_whole": (
        [
            lambda cast: cast.approval(decided_at=timezone.now()),
            lambda cast: cast.approval(is_approved=False),
        ],
        [lambda cast: [cast.approval(), cast.approval(decided_at=timezone.now(), is_approved=False)]],
    ),
    "approval_is_good_for_a_time": (
        [lambda cast: cast.approval(decided_at=timezone.now(), is_approved=True)],
        [lambda cast: cast.approval(decided_at=timezone.now(), is_approved=True, good_until=timezone.now())],
    ),
    "approval_is_used_when_it_is_given": (
        [lambda cast: cast.approval(used_at=timezone.now())],
        [
            lambda cast: cast.approval(
                **dict.fromkeys(("decided_at", "good_until", "used_at"), timezone.now()), is_approved=True
            )
        ],
    ),
    "one_approval_awaited_a_question": (
        [twice(Cast.approval)],
        [
            lambda cast: [cast.approval(asked=asked) for asked in (b"one", b"other")],
            lambda cast: [cast.approval(decided_at=at, is_approved=False) for at in [timezone.now()] * 2],
        ],
    ),
    "offboarding_names_its_end_user": ([lambda cast: cast.offboarding(end_user="")], [Cast.offboarding]),
    "offboarding_erases_to_a_pseudonym": (
        [lambda cast: cast.offboarding(mode="erase")],
        [lambda cast: cast.offboarding(mode="erase", pseudonym="erased-1")],
    ),
    "one_offboarding_under_way": (
        [twice(Cast.offboarding)],
        [
            lambda cast: [cast.offboarding(done_at=at) for at in (None, timezone.now(), timezone.now())],
            lambda cast: [cast.offboarding(tenant=tenant) for tenant in (cast.acme, cast.globex)],
            lambda cast: [cast.offboarding(end_user=name) for name in ("bob", "carol")],
        ],
    ),
    "a_code_is_burnt_once": (
        [twice(lambda cast: cast.burnt(cast.app))],
        [
            lambda cast: [cast.burnt(app) for app in (cast.app, make_app(None))],
            lambda cast: [cast.burnt(cast.app, code_hash=code) for code in (b"1", b"2")],
        ],
    ),
    "api_client_name_once": (
        [
            lambda cast: [ApiClient.objects.create(tenant=cast.acme, name="n") for _ in "12"],
            lambda _: [ApiClient.objects.create(tenant=None, name="n") for _ in "12"],
        ],
        [lambda cast: [ApiClient.objects.create(tenant=tenant, name="n") for tenant in (cast.acme, cast.globex, None)]],
    ),
    "connection_has_one_owner": (
        [
            lambda cast: cast.change(end_user=""),
            lambda cast: cast.change(owner_kind="tenant"),
            lambda cast: cast.change(owner_kind="nobody"),
        ],
        [lambda cast: cast.change(owner_kind="tenant", end_user="")],
    ),
    "connection_of_a_person_is_theirs": (
        [lambda cast: cast.change(granted_by="bob")],
        [lambda cast: cast.change(owner_kind="tenant", end_user="", granted_by="bob")],
    ),
    "connection_status_and_reason_agree": (
        [
            lambda cast: cast.change(status="active", reason="grant_rejected"),
            lambda cast: cast.change(status="disconnected", reason="connected"),
            lambda cast: cast.change(status="needs_reauth", reason="refresh_refused"),
            lambda cast: cast.change(status="unheard_of"),
        ],
        [
            lambda cast: [
                cast.change(status=status, reason=reason)
                for status, reasons in REASONS_OF.items()
                for reason in reasons
            ]
        ],
    ),
    "connection_that_vends_has_a_version": (
        [
            lambda cast: cast.change(current_version_id=None),
            lambda cast: cast.change(status="suspect", reason="refresh_refused", current_version_id=None),
        ],
        [lambda cast: cast.change(status="needs_reauth", reason="grant_rejected", current_version_id=None)],
    ),
    "one_live_connection_an_account": (
        [
            Cast.like,
            lambda cast: cast.change(status="needs_reauth", reason="grant_rejected") or cast.like(),
            lambda cast: cast.change(status="suspect", reason="refresh_refused") or cast.like(),
            lambda cast: cast.change(status="revoked", reason="revoked_by_operator") or cast.like(),
        ],
        [
            lambda cast: cast.like(end_user="bob"),
            lambda cast: cast.like(account="person-2"),
            lambda cast: cast.like(tenant=cast.globex, app=cast.app),
            lambda cast: cast.like(app=make_app(None)),
            lambda cast: (
                cast.change(provider_account_id="")
                or Connection.objects.filter(id=cast.like().id).update(provider_account_id="")
            ),
            lambda cast: cast.change(status="disconnected", reason="disconnected_by_request") or cast.like(),
        ],
    ),
    "one_live_connection_a_label": (
        [
            lambda cast: cast.change(label="Work") or cast.like(account="person-2", label="Work"),
            lambda cast: (
                cast.change(label="Work", status="needs_reauth", reason="grant_rejected")
                or cast.like(account="person-2", app=make_app(None), label="Work")
            ),
        ],
        [
            lambda cast: cast.change(label="") or cast.like(account="person-2", label=""),
            lambda cast: cast.change(label="Work") or cast.like(end_user="bob", label="Work"),
            lambda cast: cast.change(label="Work") or cast.like(tenant=cast.globex, app=cast.app, label="Work"),
            lambda cast: (
                cast.change(label="Work", status="disconnected", reason="disconnected_by_request")
                or cast.like(account="person-2", label="Work")
            ),
        ],
    ),
    "one_default_connection": (
        [
            lambda cast: cast.change(is_default=True) or cast.like(account="person-2", is_default=True),
            lambda cast: (
                cast.change(is_default=True, status="needs_reauth", reason="grant_rejected")
                or cast.like(account="person-2", app=make_app(None), is_default=True)
            ),
        ],
        [
            lambda cast: cast.change(is_default=False) or cast.like(account="person-2", is_default=False),
            lambda cast: cast.change(is_default=True) or cast.like(end_user="bob", is_default=True),
            lambda cast: cast.change(is_default=True) or cast.like(tenant=cast.globex, app=cast.app, is_default=True),
            lambda cast: (
                cast.change(is_default=True, status="disconnected", reason="disconnected_by_request")
                or cast.like(account="person-2", is_default=True)
            ),
        ],
    ),
    "one_current_version": (
        [lambda cast: cast.version("current")],
        [lambda cast: [cast.version(stage) for stage in ("previous", "orphan", "received") * 2]],
    ),
    "one_current_data_key": (
        [lambda cast: cast.key(cast.acme), twice(lambda cast: cast.key(None))],
        [lambda cast: [cast.key(cast.acme, is_current=False) for _ in "12"], lambda cast: cast.key(None)],
    ),
    "one_open_incident_a_kind_and_party": (
        [twice(Cast.incident)],
        [
            lambda cast: [cast.incident(closed_at=timezone.now()) for _ in "12"],
            lambda cast: [cast.incident(kind=kind) for kind in ("client_rejected", "many_failures")],
            lambda cast: [cast.incident(provider_app=app) for app in (cast.app, make_app(None))],
        ],
    ),
    "only_secrets_come_to_an_end": (
        [lambda cast: cast.app_of(cast.acme, other_secrets_end_at=database_now())],
        [lambda cast: cast.app_of(cast.acme, secrets=b"sealed", other_secrets_end_at=database_now())],
    ),
    "a_source_has_been_read": (
        [
            lambda cast: cast.app_of(cast.acme, secret_source="file:/a", secret_look_at=database_now()),
            lambda cast: cast.app_of(cast.acme, secrets=b"sealed", secret_source="file:/a"),
            lambda cast: cast.app_of(cast.acme, secrets=b"sealed", secret_look_at=database_now()),
        ],
        [
            lambda cast: cast.app_of(
                cast.acme, secrets=b"sealed", secret_source="file:/a", secret_look_at=database_now()
            ),
        ],
    ),
    "one_app_a_provider_and_owner": (
        [twice(lambda cast: cast.app_of(cast.acme)), twice(lambda cast: cast.app_of(None))],
        [
            lambda cast: [cast.app_of(tenant) for tenant in (cast.acme, cast.globex, None)],
            lambda cast: [
                cast.app_of(cast.acme, auth_style=style) for style in ("api_key", "oauth2_client_credentials")
            ],
            lambda cast: [cast.app_of(cast.acme, provider=provider) for provider in ("oidc", "github")],
        ],
    ),
    "one_client_an_issuer_and_app": (
        [twice(lambda cast: cast.registered(cast.app))],
        [
            lambda cast: [cast.registered(app) for app in (cast.app, make_app(None))],
            lambda cast: [cast.registered(cast.app, issuer=f"https://{name}.example") for name in ("one", "two")],
            lambda cast: [cast.registered(cast.app, replaced_at=at) for at in (None, timezone.now(), timezone.now())],
        ],
    ),
    "one_key_a_kid_and_app": (
        [twice(lambda cast: cast.app_key(cast.app))],
        [
            lambda cast: [cast.app_key(app) for app in (cast.app, make_app(None))],
            lambda cast: [cast.app_key(cast.app, kid=kid) for kid in ("k1", "k2")],
        ],
    ),
    "bulk_row_once_a_connection": (
        [lambda cast: [cast.bulk_row(cast.bulk_job(1)) for _ in "12"]],
        [lambda cast: [cast.bulk_row(cast.bulk_job(number)) for number in (1, 2)]],
    ),
    "audit_seal_ends_once": (
        [lambda cast: [cast.seal(number, 1, 9) for number in (1, 2)]],
        [lambda cast: [cast.seal(1, 1, 9), cast.seal(2, 10, 12)]],
    ),
    "audit_seal_covers_rows": (
        [lambda cast: cast.seal(0, 1, 9), lambda cast: cast.seal(1, 9, 8), lambda cast: cast.seal(1, 1, 9, rows=0)],
        [lambda cast: cast.seal(1, 9, 9)],
    ),
    "one_answer_kept_a_key": (
        [twice(lambda cast: cast.kept_answer())],
        [
            lambda cast: [cast.kept_answer(key) for key in (b"one", b"other")],
            lambda cast: [cast.kept_answer(of=tenant) for tenant in (cast.acme, cast.globex)],
        ],
    ),
    "one_subject_token_asked": (
        [twice(lambda cast: cast.subject_token(cast.connection))],
        [
            lambda cast: [cast.subject_token(cast.connection, asked) for asked in (b"one", b"other")],
            lambda cast: [cast.subject_token(one) for one in (cast.connection, cast.like(end_user="bob"))],
        ],
    ),
    "one_attempt_in_flight": (
        [
            lambda cast: [cast.attempt(state) for state in ("sent", "sent")],
            lambda cast: [cast.attempt(state) for state in ("sent", "in_doubt")],
            lambda cast: [cast.attempt(state) for state in ("in_doubt", "in_doubt")],
        ],
        [
            lambda cast: [
                cast.attempt(state)
                for state in ("sent", "received", "promoted", "rejected", "superseded", "aborted", "received")
            ],
            lambda cast: [cast.attempt("sent"), cast.attempt("sent", connection=cast.like(account="person-2"))],
        ],
    ),
    **FIGURES,
    "scope_once_a_connection": (
        [lambda cast: [Scope.objects.create(connection=cast.connection, name="s") for _ in "12"]],
        [
            lambda cast: [
                Scope.objects.create(connection=connection, name="s")
                for connection in (cast.connection, cast.like(account="person-2"))
            ]
        ],
    ),
}


def named_in_the_models() -> set[str]:
    models = apps.get_app_config("connections").get_models()
    return {constraint.name for model in models for constraint in model._meta.constraints}


def test_every_constraint_is_in_this_table() -> None:
    assert named_in_the_models() == set(CONSTRAINTS)


@pytest.mark.parametrize(
    ("name", "act"),
    [(name, act) for name, (broken, _) in CONSTRAINTS.items() for act in broken],
    ids=[f"{name}-{number}" for name, (broken, _) in CONSTRAINTS.items() for number, _ in enumerate(broken)],
)
def test_the_database_refuses(cast: Cast, name: str, act: Act) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act(cast)


@pytest.mark.parametrize(
    "act",
    [act for _, allowed in CONSTRAINTS.values() for act in allowed],
    ids=[f"{name}-{number}" for name, (_, allowed) in CONSTRAINTS.items() for number, _ in enumerate(allowed)],
)
def test_the_database_takes(cast: Cast, act: Act) -> None:
    act(cast)
