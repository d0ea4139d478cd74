"""The authorization response (RFC 6749 §4.1.2, RFC 9207), read by the names that a catalogue entry gives. No I/O.

The browser delivers it and could change it. So nothing in it is believed before the state and the browser are known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from providers.catalog.base_method import Method
from providers.catalog.callback import COMMON_MARKERS
from providers.catalog.schema import CatalogEntry
from providers.errors import plain_error_code
from providers.vocabulary import ParamScope

LONGEST_CODE = 4096
LONGEST_TEXT = 2048
_UNNAMED_ERROR = "server_error"


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """One response. A missing parameter is ""; a missing ``iss`` is None, because an empty one is wrong.

    ``error`` is the provider's code if it looks like one, else "server_error". ``is_repeated`` means that a parameter
    occurs twice (RFC 6749 §3.1: not more than once), ``is_too_long`` that one is longer than any expected one,
    ``awaits_approval`` that an administrator was asked to approve. ``params`` holds the values of the parameters of
    scope ``callback``, by the entry's names, unchecked.
    """

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    iss: str | None = None
    error: str = ""
    is_repeated: bool = False
    is_too_long: bool = False
    awaits_approval: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


def names_read(entry: CatalogEntry | None, style: str) -> frozenset[str]:
    """Return the names of the parameters to read in a response for an app of ``entry`` and ``style``.

    ``entry`` is None for an unknown app.
    """
    method = _method(entry, style)
    known = method.response_names
    brought = {param.callback for param in entry.params if param.callback} if entry is not None else set()
    ours = {known.code, known.state, known.error, "iss"} | ({known.denying} if known.denying else set())
    return frozenset({*ours, *_markers(method), *brought})


def read_response(
    given: Mapping[str, Sequence[str]], *, entry: CatalogEntry | None, style: str
) -> AuthorizationResponse:
    """Return the response in ``given``, which holds all values of each parameter, as a provider of ``entry`` means it.

    ``style`` is that of the provider app. Unknown parameters are ignored (RFC 6749 §4.1.2).
    """
    read = {name: list(given[name]) for name in names_read(entry, style) if given.get(name)}
    one = {name: values[0] for name, values in read.items()}
    method = _method(entry, style)
    known = method.response_names
    is_repeated = any(len(values) > 1 for values in read.values())
    code, error = one.get(known.code, ""), one.get(known.error, "")
    named = known.state
    if known.denying in read and named not in read:
        named, error = known.denying, error or "access_denied"
    return AuthorizationResponse(
        state="" if len(read.get(named, ())) > 1 else one.get(named, ""),
        code=code,
        iss=one.get("iss"),
        error=(plain_error_code(error) or _UNNAMED_ERROR) if error else "",
        is_repeated=is_repeated,
        is_too_long=any(
            len(value) > (LONGEST_CODE if name == known.code else LONGEST_TEXT) for name, value in one.items()
        ),
        awaits_approval=_awaits_approval(one, method, has_code=bool(code)),
        params={
            param.name: one[param.callback]
            for param in (entry.params_of(ParamScope.CALLBACK) if entry is not None else ())
            if param.callback and one.get(param.callback)
        },
    )


def _method(entry: CatalogEntry | None, style: str) -> Method:
    """Return what the entry says of the style. Of an unknown app nothing is known beyond the names of the RFC."""
    return (entry.methods.get(style) if entry is not None else None) or Method()


def _own_markers(method: Method) -> Mapping[str, tuple[str, ...]]:
    error = method.response_names.error
    return {error if name == "error" else name: values for name, values in method.approval_markers.items()}


def _markers(method: Method) -> Mapping[str, tuple[str, ...]]:
    error = method.response_names.error
    common = {error if name == "error" else name: values for name, values in COMMON_MARKERS.items()}
    return {**common, **_own_markers(method)}


def _awaits_approval(one: Mapping[str, str], method: Method, *, has_code: bool) -> bool:
    """Whether a marker is present. The common ones count only without a code, the entry's own always."""
    error = method.response_names.error
    counting = _own_markers(method) if has_code else _markers(method)
    if has_code and error in one:
        counting = {**counting, error: _markers(method).get(error, ())}
    return any(
        one.get(name, "").casefold() in {value.casefold() for value in values} for name, values in counting.items()
    )
