"""Read a proven push: its events, the accounts that they are about, and what the provider wants to see again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, product
from typing import Any, Literal

from pydantic import SecretStr

from providers.catalog.pointer import value_at
from providers.catalog.pushes import HEADER, PushChallenge, PushEvent, PushRules
from providers.pushes.arrival import Arrival, Proven, PushRefused
from providers.pushes.events import events_in
from providers.pushes.verify import in_utc, signature_of

LONGEST_TYPE = 120
_LONGEST_ACCOUNT = 255
_LONGEST_ID = 200
_LONGEST_CHALLENGE = 2000
_MOST_ACCOUNTS = 1000  # of one event
_MOST_ACCOUNTS_OF_ALL = 2000

Means = Literal["ended", "doubtful", "other"]


@dataclass(frozen=True, slots=True)
class PushedEvent:
    """One event. ``accounts`` are those that it names; with ``is_beginning`` each is the first part of one.

    ``other`` is about something else than the grant: ``content`` is for whoever wants that. ``occurred_at`` is None
    where it does not say when.
    """

    type: str
    means: Means
    accounts: tuple[str, ...]
    is_beginning: bool
    occurred_at: datetime | None
    content: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer a challenge with: ``text``, or a JSON object of ``members``."""

    text: str = field(default="", repr=False)
    members: dict[str, str] | None = field(default=None, repr=False)


def delivery_id(rules: PushRules, arrival: Arrival, proven: Proven) -> str:
    """Return the provider's id of this delivery, "" where it has none. No I/O.

    It may be in a header that nobody signs: so it tells two deliveries apart, and proves nothing.
    """
    if rules.id.startswith(HEADER):
        return _text(arrival.headers.get(rules.id.removeprefix(HEADER).lower()))[:_LONGEST_ID]
    return _text(value_at(proven.document, rules.id))[:_LONGEST_ID] if rules.id else ""


def read_events(rules: PushRules, arrival: Arrival, proven: Proven) -> list[PushedEvent]:
    """Return the events of a push that are about somebody, without challenges. No I/O.

    Raises ``PushRefused``, also where they name more accounts together than any provider does.
    """
    asked = {challenge.type for challenge in rules.challenges if challenge.type}
    read = [_event(rules, arrival, document) for document in _documents(rules, proven)]
    events = [event for event in read if event is not None and event.type and event.type not in asked]
    if sum(len(event.accounts) for event in events) > _MOST_ACCOUNTS_OF_ALL:
        raise PushRefused("malformed")
    return events


def unproven_answer(rules: PushRules | None, arrival: Arrival) -> Answer | None:
    """Return what to answer a question in the query with, which nothing proves and which changes nothing; or None."""
    for challenge in rules.challenges if rules is not None else ():
        if challenge.query and (asked := _text(arrival.query.get(challenge.query))):
            return Answer(text=asked[:_LONGEST_CHALLENGE])
    return None


def answer_to(rules: PushRules, arrival: Arrival, proven: Proven, *, secret: SecretStr | None) -> Answer | None:
    """Return what to answer the challenge with that a push is, signed by ``secret``; None for another push. No I/O."""
    for document in _documents(rules, proven)[:1]:
        kind = _type(rules, arrival, document)
        for challenge in rules.challenges:
            if challenge.type and challenge.type == kind:
                return _answer(rules, challenge, document, secret)
    return None


def _answer(rules: PushRules, challenge: PushChallenge, document: Any, secret: SecretStr | None) -> Answer:
    value = _text(value_at(document, challenge.value))[:_LONGEST_CHALLENGE] if challenge.value else ""
    if not challenge.members:
        return Answer(text=value)
    signature = "" if secret is None else signature_of(rules, secret, value.encode()).decode()
    filled = {"{value}": value, "{signature}": signature}
    return Answer(members={name: filled.get(said, said) for name, said in challenge.members.items()})


def _documents(rules: PushRules, proven: Proven) -> list[dict[str, Any]]:
    return events_in(rules, proven.document)


def _event(rules: PushRules, arrival: Arrival, document: dict[str, Any]) -> PushedEvent | None:
    """Return one event; None where it is about a grant, but not of the kind that ``rules`` are about."""
    kind = _type(rules, arrival, document)
    known = [event for event in rules.events if event.type == kind]
    rule = next((event for event in known if not event.needs or value_at(document, event.needs)), None)
    if known and rule is None:
        return None
    return PushedEvent(
        type=kind,
        means="other" if rule is None else rule.means,
        accounts=_accounts(rules, rule, arrival, document),
        is_beginning=rule is not None and rule.reaches == "beginning",
        occurred_at=_occurred_at(rules, document),
        content=document,
    )


def _type(rules: PushRules, arrival: Arrival, document: Any) -> str:
    named = [_text(_found(arrival, document, place)) for place in rules.type]
    return ".".join(filter(None, named))[:LONGEST_TYPE]


def _accounts(rules: PushRules, rule: PushEvent | None, arrival: Arrival, document: dict[str, Any]) -> tuple[str, ...]:
    places = (rule.account if rule is not None and rule.account else rules.account).split()
    parts: list[Sequence[str]] = []
    for place in places:
        found = _found(arrival, document, place)
        named = (_account(rules, one) for one in (found if isinstance(found, list) else [found]))
        parts.append(list(dict.fromkeys(filter(None, named))))
    # Two long lists have countless combinations: so many are looked at, and of these the ones that can be accounts.
    whole = (":".join(several) for several in islice(product(*parts), _MOST_ACCOUNTS))
    return tuple(one for one in whole if one and len(one) <= _LONGEST_ACCOUNT)


def _account(rules: PushRules, found: Any) -> str:
    text = _text(found)
    if not rules.account_pattern or not text:
        return text
    fitting = re.fullmatch(rules.account_pattern, text[:_LONGEST_CHALLENGE])
    return fitting.group(1) or "" if fitting else ""


def _found(arrival: Arrival, document: Any, place: str) -> Any:
    if place.startswith(HEADER):
        return arrival.headers.get(place.removeprefix(HEADER).lower())
    return value_at(document, place)


def _text(found: Any) -> str:
    """Return a printable text, or a whole number as text; "" for anything else.

    What is not printable is not left out: an account must be written as it is.
    """
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    try:
        text = str(found)
    except ValueError:  # a number with thousands of digits
        return ""
    return text if text.isprintable() else ""


def _occurred_at(rules: PushRules, document: dict[str, Any]) -> datetime | None:
    found = value_at(document, rules.occurred_at) if rules.occurred_at else None
    try:
        if rules.occurred_unit == "text":
            said = datetime.fromisoformat(found) if isinstance(found, str) else None
            return None if said is None else in_utc(said)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return None
        return datetime.fromtimestamp(found / (1000 if rules.occurred_unit == "ms" else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None
