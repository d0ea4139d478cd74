"""Certificates of an authority that is trusted, and that do not hold even so. (The drills trust none of their own.)"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from connections.drills.ground import Ground
from connections.drills.reach import fails_unsent_and_recovers, served
from providers import egress
from tests.providers.wire import server_context

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
CERTIFICATES: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "expired": lambda authority: authority.issue_cert("localhost", not_after=YESTERDAY),
    "wrong-host": lambda authority: authority.issue_cert("other.example"),
    "unknown-authority": lambda authority: trustme.CA().issue_cert("localhost"),
}


@pytest.fixture
def trusted(ground: Ground, authority: trustme.CA, tmp_path: Path) -> Iterator[trustme.CA]:
    """An authority that calls to providers trust."""
    policy = egress.current_policy()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    egress.configure(replace(policy, ca_file=str(tmp_path / "ca.pem")))
    yield authority
    egress.configure(policy)


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_does_not_hold_gets_no_token(ground: Ground, trusted: trustme.CA, name: str) -> None:
    with served(server_context(CERTIFICATES[name](trusted))) as (port, received):
        fails_unsent_and_recovers(ground, f"https://localhost:{port}", detail="certificate was not accepted")
    assert received == []


def test_the_authority_is_trusted_where_the_certificate_holds(ground: Ground, trusted: trustme.CA) -> None:
    with served(server_context(trusted.issue_cert("localhost"))) as (port, received):
        assert egress.request("GET", f"https://localhost:{port}/").status == 200
    assert len(received) == 1
