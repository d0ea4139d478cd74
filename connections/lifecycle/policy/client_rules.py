"""The methods and paths that an API client may use through the proxy. No I/O.

A rule is a text of three words: a provider, or ``*`` for any; methods with commas between them, ``readonly`` for GET
and HEAD, or ``*``; and a path below the base URL, with the wildcards of access grants (``policy.paths``). For instance
``hubspot GET,POST /crm/v3/objects/contacts/**``. A client without rules may do nothing by itself.
"""

from collections.abc import Iterable, Iterator, Sequence

from connections.lifecycle.policy.paths import check_pattern, matches
from connections.refusals import InvalidRequest

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READONLY = ("GET", "HEAD")
LONGEST_RULE, MOST_RULES = 300, 200


def check_rules(rules: Iterable[str]) -> list[str]:
    """Return ``rules`` with single spaces. Raises ``InvalidRequest`` that names the first one with a mistake."""
    checked = [" ".join(rule.split()) for rule in rules]
    if len(checked) > MOST_RULES:
        raise InvalidRequest(f"A client has {MOST_RULES} rules at most.", field="proxy_rules")
    for rule in checked:
        if (mistake := _mistake_in(rule)) is not None:
            raise InvalidRequest(f"The rule {rule[:80]!r}: {mistake}", field="proxy_rules")
    return checked


def allows(rules: Iterable[str], *, provider: str, method: str, path: str, encoded_slashes: bool = False) -> bool:
    """Whether one of ``rules`` allows this request. ``path`` is as it is sent, with a leading slash, without query.

    ``encoded_slashes`` as for ``paths.matches``.
    """
    return any(
        method in methods and matches(pattern, path, encoded_slashes=encoded_slashes)
        for methods, pattern in ways_of(rules, provider=provider)
    )


def ways_of(rules: Iterable[str], *, provider: str) -> Iterator[tuple[Sequence[str], str]]:
    """Yield the methods and the path pattern of each of ``rules`` that is about ``provider``."""
    for rule in rules:
        theirs, methods, pattern = rule.split(" ", 2)
        if theirs in ("*", provider):
            yield _methods(methods), pattern


def covers(rules: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether each rule of ``wanted`` allows only what one rule of ``rules`` allows by itself. Both are checked rules.

    It is careful: a pattern is covered by itself, and by a pattern that ends in ``/**`` above it.
    """
    known = [rule.split(" ", 2) for rule in rules]
    for rule in wanted:
        provider, methods, pattern = rule.split(" ", 2)
        if not any(
            theirs in ("*", provider) and set(_methods(methods)) <= set(_methods(allowed)) and _is_below(pattern, above)
            for theirs, allowed, above in known
        ):
            return False
    return True


def _is_below(pattern: str, above: str) -> bool:
    """Whether whatever ``pattern`` means, ``above`` means as well."""
    if pattern == above:
        return True
    inner, outer = pattern.split("/"), above.split("/")
    if outer[-1] != "**":
        return False
    outer = outer[:-1]
    return len(inner) >= len(outer) and "**" not in inner[: len(outer)] and _same_or_wider(inner, outer)


def _same_or_wider(inner: list[str], outer: list[str]) -> bool:
    return all(wide == "*" or wide == narrow for narrow, wide in zip(inner, outer, strict=False))


def _methods(written: str) -> tuple[str, ...]:
    if written == "*":
        return METHODS
    return READONLY if written == "readonly" else tuple(written.split(","))


def _mistake_in(rule: str) -> str | None:
    words = rule.split(" ")
    if len(words) != 3 or len(rule) > LONGEST_RULE:
        return "write a provider, methods and a path, with spaces between them, as in `hubspot GET,POST /crm/v3/**`."
    unknown = [method for method in _methods(words[1]) if method not in METHODS]
    if unknown:
        return f"the methods are {', '.join(METHODS)}, `readonly` or `*`."
    return check_pattern(words[2])
