"""Whether the database keeps everything that the tables promise."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from connections.management.doctor.findings import Finding, fault

_KNOWN = """
SELECT conname::text FROM pg_constraint WHERE pg_table_is_visible(conrelid)
UNION SELECT relname::text FROM pg_class WHERE relkind = 'i' AND pg_table_is_visible(oid)
"""


def constraints() -> Iterator[Finding]:
    """Look whether each constraint is there. A migration leaves out what its server does not know. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN)
        known = {name for (name,) in cursor.fetchall()}
    for model in apps.get_app_config("connections").get_models():
        for constraint in model._meta.constraints:
            if constraint.name not in known:
                statement = constraint.create_sql(model, connection.schema_editor(collect_sql=True))
                yield fault(
                    "database",
                    f"The constraint {constraint.name} of {model._meta.db_table} is missing: rows can contradict it.",
                    f"Say as the owner of the tables: {statement}." if statement else "Use a newer server.",
                )
