"""The choice of a workspace: a state of connect sessions, and until when they keep what they obtained."""

from django.db import migrations, models
from django.db.models import Q

STATES = [
    ("created", "Created"),
    ("started", "Started: the link was used, in one browser"),
    ("authorizing", "At the provider"),
    ("held", "Held: waiting for the operator's confirmation"),
    ("exchanging", "Confirmed: being exchanged"),
    ("choosing", "Confirmed: the end user chooses a workspace"),
    ("completed", "Completed"),
    ("failed", "Failed"),
]
HOLDS = "connect_session_holds_only_while_held"


class Migration(migrations.Migration):
    dependencies = [("connections", "0002_audit_append_only")]
    operations = [
        migrations.AddField("connectsession", "typed_params", models.JSONField(blank=True, default=dict)),
        migrations.AddField("connectsession", "kept_until", models.DateTimeField(blank=True, null=True)),
        migrations.AlterField(
            "connectsession", "state", models.CharField(choices=STATES, default="created", max_length=12)
        ),
        migrations.RemoveConstraint("connectsession", HOLDS),
        migrations.AddConstraint(
            "connectsession",
            models.CheckConstraint(
                condition=Q(held__isnull=True) | Q(state__in=["held", "exchanging", "choosing"]), name=HOLDS
            ),
        ),
    ]
