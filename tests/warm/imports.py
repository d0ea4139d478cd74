"""What a parent of warm processes imports. Nothing of it starts a thread or opens anything."""

# For the processes of a stack, which share their settings. Not the modules that are run.
STACK = (
    *("celery.bin.celery", "celery.bin.worker", "celery.bin.beat", "celery.apps.worker", "celery.apps.beat"),
    *("celery.worker.components", "celery.worker.strategy", "celery.worker.consumer", "celery.concurrency.thread"),
    *("kombu.transport.redis", "granian.cli", "granian.server", "psycopg_pool"),
    *("config.celery", "connections.tasks", "config.web.front", "config.urls", "config.web.request"),
    *("connections.api.proxy_desk", "connections.api.mcp.first_message", "connections.lifecycle.proxy.carry"),
    *("django.core.management.commands.migrate", "providers.sandbox.server", "tests.factories"),
    *("connections.drills.grants", "tests.connections.api.stored"),
)
# For processes of different settings, what reads none: other people's packages, and providers.
PACKAGES = (
    *("django.core.management", "django.contrib.postgres.fields", "django.db.backends.postgresql.base"),
    *("django.db.migrations.executor", "django.views.debug", "psycopg_pool", "structlog", "environ", "whitenoise"),
    *("celery.app.trace", "celery.schedules", "kombu.transport.redis", "redis.asyncio", "jwt", "PIL.Image", "pydantic"),
    *("prometheus_client", "mcp_types", "h11", "pyrage", "unittest.mock", "difflib"),
    *("providers.strategies", "providers.catalog.loader", "providers.custodians.custody", "providers.egress"),
    *("providers.sandbox.client", "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
)
