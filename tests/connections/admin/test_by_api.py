"""Whatever an operator can do in the admin is an operation of the API, or it says why it is done by people alone.

``TABLE`` has a row for each page, button, form and action that the admin has; a new one needs a row. Who may log in is
left out: no key makes a login. So is the preview beside the form of a brand, which is for eyes.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from connections.admin.buttons import ButtonsAdmin
from tests.connections.api.operations import DOCUMENT

OPERATION_IDS = {operation["operationId"] for item in DOCUMENT["paths"].values() for operation in item.values()}
# What Django's admin has for each kind of row, and for people who log in.
_USUAL = {"changelist", "add", "change", "delete", "history", "press"}
_OF_PEOPLE = {
    *("index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n", "app_list"),
    "view_on_site",
}


class ByPeople(str):
    """Why no operation of the API does it."""

    __slots__ = ()


_KEYS = ByPeople("data keys are made and rotated by `manage.py`, at the machine that has the other keys")
_SEALS = ByPeople(
    "whoever could order or read the proof by a key could be whom it is to convict: `manage.py`, auditors"
)
_MAIL = ByPeople("mail is for people; programs read the same in `/events`, and are told by webhooks")
_TRIALS = ByPeople("a person goes through a consent with their own account, and says by their login that it was them")
_WATCHED = ByPeople("a key that could set the rules or give its word could do so for its thief: people of security do")
TABLE: dict[str, str | ByPeople] = {
    "page: addresses": "get_outbound_addresses",
    "page: describe": "check_own_provider put_own_provider",
    "page: entry": "get_provider",
    "page: list": "list_providers",
    "page: own": "get_own_provider check_own_provider put_own_provider",
    "page: remove": "delete_own_provider",
    "page: auditverification_order": _SEALS,
    "page: auditevent_export": "list_audit_events stream_audit_events",
    "page: notice_test": _MAIL,
    "accessgrant: see": "list_access_grants get_access_grant",
    "accessgrant: add": "create_access_grant",
    "accessgrant: revoke": "delete_access_grant",
    "apiclient: see": "list_api_clients get_api_client",
    "apiclient: add": "create_api_client",
    "apiclient: change": "put_api_client put_assertion_keys",
    "apiclient: issue-key": "issue_api_key",
    "apiclient: rotate-keys": "issue_api_key",
    "apiclient: suspend": "put_api_client_switches",
    "apiclient: resume": "put_api_client_switches",
    "apiclient: vouch": _WATCHED,
    "apikey: see": "list_api_keys get_api_key",
    "apikey: revoke": "revoke_api_key",
    "appkey: see": "list_app_keys get_app_key",
    "appkey: certify": "put_app_key_certificates",
    "appkey: withdraw": "withdraw_app_key",
    "approval: see": "list_approvals get_approval",
    "approval: approve": "approve",
    "approval: deny": "deny",
    "auditevent: see": "list_audit_events",
    "auditseal: see": _SEALS,
    "auditverification: see": _SEALS,
    "brand: see": "get_branding get_tenant",
    "brand: add": "put_branding put_tenant",
    "brand: change": "put_branding put_tenant",
    "bundle: see": ByPeople("bundles are written and read as files, by `manage.py tenants`, at the machine"),
    "connectsession: see": "list_connect_sessions get_connect_session list_connect_steps",
    "connectsession: finish": _TRIALS,
    "connectsession: end-trial": _TRIALS,
    "connection: see": "list_connections get_connection get_outlook list_receipts",
    "connection: refresh": "refresh_connection",
    "connection: probe": "probe_connection",
    "connection: reread": "reread_connection",
    "connection: discard-answer": "discard_answer",
    "connection: pause": "put_connection_switches",
    "connection: unpause": "put_connection_switches",
    "connection: suspend": "put_connection_switches",
    "connection: resume": "put_connection_switches",
    "connection: revoke": "revoke_connection",
    "connection: export": "create_bulk_job",
    "connection: disconnect": "delete_connection",
    "credentialversion: see": "list_versions",
    "datakey: see": _KEYS,
    "finding: see": ByPeople("events of the operator's tell them; no stolen key is to read what it has set off"),
    "finding: settle": _WATCHED,
    "heldconnection: see": "get_quarantine list_held_connections",
    "heldconnection: release": "release_connection create_bulk_job",
    "heldconnection: release-used": "release_connection",
    "importrow: see": "list_import_rows",
    "importrun: see": "get_import",
    "incident: see": "list_incidents get_incident",
    "bulkjob: cancel": "cancel_bulk_job",
    "bulkjob: download": "list_bulk_rows",
    "bulkjob: see": "list_bulk_jobs get_bulk_job",
    "bulkrow: see": "list_bulk_rows",
    "incident: close": "close_incident",
    "managementsession: see": "list_management_sessions get_management_session",
    "managementsession: close": "end_management_session",
    "notice: see": _MAIL,
    "notice: send-again": _MAIL,
    "offboarding: see": "get_offboarding",
    "outboxevent: see": "list_events",
    "providerapp: see": "list_shared_provider_apps list_provider_apps get_provider_app get_client_secrets",
    "providerapp: add": "put_shared_provider_app put_provider_app",
    "providerapp: change": "put_provider_app add_app_client_secret retire_client_secret",
    "providerapp: try": _TRIALS,
    "providerapp: preview": ByPeople("it is for eyes"),
    "providerapp: rotate-secret": "add_app_client_secret",
    "providerapp: end-secrets": "put_client_secrets_end",
    "providerapp: refer-secret": "get_client_secret_source put_client_secret_source",
    "providerapp: read-secret": "put_client_secret_source",
    "providerapp: make-key": "create_app_key",
    "providerapp: bring-key": "create_app_key",
    "providerapp: push-secret": "add_app_push_secret",
    "providerapp: retire-push-secret": "retire_app_push_secret",
    "providerapp: pause": "put_provider_app_switches",
    "providerapp: unpause": "put_provider_app_switches",
    "providerapp: suspend": "put_provider_app_switches",
    "providerapp: resume": "put_provider_app_switches",
    "receivedpush: see": "get_push list_pushes",
    "refreshattempt: see": "list_refresh_attempts",
    "registeredclient: see": "list_registered_clients",
    "registeredclient: renew": "renew_registered_client",
    "scope: see": "get_connection",
    "tenant: see": "list_tenants get_tenant",
    "tenant: add": "put_tenant",
    "tenant: change": "put_tenant",
    "tenant: suspend": "put_tenant_switches",
    "tenant: resume": "put_tenant_switches",
    "tenant: delete": "delete_tenant",
    "tenantdomain: see": "list_domains get_domain",
    "tenantdomain: add": "put_domain",
    "tenantdomain: look": "put_domain",
    "tenantdomain: remove": "delete_domain",
    "trustedissuer: see": "list_trusted_issuers get_trusted_issuer list_caller_rules",
    "trustedissuer: distrust": "delete_trusted_issuer",
    "watchsetting: see": _WATCHED,
    "watchsetting: change": _WATCHED,
    "watchsetting: lay": "create_canary",
    "webhookdelivery: see": "list_webhook_deliveries",
    "webhookdelivery: resend": "resend_webhook_delivery",
    "webhookendpoint: see": "list_webhook_endpoints get_webhook_endpoint",
    "webhookendpoint: add": "create_webhook_endpoint",
    "webhookendpoint: test": "send_test_event",
    "webhookendpoint: enable": "put_webhook_switches",
    "webhookendpoint: retry": "put_webhook_switches",
    "webhookendpoint: disable": "put_webhook_switches",
    "webhookendpoint: replay": "replay_webhook_events",
    "webhookendpoint: change": "put_webhook_endpoint",
    "webhookendpoint: rotate": "rotate_webhook_secret",
    "webhookendpoint: remove": "delete_webhook_endpoint",
}


def acts() -> Iterator[str]:
    """Yield whatever somebody who may do everything can do in the admin, as ``TABLE`` names it."""
    request = RequestFactory().get("/")
    request.user = User(username="chief", is_superuser=True, is_staff=True)
    for model, page in admin.site._registry.items():
        if model._meta.app_label != "connections":
            continue  # who may log in
        kind = model._meta.model_name
        yield f"{kind}: see"
        may = {
            "add": page.has_add_permission(request),
            "change": page.has_change_permission(request),
            "delete": page.has_delete_permission(request),
        }
        verbs = [button.verb for button in page.buttons] if isinstance(page, ButtonsAdmin) else []
        for verb in [*(way for way, is_allowed in may.items() if is_allowed), *verbs, *(page.actions or ())]:
            yield f"{kind}: {verb}"
    for name in _pages(get_resolver(), is_inside=False):
        if name.removeprefix("auth_").partition("_")[0] in ("user", "group"):
            continue
        plain = name.removeprefix("connections_")
        if plain.rpartition("_")[2] not in _USUAL and plain not in _OF_PEOPLE:
            yield f"page: {plain}"


def _pages(resolver: URLResolver, *, is_inside: bool) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _pages(pattern, is_inside=is_inside or pattern.namespace in ("admin", "catalogue"))
        elif isinstance(pattern, URLPattern) and is_inside and pattern.name:
            yield pattern.name


def test_whatever_the_admin_does_is_in_the_table() -> None:
    assert sorted(set(acts()) ^ TABLE.keys()) == [], "say in TABLE which operation of the API does it, or why none does"


@pytest.mark.parametrize("act", TABLE)
def test_the_table_names_operations_that_there_are(act: str) -> None:
    does = TABLE[act]
    assert isinstance(does, ByPeople) or {*does.split()} <= OPERATION_IDS
