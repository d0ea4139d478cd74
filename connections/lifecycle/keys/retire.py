"""Retire: whether a key may be taken away, and what still needs it if not. Looks at everything that is stored."""

from dataclasses import dataclass

from connections.journal import audit
from connections.lifecycle.credentials.spool import count_spooled
from connections.lifecycle.keys.agreement import disagreement, followers
from connections.lifecycle.keys.uses import KeyUse, audit_uses, fernet_uses, kek_uses

RETIRED = "key.retired"


class UnknownKey(Exception):
    """No list has a key of this name."""


class AmbiguousKey(Exception):
    """Several lists have a key of this name. Its argument names the lists."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is stored under a key, and why it has to stay; without a reason it may go."""

    use: KeyUse
    reasons: tuple[str, ...]

    @property
    def may_go(self) -> bool:
        """Whether nothing needs the key."""
        return not self.reasons


def retire(key: str, *, setting: str | None = None, actor: audit.Actor) -> Verdict:
    """Say whether ``key`` may go, as ``may_retire``, and write it down if it may.

    For a day the processes that follow a file then let the key go (``leaving``).
    """
    verdict = may_retire(key, setting=setting)
    if verdict.may_go:
        audit.record(RETIRED, actor=actor, detail={"list": verdict.use.setting, "key": verdict.use.key})
    return verdict


def may_retire(key: str, *, setting: str | None = None) -> Verdict:
    """Say whether ``key`` (an id, or the fingerprint of a key of ``FERNET_KEYS``) may be taken out of its list.

    Reads everything that the list encrypts. Raises ``UnknownKey`` and ``AmbiguousKey``.
    """
    named = [use for use in (*kek_uses(), *audit_uses(), *fernet_uses(is_exact=True)) if use.key == key != ""]
    found = [use for use in named if setting in (None, use.setting)]
    if not found:
        raise UnknownKey
    if len(found) > 1:
        raise AmbiguousKey(", ".join(use.setting for use in found))
    (use,) = found
    return Verdict(use, tuple(_reasons(use)))


def _reasons(use: KeyUse) -> list[str]:
    if use.setting == "AUDIT_KEYS":
        reasons = (
            [f"{use.rows} seals are verified by it: its public half has to stay (`audit keys`)"] if use.rows else []
        )
    else:
        kind = "" if use.setting == "KEK_KEYS" else "values of "
        reasons = [f"{count} {kind}{what} are under it: `keys rewrap`" for what, count in use.of.items()]
    if use.place == 1:
        reasons.insert(0, f"it is the first of {use.setting}, which is used for whatever is new")
    if says := disagreement(followers()):
        reasons.append(says)
    if use.setting == "FERNET_KEYS" and (spooled := count_spooled()):
        reasons.append(f"{spooled} files wait in this machine's spool, and may be under it")
    return reasons
