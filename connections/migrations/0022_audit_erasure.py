"""The database lets the trail forget one end user: by order of an audit row, and nothing else of a row changes.

Under the order, rows of the tenant that name the end user may get the order's pseudonym in place of the id, and lose
the address of their browser. The order stays behind, and is good for a day. Otherwise as before (`audit_trail`).
"""

from django.db import migrations

_MEMBERS = "ARRAY['subject', 'granted_by', 'granted_by_before', 'end_user', 'decided_by']"
_DELETE = """
    IF TG_OP = 'DELETE'
       AND OLD.at < clock_timestamp() - interval '30 days'
       AND EXISTS (
           SELECT FROM connections_auditevent AS prune
           WHERE prune.id = NULLIF(current_setting('latchkey.audit_prune', true), '')::bigint
             AND prune.action = 'audit.prune'
             AND prune.at > clock_timestamp() - interval '1 day'
             AND OLD.at < (prune.detail ->> 'before')::timestamptz
       ) THEN
        RETURN OLD;
    END IF;
"""
_UPDATE = f"""
    IF TG_OP = 'UPDATE'
       AND EXISTS (
           SELECT FROM connections_auditevent AS erasure
           WHERE erasure.id = NULLIF(current_setting('latchkey.audit_erasure', true), '')::bigint
             AND erasure.action = 'end_user.erase'
             AND erasure.at > clock_timestamp() - interval '1 day'
             AND erasure.tenant_id = OLD.tenant_id
             AND (NEW.subject = OLD.subject
                  OR OLD.subject = current_setting('latchkey.audit_erased', true)
                 AND NEW.subject = erasure.detail ->> 'pseudonym')
             AND NOT EXISTS (
                 SELECT FROM jsonb_each(NEW.detail) AS new_member
                 WHERE new_member.key = ANY ({_MEMBERS})
                   AND new_member.value IS DISTINCT FROM OLD.detail -> new_member.key
                   AND (OLD.detail ->> new_member.key IS DISTINCT FROM current_setting('latchkey.audit_erased', true)
                        OR new_member.value IS DISTINCT FROM erasure.detail -> 'pseudonym'))
       )
       AND NEW.detail - {_MEMBERS} = OLD.detail - {_MEMBERS}
       AND ARRAY(SELECT jsonb_object_keys(NEW.detail) ORDER BY 1)
           = ARRAY(SELECT jsonb_object_keys(OLD.detail) ORDER BY 1)
       AND (NEW.address IS NOT DISTINCT FROM OLD.address
            OR NEW.address IS NULL AND OLD.subject = current_setting('latchkey.audit_erased', true)
           AND OLD.api_client_id IS NULL AND OLD.operator = '')
       AND to_jsonb(NEW) - ARRAY['subject', 'detail', 'address'] = to_jsonb(OLD) - ARRAY['subject', 'detail', 'address']
       THEN
        RETURN NEW;
    END IF;
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION connections_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
{}
    RAISE EXCEPTION 'audit rows are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0021_offboarding")]
    operations = [migrations.RunSQL(_FUNCTION.format(_DELETE + _UPDATE), _FUNCTION.format(_DELETE))]
