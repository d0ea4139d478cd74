"""The page where what waits for an approval is answered, which an asker hands to people.

Where the account is a person's, or a person answers for it, it is a page of ours that leads to the tenant's product:
they answer among their own connections, having logged in there. Otherwise it is the operators' admin.
"""

import hmac
import uuid

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from connections.models import Approval


def approve_url(approval: Approval) -> str:
    """Return the page. One query, unless the approval's connection is loaded."""
    person = approval.connection.end_user or approval.connection.granted_by
    path = (
        reverse("connect:asked", args=[approval.id, _proof(approval.id)])
        if person
        else reverse("admin:connections_approval_change", args=[approval.id])
    )
    return f"{settings.PUBLIC_URL}{path}"


def is_link_to(approval_id: uuid.UUID, proof: str) -> bool:
    """Whether a link with this proof is one that we gave out. Compares in constant time. No I/O."""
    return hmac.compare_digest(_proof(approval_id).encode(), proof.encode())


def _proof(approval_id: uuid.UUID) -> str:
    return salted_hmac("latchkey.approval", str(approval_id), algorithm="sha256").hexdigest()[:32]
