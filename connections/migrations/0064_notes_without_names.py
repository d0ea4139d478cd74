"""What operators did, and what their people were told by mail, was noted with the ids of end users: take them out."""

from django.db import migrations

_NOTES = """
UPDATE django_admin_log AS note SET object_repr = kind.model || ' ' || left(note.object_id, 8)
  FROM django_content_type AS kind
 WHERE kind.id = note.content_type_id AND kind.app_label = 'connections'
"""
_MAILS = r"""
UPDATE connections_notice
   SET body = regexp_replace(body, '^(.*?: \S+ of )(?!the whole tenant at ).*( at \S+: [^\n]*\([0-9a-f-]{36}\))$', '\1an end user\2', 'gn')
 WHERE cause LIKE 'forecast:%'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0063_bulk_rows_begun'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.RunSQL([_NOTES, _MAILS], migrations.RunSQL.noop),
    ]
