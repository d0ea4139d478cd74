"""The API, its OpenAPI document, and the answers for addresses and methods that do not exist."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from connections.api import conditional, document, idempotency, problems, queries
from connections.api.auth import ApiKeyAuth, VendKeyAuth
from connections.api.routers import (
    access_grants,
    api_clients,
    app_keys,
    approvals,
    audit_events,
    branding,
    bulk_jobs,
    canaries,
    connect_sessions,
    connection_acts,
    connection_history,
    connections,
    end_users,
    events,
    forecast,
    imports,
    incidents,
    management_sessions,
    oauth,
    outbound_addresses,
    own_providers,
    provider_apps,
    providers,
    proxy,
    pushes,
    quarantine,
    tenants,
    trusted_issuers,
    vend,
    webhook_endpoints,
)

_View = Callable[..., HttpResponse]


class _API(NinjaAPI):
    """Answers an unknown path or method with a problem document, where ninja would answer in HTML or plain text."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, application, namespace = super().urls
        return [*map(self._ours, patterns), re_path("", _nothing_here)], application, namespace

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the OpenAPI document, with what ``document`` says beyond the routes."""
        schema = super().get_openapi_schema(**options)
        document.finish(schema)
        return schema

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the name of an operation, which clients call it by: that of its function."""
        return operation.view_func.__name__

    def _ours(self, theirs: URLResolver | URLPattern) -> URLResolver | URLPattern:
        """Return a pattern of ninja's with our view in its place."""
        if isinstance(theirs, URLResolver):
            return theirs
        return URLPattern(theirs.pattern, _with_problems(theirs.callback), theirs.default_args, theirs.name)


def _with_problems(view: _View) -> _View:
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = _nothing_here(request)
        idempotency.end_once(request, response)
        response = conditional.tag(request, response)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        refused = problems.problem("method_not_allowed", "This address does not know the request's method.")
        refused["Allow"] = response["Allow"]
        return refused

    return wrapped


@csrf_exempt
def _nothing_here(request: HttpRequest) -> HttpResponse:
    return problems.problem("not_found", "There is nothing at this address.")


api = _API(
    title="Latchkey",
    version="1",
    description=document.DESCRIPTION,
    docs_url=None,
    urls_namespace="api",
)
problems.install(api)
idempotency.install(api)
queries.install(api)
api.add_router("", vend.router, auth=VendKeyAuth())
api.add_router("", proxy.router, auth=ApiKeyAuth())
api.add_router("/tenants", tenants.router, auth=ApiKeyAuth())
api.add_router("/branding", branding.router, auth=ApiKeyAuth())
api.add_router("/providers", providers.router, auth=ApiKeyAuth())
api.add_router("/connect-sessions", connect_sessions.router, auth=ApiKeyAuth())
api.add_router("/management-sessions", management_sessions.router, auth=ApiKeyAuth())
api.add_router("/connections/import", imports.orders, auth=ApiKeyAuth())
api.add_router("/imports", imports.router, auth=ApiKeyAuth())
api.add_router("/connections", connections.router, auth=ApiKeyAuth())
api.add_router("/access-grants", access_grants.router, auth=ApiKeyAuth())
api.add_router("/approvals", approvals.router, auth=ApiKeyAuth())
api.add_router("/end-users", end_users.router, auth=ApiKeyAuth())
api.add_router("/offboardings", end_users.receipts, auth=ApiKeyAuth())
api.add_router("/shared-provider-apps", provider_apps.shared, auth=ApiKeyAuth())
api.add_router("/provider-apps", provider_apps.router, auth=ApiKeyAuth())
api.add_router("/provider-apps", app_keys.router, auth=ApiKeyAuth())
api.add_router("/provider-apps", pushes.router, auth=ApiKeyAuth())
api.add_router("/connections", connection_acts.router, auth=ApiKeyAuth())
api.add_router("/connections", connection_history.router, auth=ApiKeyAuth())
api.add_router("/canaries", canaries.router, auth=ApiKeyAuth())
api.add_router("/own-providers", own_providers.router, auth=ApiKeyAuth())
api.add_router("/outbound-addresses", outbound_addresses.router, auth=ApiKeyAuth())
api.add_router("/quarantine", quarantine.router, auth=ApiKeyAuth())
api.add_router("/bulk-jobs", bulk_jobs.router, auth=ApiKeyAuth())
api.add_router("/audit-events", audit_events.router, auth=ApiKeyAuth())
api.add_router("/incidents", incidents.router, auth=ApiKeyAuth())
api.add_router("/api-clients", api_clients.router, auth=ApiKeyAuth())
api.add_router("/trusted-issuers", trusted_issuers.router, auth=ApiKeyAuth())
api.add_router("/oauth", oauth.router, auth=None)  # it reads several proofs of a client itself
api.add_router("/forecast", forecast.router, auth=ApiKeyAuth())
api.add_router("/events", events.router, auth=ApiKeyAuth())
api.add_router("/webhook-endpoints", webhook_endpoints.router, auth=ApiKeyAuth())
