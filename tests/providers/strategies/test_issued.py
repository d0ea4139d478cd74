"""What the styles of OAuth share: what a grant can do follows from what its entry says, whichever style it is."""

from typing import Any

import pytest

from providers.strategies import strategies
from providers.strategies.issued import GrantedToken, IssuedToken

ISSUED = {style: found for style, found in strategies().items() if isinstance(found, IssuedToken)}
GRANTED = {style: found for style, found in ISSUED.items() if isinstance(found, GrantedToken)}


@pytest.mark.parametrize("style", ISSUED)
def test_it_revokes_and_introspects_where_the_entry_says_where(sandbox_target: Any, style: str) -> None:
    section = ISSUED[style].method.section()
    silent = {"revocation_url": None, "introspection_url": None}
    narrowed = {"revocation": {"narrowed_url": "https://api.example/revoke-one"}}
    told = {"revocation_url": "https://api.example/revoke", "introspection_url": "https://api.example/introspect"}
    can = ISSUED[style].capabilities(sandbox_target(style, changes={section: told}))
    cannot = ISSUED[style].capabilities(sandbox_target(style, changes={section: silent}))
    narrows = ISSUED[style].capabilities(sandbox_target(style, changes={section: narrowed}))
    assert (can.refreshes, can.revokes, can.introspects, can.narrows) == (True, True, True, False)
    assert (cannot.refreshes, cannot.revokes, cannot.introspects) == (True, False, False)
    assert narrows.narrows


@pytest.mark.parametrize("style", GRANTED)
def test_a_grant_goes_on_by_its_refresh_token(sandbox_target: Any, style: str) -> None:
    section = GRANTED[style].method.section()
    rotating = {"refresh_tokens_rotate": True, "revocation": {"ends": "grant"}}
    lasting = {"refresh_tokens_rotate": False, "revocation": {"ends": "token"}}
    can = GRANTED[style].capabilities(sandbox_target(style, changes={section: rotating}))
    lasts = GRANTED[style].capabilities(sandbox_target(style, changes={section: lasting}))
    assert (can.needs_refresh_token, can.rotates, can.ends_grant) == (True, True, True)
    assert (lasts.needs_refresh_token, lasts.rotates, lasts.ends_grant) == (True, False, False)


@pytest.mark.parametrize("style", GRANTED)
def test_the_entry_decides_whether_a_refresh_token_is_missed(sandbox_target: Any, style: str) -> None:
    section = GRANTED[style].method.section()
    for said, expected in ((None, [True, False]), (True, [True, True]), (False, [False, False])):
        target = sandbox_target(style, changes={section: {"expects_refresh_token": said}})
        found = [GRANTED[style].expects_refresh_token(target, (), ends=ends) for ends in (True, False)]
        assert found == expected


def test_both_kinds_are_tried() -> None:
    assert GRANTED
    assert ISSUED.keys() - GRANTED.keys()
