"""Passwords that a program brings, at ``/session`` and at the token endpoint: whose they are, and whether it may."""

from providers.sandbox.exchange import Exchange
from providers.sandbox.people import PEOPLE, Account


def person_with(exchange: Exchange, username: object, password: object) -> Account | None:
    """Return the person who has this name and password, and may log in. Notes on the log entry why nobody is."""
    person = PEOPLE.get(username) if isinstance(username, str) else None
    if person is None or person.password != password:
        exchange.entry.outcome = "wrong_password"
        return None
    exchange.entry.username = person.username
    if person.username in exchange.sandbox.registry.settings.locked:
        exchange.entry.outcome = "locked"
        return None
    return person
