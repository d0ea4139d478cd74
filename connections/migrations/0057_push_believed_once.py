from django.db import migrations, models
from django.db.models import Exists, OuterRef, Q


def believe_the_first(apps, schema_editor):
    """Let of several copies that arrived at once only the first be one that was believed."""
    pushes = apps.get_model("connections", "ReceivedPush").objects.filter(proof__isnull=False, is_echo=False)
    is_earlier = Q(received_at__lt=OuterRef("received_at")) | Q(received_at=OuterRef("received_at"), id__lt=OuterRef("id"))
    same = pushes.filter(is_earlier, provider_app=OuterRef("provider_app"), proof=OuterRef("proof"))
    pushes.filter(Exists(same)).update(is_echo=True)


class Migration(migrations.Migration):

    dependencies = [
        ("connections", "0056_refresh_quarantine"),
    ]

    operations = [
        migrations.RunPython(believe_the_first, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="receivedpush",
            constraint=models.UniqueConstraint(
                condition=Q(("is_echo", False), ("proof__isnull", False)),
                fields=("provider_app", "proof"),
                name="push_believed_once_a_proof",
            ),
        ),
    ]
