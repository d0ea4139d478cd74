"""A key may go once nothing needs it, and not before."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from connections.lifecycle.keys.retire import AmbiguousKey, UnknownKey, may_retire
from connections.lifecycle.keys.rewrap import rewrap
from connections.lifecycle.keys.uses import fernet_uses, kek_uses
from connections.models.fields import outer_keys


def test_a_key_stays_while_something_is_under_it(stored: list[str], add_keys: Callable[[], str]) -> None:
    add_keys()
    for use in (kek_uses()[1], fernet_uses(is_exact=True)[1]):
        verdict = may_retire(use.key)
        assert (verdict.may_go, verdict.use.setting) == (False, use.setting)
        assert any(str(count) in reason for count, reason in zip(use.of.values(), verdict.reasons, strict=True))
    list(rewrap())
    for use in (kek_uses()[1], fernet_uses(is_exact=True)[1]):
        assert may_retire(use.key).may_go


def test_the_first_key_stays(stored: list[str], add_keys: Callable[[], str]) -> None:
    kek_id = add_keys()
    for key in (kek_id, outer_keys()[0].fingerprint):
        (reason,) = may_retire(key).reasons
        assert "used for whatever is new" in reason


def test_what_waits_in_the_spool_keeps_a_key(
    stored: list[str], add_keys: Callable[[], str], settings: Settings, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = tmp_path
    add_keys()
    list(rewrap())
    earlier = outer_keys()[1].fingerprint
    (tmp_path / "one.aside").write_bytes(b"sealed")
    assert "1 files wait in this machine's spool" in may_retire(earlier).reasons[0]
    (tmp_path / "one.aside").unlink()
    assert may_retire(earlier).may_go


def test_an_unknown_name_and_one_of_two_lists_are_refused(stored: list[str], settings: Settings) -> None:
    for name in ("unheard-of", ""):
        with pytest.raises(UnknownKey):
            may_retire(name)
    kek_id, _, _ = settings.KEK_KEYS[0].partition(":")
    _, _, seed = settings.AUDIT_KEYS[0].partition(":")
    settings.AUDIT_KEYS = [f"{kek_id}:{seed}"]
    with pytest.raises(AmbiguousKey, match="KEK_KEYS, AUDIT_KEYS"):
        may_retire(kek_id)
    assert may_retire(kek_id, setting="KEK_KEYS").use.setting == "KEK_KEYS"
