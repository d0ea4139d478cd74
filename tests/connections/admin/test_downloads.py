"""What the audit trail says of how a list was narrowed: what was chosen, and never what may name a person."""

import pytest
from django.test import RequestFactory

from connections.admin.downloads import filter_of

ID = "0192f1c5-7d0e-7c3a-9a52-2f6f6f0f5a11"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("tenant=acme&status__exact=active", {"tenant": "acme", "status__exact": "active"}),
        (f"app={ID}", {"app": ID}),
        ("q=alice&subject=alice", {"q": "…", "subject": "…"}),
        ("end_user__startswith=ali", {"end_user__startswith": "…"}),
        ("operator=olga&operator=alice", {"operator": "…"}),
        (f"kind={'x' * 500}", {"kind": "x" * 100}),
        ("", {}),
    ],
)
def test_what_was_chosen_is_told_and_what_was_typed_is_not(asked: str, told: dict[str, str]) -> None:
    assert filter_of(RequestFactory().get(f"/?{asked}")) == told
