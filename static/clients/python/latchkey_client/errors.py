"""What can go wrong. Nothing here holds a key, a credential, or what was sent."""

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar


class LatchkeyError(Exception):
    """Whatever goes wrong between you and Latchkey."""


class Unreachable(LatchkeyError):
    """Latchkey gave no answer, or not a whole one."""


class UnexpectedAnswer(LatchkeyError):
    """Latchkey's answer is none that this version of the client knows."""


class InvalidSignature(LatchkeyError):
    """A webhook's signature does not fit, or is too old: do not believe its body."""


class NotHandedOut(LatchkeyError):
    """The credential cannot be put into a request on this side: call the provider through ``proxy``."""


class ForeignOrigin(LatchkeyError):
    """A request leads elsewhere than to the connection's provider, so the credential was not put into it."""


class Problem(LatchkeyError):
    """Latchkey refused a request. Each code has a subclass in ``api``; a code that is newer than this client has none.

    ``retry_after_seconds`` says when the same request can succeed, if that is known. ``members`` is the whole document.
    """

    code: str = ""
    _by_code: ClassVar[dict[str, type["Problem"]]] = {}
    _further: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        Problem._by_code[cls.code] = cls
        cls._further = tuple(inspect.get_annotations(cls))

    def __init__(self, document: Mapping[str, Any], *, status: int, retry_after_seconds: float | None) -> None:
        self.code = str(document.get("code", ""))
        self.detail = str(document.get("detail") or document.get("error_description") or "")
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.members = dict(document)
        for name in self._further:
            setattr(self, name, document.get(name))
        super().__init__(f"{self.code or status}: {self.detail}")

    @classmethod
    def of(cls, document: Any, *, status: int, retry_after: str | None) -> "Problem":
        """Return the problem that a document says, of the class that its code has."""
        known = document if isinstance(document, dict) else {}
        seconds = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
        kind = cls._by_code.get(str(known.get("code", "")), cls)
        return kind(known, status=status, retry_after_seconds=seconds)
