"""What the role of these processes may do in the database."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from connections.management.doctor.findings import Finding, fault

WHAT_TO_DO = "Say the SQL of Two roles (OPERATIONS.md) as the owner of the tables."
_SHOWN = 3
# A table of rows, and of those the numbers that it draws.
_LACKING = """
WITH tables AS MATERIALIZED (
    SELECT oid FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' AND pg_table_is_visible(oid)
), wanted AS (
    SELECT oid, privilege FROM tables, (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS of_rows (privilege)
    UNION
    SELECT objid, privilege FROM tables JOIN pg_depend ON refobjid = oid AND refclassid = 'pg_class'::regclass,
        (VALUES ('USAGE'), ('SELECT')) AS of_numbers (privilege)
    WHERE classid = 'pg_class'::regclass AND (SELECT relkind = 'S' FROM pg_class WHERE pg_class.oid = objid)
)
SELECT relname::text, string_agg(privilege, ', ' ORDER BY privilege) FROM wanted JOIN pg_class USING (oid)
WHERE NOT CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, privilege) ELSE has_table_privilege(oid, privilege) END
GROUP BY relname ORDER BY relname
"""


def rights() -> Iterator[Finding]:
    """Look whether the role may do what it has to with each table and sequence that is there. Two queries."""
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema(), current_setting('search_path')")
        role, schema, path = cursor.fetchone()
        cursor.execute(_LACKING, [[*tables, "django_migrations"]])
        lacking = cursor.fetchall()
    if schema is None:  # the first of the path that the role may use
        yield fault("database", f"The role {role} may use no schema of its search path: {path}.", WHAT_TO_DO)
    elif lacking:
        named = "; ".join(f"{privileges} on {name}" for name, privileges in lacking[:_SHOWN])
        more = f"; and of {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
        yield fault("database", f"The role {role} lacks {named}{more}.", WHAT_TO_DO)
