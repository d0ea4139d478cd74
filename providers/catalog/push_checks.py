"""What must agree in what an entry says of pushes."""

import re
from collections.abc import Iterator

from providers.catalog.pattern_checks import pattern_problem
from providers.catalog.pushes import HEADER, PushRules
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import names

_SIGNABLE = frozenset({"body", "timestamp", "method", "url", "id"})


def push_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with the section ``[push]`` of ``entry``: the key, and what to do. No I/O."""
    rules = entry.push
    if rules is None:
        return
    yield from _proof_problems(rules)
    if rules.account_param is not None and rules.account_param not in {param.name for param in entry.params}:
        yield f"push.account_param: there is no parameter {rules.account_param!r}; name one of [[params]]"
    if not rules.account:
        yield "push.account: is missing; say where an event names the account"
    if rules.account_pattern:
        if problem := pattern_problem(rules.account_pattern):
            yield f"push.account_pattern: {problem}"
        elif re.compile(rules.account_pattern).groups != 1:
            yield "push.account_pattern: needs one group, the part that is the account"
    if not rules.type:
        yield "push.type: is empty; say where an event names its type"
    known = [event.type for event in rules.events]
    for twice in sorted({name for name in known if known.count(name) > 1 and not _differ_by_need(rules, name)}):
        yield f"push.events: {twice!r} is there twice; tell the two apart by needs"
    if rules.scheme == "shared_secret":
        for event in rules.events:
            if event.means == "ended":
                yield f'push.events: {event.type!r} is proven by a shared secret alone; say means = "doubtful"'
    for position, challenge in enumerate(rules.challenges):
        if bool(challenge.type) == bool(challenge.query):
            yield f"push.challenges.{position}: say by which type, or by which parameter of the query, it is known"
    for position, sentence in enumerate(rules.steps):
        if not sentence.strip().endswith((".", "?", "!")):
            yield f"push.steps.{position}: is shown to operators as a sentence; end it with a full stop"


def push_pointers(rules: PushRules) -> Iterator[tuple[str, str]]:
    """Yield the key and text of every pointer of ``[push]`` that is not empty. No I/O."""
    found = [("push.items", rules.items), ("push.secret_at", rules.secret_at), ("push.occurred_at", rules.occurred_at)]
    found += [("push.type", place) for place in rules.type] + [("push.id", rules.id)]
    found += [("push.account", place) for place in rules.account.split()]
    for event in rules.events:
        found.append(("push.events.needs", event.needs))
        found += [("push.events.account", place) for place in event.account.split()]
    found += [("push.challenges.value", challenge.value) for challenge in rules.challenges]
    yield from ((key, place) for key, place in found if place and not place.startswith(HEADER))


def _proof_problems(rules: PushRules) -> Iterator[str]:
    if rules.scheme in ("hmac", "ed25519"):
        if rules.signature is None:
            yield "push.signature: is missing; name the header that holds the signature"
        try:
            strange = sorted(set(names(rules.signed)) - _SIGNABLE)
        except ValueError:
            strange = [rules.signed]
        if strange:
            yield f"push.signed: nobody knows {strange[0]!r}; there are {', '.join(sorted(_SIGNABLE))}"
        if "{body}" not in rules.signed:
            yield "push.signed: leaves out {body}, so that anybody could change it; add it"
        if "{id}" in rules.signed and not rules.id.startswith(HEADER):
            yield "push.id: is signed, so it has to be a header; say header:NAME"
        has_time = rules.timestamp is not None or bool(rules.timestamp_member)
        if has_time is not ("{timestamp}" in rules.signed):
            yield "push.timestamp: is believed only where it is signed; name it here, and {timestamp} in signed"
        if rules.timestamp_member and not rules.signature_member:
            yield "push.timestamp_member: is a part of the header of the signature; name signature_member, too"
    has_keys = rules.issuer and rules.jwks_url.startswith("https://")
    if rules.scheme == "security_event_token" and not has_keys:
        yield "push.jwks_url: a security event token needs its issuer, and where its keys are, over https"
    if (rules.key == "none") is not (rules.scheme == "security_event_token"):
        yield 'push.key: is "none" for a security event token, whose issuer has keys of its own, and for nothing else'
    if rules.scheme == "signed_request" and rules.key != "client_secret":
        yield 'push.key: a signed request is signed with the client secret; say "client_secret"'
    if rules.scheme == "shared_secret" and not rules.secret_at:
        yield "push.secret_at: is missing; say where an event has the secret"


def _differ_by_need(rules: PushRules, name: str) -> bool:
    needs = [event.needs for event in rules.events if event.type == name]
    return len(set(needs)) == len(needs)
