"""The page where what waits for an approval is answered, which an asker hands to people.

Where the account is a person's, or a person answers for it, it is a page of ours that leads to the tenant's product:
they answer among their own connections, having logged in there. Otherwise it is the operators' admin.
"""

import hmac
import uuid

from django.utils.crypto import salted_hmac

from connections.access.addresses import admin_address, widget_address
from connections.models import Approval


def approve_url(approval: Approval) -> str:
    """Return the page. One query, unless the approval's connection is loaded."""
    person = approval.connection.end_user or approval.connection.granted_by
    if person:
        return widget_address("connect:asked", approval.id, _proof(approval.id))
    return admin_address("admin:connections_approval_change", approval.id)


def is_link_to(approval_id: uuid.UUID, proof: str) -> bool:
    """Whether a link with this proof is one that we gave out. Compares in constant time. No I/O."""
    return hmac.compare_digest(_proof(approval_id).encode(), proof.encode())


def _proof(approval_id: uuid.UUID) -> str:
    return salted_hmac("latchkey.approval", str(approval_id), algorithm="sha256").hexdigest()[:32]
