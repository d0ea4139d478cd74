"""Whether the audit trail is whole, by the last verification."""

from collections.abc import Iterator

from connections.journal.verifications import last_finding
from connections.management.doctor.findings import Finding, fault, fine


def audit_trail() -> Iterator[Finding]:
    """Say what the last verification found. One query."""
    found = last_finding()
    if found:
        further = f" {found['further']} further seals are broken." if found["further"] else ""
        yield fault("audit", f"{found['detail']}{further}", "See The audit trail is broken (OPERATIONS.md).")
    else:
        yield fine("audit", "The last verification found nothing broken.")
