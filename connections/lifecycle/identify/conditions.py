"""Conditions: what the claims of a caller's token have to say, so that it is one API client. No I/O.

A condition compares one claim. ``equals`` wants the very value. ``matches`` wants a text of this form: ``*`` stands for
any text within a part, ``**`` for any text; parts end at a slash or a colon, as in ``repo:acme/*:ref:refs/heads/main``
or ``system:serviceaccount:prod:*``. Where the claim is a list, one of its members has to fit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connections.lifecycle.identify.tokens import claim_at
from connections.refusals import InvalidRequest

MOST = 20
LONGEST = 500
_ENDS = ":/"


def check_conditions(conditions: Any) -> None:
    """Raise ``InvalidRequest`` unless these conditions can be stored."""
    if not isinstance(conditions, list) or not 0 < len(conditions) <= MOST:
        raise InvalidRequest(f"Name 1 to {MOST} conditions: without one, every token would do.", field="conditions")
    for condition in conditions:
        if not isinstance(condition, dict) or set(condition) not in ({"claim", "equals"}, {"claim", "matches"}):
            raise InvalidRequest("A condition has a claim, and either equals or matches.", field="conditions")
        claim = condition["claim"]
        if not isinstance(claim, str) or not 0 < len(claim) <= 200:
            raise InvalidRequest("A condition names a claim.", field="conditions")
        wanted = condition.get("equals", condition.get("matches"))
        if isinstance(wanted, str) and not 0 < len(wanted) <= LONGEST:
            raise InvalidRequest(f"What a claim is compared with has 1 to {LONGEST} characters.", field="conditions")
        if "matches" in condition and not (isinstance(wanted, str) and wanted.strip("*" + _ENDS)):
            raise InvalidRequest("Write more than wildcards: they match anybody.", field="conditions")
        if not isinstance(wanted, str | int | bool):
            raise InvalidRequest("A claim equals a text, a whole number, or true or false.", field="conditions")


def hold(conditions: Sequence[Mapping[str, Any]], claims: Mapping[str, Any]) -> bool:
    """Whether all ``conditions`` hold; none is not enough."""
    return bool(conditions) and all(_holds(condition, claims) for condition in conditions)


def _holds(condition: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    found = claim_at(claims, condition["claim"])
    return any(_fits(condition, value) for value in (found if isinstance(found, list) else [found]))


def _fits(condition: Mapping[str, Any], value: object) -> bool:
    if "equals" in condition:
        wanted = condition["equals"]
        return type(value) is type(wanted) and value == wanted
    return isinstance(value, str) and is_like(condition["matches"], value)


def is_like(form: str, text: str) -> bool:
    """Whether ``text`` has this form. Takes time in proportion to both, whatever they hold."""
    if len(text) > LONGEST:
        return False
    steps = _steps(form)
    at = _reached({0}, steps)
    for mark in text:
        moved = set()
        for place in at:
            if place == len(steps):
                continue
            step = steps[place]
            if step == "**" or (step == "*" and mark not in _ENDS):
                moved.add(place)
            elif step == mark:
                moved.add(place + 1)
        at = _reached(moved, steps)
        if not at:
            return False
    return len(steps) in at


def _steps(form: str) -> list[str]:
    """Return the marks of a form, each wildcard as one of them."""
    steps: list[str] = []
    for mark in form:
        if mark == "*" and steps and steps[-1] == "*":
            steps[-1] = "**"
        elif mark != "*" or not steps or steps[-1] != "**":
            steps.append(mark)
    return steps


def _reached(places: set[int], steps: Sequence[str]) -> set[int]:
    """Return ``places`` and those that are reached from them without a mark: a wildcard may stand for nothing."""
    reached = set(places)
    for place in places:
        onward = place
        while onward < len(steps) and steps[onward] in ("*", "**"):
            onward += 1
            reached.add(onward)
    return reached
