"""The challenge with which a protected resource refuses a request (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1)."""

import re

_SIGN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
# A word is read once, from its beginning, and never given back: no header takes longer than its length.
_TOKEN = rf"(?<!{_SIGN}){_SIGN}++"
_PART = re.compile(
    rf'(?P<name>{_TOKEN})\s*+=\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[^\s,"]++))'
    rf"|(?P<scheme>{_TOKEN})(?=[\s,]|\Z)"
)
_LONGEST_HEADER = 8192
_SCHEMES = frozenset({"bearer", "dpop"})


def challenge_in(header: str) -> dict[str, str]:
    """Return the parameters of the first Bearer or DPoP challenge in ``WWW-Authenticate``, by name in lower case.

    {} if there is none. Only the parameters of that challenge count, so that no other scheme's can pass for them.
    """
    return _parameters(header, _SCHEMES)


def problem_in(header: str) -> dict[str, str]:
    """Return what ``WWW-Authenticate`` says is wrong: ``error`` (RFC 6750 §3), or ``oauth_problem`` of OAuth 1.0a.

    {} if it says nothing. Some servers of OAuth 1.0a call it ``error``, too.
    """
    told = _parameters(header, frozenset({"oauth"}))
    if problem := told.get("oauth_problem") or told.get("error"):
        return {"oauth_problem": problem}
    error = challenge_in(header).get("error")
    return {"error": error} if error else {}


def _parameters(header: str, schemes: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    is_ours = False
    for part in _PART.finditer(header[:_LONGEST_HEADER]):
        if part["scheme"] is not None:
            if is_ours:
                break
            is_ours = part["scheme"].lower() in schemes
        elif is_ours:
            value = part["plain"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
            found.setdefault(part["name"].lower(), value)
    return found
