"""The audit trail's indexes cost a vend no more as it grows (see ``models.audit_event``)."""

from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [("connections", "0005_shown_codes")]

    operations = [
        migrations.RemoveIndex(model_name="auditevent", name="audit_of_tenant"),
        migrations.RemoveIndex(model_name="auditevent", name="audit_of_connection"),
        migrations.AddIndex(
            model_name="auditevent", index=models.Index(fields=["tenant_id", "id"], name="audit_by_tenant")
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(F("id").bitrightshift(18), F("connection_id"), name="audit_by_part_and_connection"),
        ),
    ]
