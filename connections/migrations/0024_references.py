"""Columns that hold another row's id become references. The columns stay as they are.

Only a connection's current version is held by the database, at the commit; the others name rows that may be gone.
"""

import django.db.models.deletion
from django.db import migrations, models


def reference(kind: type[models.ForeignKey], to: str, **options: object) -> models.ForeignKey:
    """Return a reference that nothing follows on a deletion."""
    return kind(f"connections.{to}", on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", **options)


UNHELD = {"db_constraint": False}
OPTIONAL = {"null": True, "blank": True}
FIELDS = [
    (
        "credentialversion",
        "parent_id",
        "parent",
        reference(models.ForeignKey, "credentialversion", db_index=False, **UNHELD, **OPTIONAL),
    ),
    (
        "credentialversion",
        "attempt_id",
        "attempt",
        reference(models.OneToOneField, "refreshattempt", **UNHELD, **OPTIONAL),
    ),
    (
        "refreshattempt",
        "parent_version_id",
        "parent_version",
        reference(models.ForeignKey, "credentialversion", db_index=False, **UNHELD),
    ),
    (
        "unreadanswer",
        "parent_id",
        "parent",
        reference(models.ForeignKey, "credentialversion", db_index=False, **UNHELD),
    ),
    ("unreadanswer", "attempt_id", "attempt", reference(models.OneToOneField, "refreshattempt", **UNHELD)),
    (
        "connection",
        "current_version_id",
        "current_version",
        reference(models.OneToOneField, "credentialversion", **OPTIONAL),
    ),
]
VENDS_HAVE_A_VERSION = models.CheckConstraint(
    condition=~models.Q(status__in=["active", "suspect"]) | models.Q(current_version__isnull=False),
    name="connection_that_vends_has_a_version",
)
SUPERSEDED = models.Index(fields=["parent_version"], condition=models.Q(state="superseded"), name="attempt_superseded")


class Migration(migrations.Migration):
    dependencies = [("connections", "0023_styles_of_any_name")]
    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint("connection", "connection_that_vends_has_a_version"),
                migrations.RemoveIndex("refreshattempt", "attempt_superseded"),
                *(migrations.RemoveField(model, old) for model, old, _, _ in FIELDS),
                *(migrations.AddField(model, name, field) for model, _, name, field in FIELDS),
                migrations.AddConstraint("connection", VENDS_HAVE_A_VERSION),
                migrations.AddIndex("refreshattempt", SUPERSEDED),
            ],
        ),
        migrations.RunSQL(
            """
            ALTER TABLE connections_connection
              ADD CONSTRAINT connection_current_version_is_its_own UNIQUE (current_version_id),
              ADD CONSTRAINT connection_current_version_exists FOREIGN KEY (current_version_id)
                  REFERENCES connections_credentialversion (id) DEFERRABLE INITIALLY DEFERRED
            """,
            """
            ALTER TABLE connections_connection
             DROP CONSTRAINT connection_current_version_exists, DROP CONSTRAINT connection_current_version_is_its_own
            """,
        ),
    ]
