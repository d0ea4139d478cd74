"""The people who have an account at the sandbox.

Three fixed accounts with published passwords: it is a sandbox, and the sign-in page shows them.
"""

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """A person: ``subject`` is the stable ``sub`` of the resource API."""

    username: str
    password: str
    subject: str
    name: str
    email: str


PEOPLE = {
    account.username: account
    for account in (
        Account("alice", "alice", "person-1001", "Alice Archer", "alice@example.com"),
        Account("bob", "bob", "person-1002", "Bob Bennett", "bob@example.com"),
        Account("carol", "carol", "person-1003", "Carol Clarke", "carol@example.com"),
    )
}


def authenticate(*, username: str, password: str) -> Account | None:
    """Return the account whose password this is, or None."""
    account = PEOPLE.get(username.strip().lower())
    if account is not None and hmac.compare_digest(account.password.encode(), password.encode()):
        return account
    return None
