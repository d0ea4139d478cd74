"""The fixtures notice when an entry is changed: a part of the campaign ``tests.campaigns.mutations``."""

from itertools import islice

import pytest

from tests.dialects.mutations import is_noticed, mutants
from tests.dialects.test_every_entry import KNOWN, life_of

_EVERY = 40  # of the changes; the campaign makes them all


def test_a_changed_entry_is_noticed() -> None:
    every = ((slug, life, mutant) for slug in KNOWN for life in [life_of(KNOWN[slug])] for mutant in mutants(life))
    tried = [(slug, mutant.what, is_noticed(life, mutant)) for slug, life, mutant in islice(every, 0, None, _EVERY)]
    assert len({what for _, what, _ in tried}) >= 6, "hardly any kind of change was tried"
    unnoticed = [(slug, what) for slug, what, noticed in tried if not noticed]
    assert len(unnoticed) <= len(tried) // 20, unnoticed


@pytest.mark.parametrize("what", ["body format", "client authentication", "token path", "expiry form", "probe"])
def test_each_kind_of_change_is_noticed_in_an_entry_that_has_them_all(what: str) -> None:
    life = life_of(KNOWN["xero"])
    changed = [mutant for mutant in mutants(life) if mutant.what == what]
    assert changed
    assert all(is_noticed(life, mutant) for mutant in changed)
