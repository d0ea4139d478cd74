"""Audit rows are written once: the database refuses to change or remove them."""

from django.db import migrations

PROTECT = """
CREATE FUNCTION connections_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON connections_auditevent
    FOR EACH ROW EXECUTE FUNCTION connections_audit_refuse();
"""
UNPROTECT = """
DROP TRIGGER audit_append_only ON connections_auditevent;
DROP FUNCTION connections_audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0001_initial")]
    operations = [migrations.RunSQL(PROTECT, UNPROTECT)]
