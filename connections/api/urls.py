"""The API and its OpenAPI document."""

from ninja import NinjaAPI

from connections.api import problems
from connections.api.auth import ApiKeyAuth, VendKeyAuth
from connections.api.routers import connect_sessions, connections, events, providers, tenants, vend

api = NinjaAPI(
    title="Latchkey",
    version="1",
    description="Connections of your customers, and credentials that work.",
    docs_url=None,
    urls_namespace="api",
)
problems.install(api)
api.add_router("/tenants", tenants.router, auth=ApiKeyAuth())
api.add_router("/providers", providers.router, auth=ApiKeyAuth())
api.add_router("/connect-sessions", connect_sessions.router, auth=ApiKeyAuth())
api.add_router("/connections", connections.router, auth=ApiKeyAuth())
api.add_router("", vend.router, auth=VendKeyAuth())
api.add_router("/events", events.router, auth=ApiKeyAuth())
