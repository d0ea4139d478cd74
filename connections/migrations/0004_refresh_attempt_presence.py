from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("connections", "0003_workspace_choice")]

    operations = [
        migrations.AddField("refreshattempt", "claimant_key", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("refreshattempt", "absent_since", models.DateTimeField(blank=True, null=True)),
        migrations.RemoveIndex("refreshattempt", "attempt_unfinished"),
        migrations.AddIndex(
            "refreshattempt",
            models.Index(
                fields=["deadline_at"], condition=Q(state__in=["sent", "received"]), name="attempt_under_way"
            ),
        ),
    ]
