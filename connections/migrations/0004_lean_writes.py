"""A connection's row has room beside it, and three columns no index of their own: other indexes begin with them.

A sweep's mark changes a column that no index has. Where the row's page has room, PostgreSQL then writes no index; where
it has none, it writes one entry in each of them, most at places that nothing else has just read. Pages that are written
from now on keep a fifth of their room.
"""

import django.db.models.deletion
from django.db import migrations, models

# Dropped by name: Django would drop every index of the one column, the partial unique ones among them.
NEEDLESS = {
    "connections_connection_tenant_id_5ba237ee": "connections_connection (tenant_id)",
    "connections_credentialversion_connection_id_9b083b0c": "connections_credentialversion (connection_id)",
    "connections_refreshattempt_connection_id_d5f558c9": "connections_refreshattempt (connection_id)",
}


def unindexed(to: str, related_name: str) -> models.ForeignKey:
    """Return a foreign key without an index of its own."""
    return models.ForeignKey(
        to, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name
    )


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_legacy_styles")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE connections_connection SET (fillfactor = 80)",
            "ALTER TABLE connections_connection RESET (fillfactor)",
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(f"DROP INDEX {name}", f"CREATE INDEX {name} ON {of}") for name, of in NEEDLESS.items()
            ],
            state_operations=[
                migrations.AlterField("connection", "tenant", unindexed("connections.tenant", "connections")),
                migrations.AlterField("credentialversion", "connection", unindexed("connections.connection", "versions")),
                migrations.AlterField(
                    "refreshattempt", "connection", unindexed("connections.connection", "refresh_attempts")
                ),
            ],
        ),
    ]
