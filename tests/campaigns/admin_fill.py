"""Filling a running stack for ``admin_bench``: ``python -m tests.campaigns.admin_fill --connections 1000000``.

Runs in a process of its own, under the environment of a stack that has the showcase, and copies its connections until
there are so many: with other end users and moments, without credentials. It counts the figures, and prints one JSON
object: the cookie of an operator who is logged in, and what the pages are about.
"""

import argparse
import json
import time

import django

django.setup()

from django.conf import settings  # noqa: E402 - the apps must be ready
from django.contrib.auth.models import User  # noqa: E402 - the apps must be ready
from django.db import connection as database  # noqa: E402 - the apps must be ready
from django.db import transaction  # noqa: E402 - the apps must be ready
from django.test import Client  # noqa: E402 - the apps must be ready

import config.urls  # noqa: E402, F401 - the pages know when a session began
from connections.database.clock import database_now  # noqa: E402 - the apps must be ready
from connections.lifecycle.figures import take_figures  # noqa: E402 - the apps must be ready
from connections.models import AuditEvent, Connection, FiguresTaken  # noqa: E402 - the apps must be ready
from tests.campaigns.copies import copies  # noqa: E402 - the apps must be ready

_PLANNED = """
CREATE TEMP TABLE planned AS
SELECT origin.id AS origin_id, number
  FROM (SELECT id, row_number() OVER () AS place FROM connections_connection) AS origin,
       generate_series(1, %(count)s) AS number
 WHERE origin.place = 1 + number %% (SELECT count(*) FROM connections_connection)
"""


def add_connections(count: int) -> None:
    """Add copies until there are ``count`` connections."""
    own = {
        "id": "gen_random_uuid()",
        "end_user": "CASE WHEN origin.end_user = '' THEN '' ELSE origin.end_user || '-' || planned.number END",
        "provider_account_id": "planned.number::text",
        "label": "''",
        "is_default": "false",
        "current_version_id": "NULL",
        "created_at": "origin.created_at - random() * interval '300 days'",
        "verified_at": "origin.verified_at - random() * interval '1 hour'",
    }
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("ALTER TABLE connections_connection DROP CONSTRAINT connection_that_vends_has_a_version")
        cursor.execute(_PLANNED, {"count": count - Connection.objects.count()})
        cursor.execute(copies(Connection, own, of="id"))


def logged_in() -> str:
    """Return the name and value of the cookie of an operator with every right."""
    user, _ = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


def main() -> None:
    """Add what the arguments ask for, and print what the bench needs to know."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=0)
    options = parser.parse_args()
    if options.connections:
        add_connections(options.connections)
    with database.cursor() as cursor:
        for model in (Connection, AuditEvent):
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    FiguresTaken.objects.update(took_seconds=0)
    began = time.monotonic()
    take_figures(now=database_now())
    counted_seconds = time.monotonic() - began
    middle = Connection.objects.order_by("-created_at", "id")[Connection.objects.count() // 2]
    somebody = Connection.objects.exclude(end_user="").order_by("-created_at").select_related("tenant")[40]
    print(
        json.dumps(
            {
                "cookie": logged_in(),
                "connections": Connection.objects.count(),
                "counted_seconds": round(counted_seconds, 2),
                "after": f"{middle.created_at.isoformat()}~{middle.id}",
                "connection": str(somebody.id),
                "end_user": somebody.end_user,
                "tenant": somebody.tenant.slug,
                "provider": somebody.provider,
            }
        )
    )


if __name__ == "__main__":
    main()
