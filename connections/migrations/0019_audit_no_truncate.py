"""The audit trail is not emptied as a whole either: TRUNCATE passes by triggers that look at rows."""

from django.db import migrations

PROTECT = """
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON connections_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION connections_audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0018_entrusted_clients")]
    operations = [migrations.RunSQL(PROTECT, "DROP TRIGGER audit_no_truncate ON connections_auditevent;")]
