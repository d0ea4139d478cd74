"""Rows with our names of columns."""

from typing import Any

import pytest

from providers.brought.columns import connection_of, unknown_columns
from providers.brought.connection import RowFault


def test_a_row_of_csv_says_everything() -> None:
    found = connection_of(
        {
            "tenant": " acme ",
            "provider": "hubspot",
            "end_user": "alice",
            "access_token": " at \n",
            "refresh_token": "rt",
            "scopes": "a, b c",
            "expires_at": "1796040000",
            "metadata": '{"plan": "pro"}',
            "param.subdomain": "acme",
            "field.username": "al",
            "raw": '{"instance_url": "https://x"}',
            "label": "",
        }
    )
    credential = found.credential
    assert (found.tenant, found.scopes, found.metadata) == ("acme", ("a", "b", "c"), {"plan": "pro"})
    assert credential.access_token is not None
    assert credential.access_token.get_secret_value() == "at"
    assert dict(found.params) == {"subdomain": "acme"}
    assert credential.fields["username"].get_secret_value() == "al"
    assert dict(credential.document) == {"instance_url": "https://x"}
    assert "at" not in repr(credential).replace("Secret", "").replace("token", "").replace("document", "").split("'")


def test_a_row_of_json_may_have_objects_and_lists() -> None:
    row = {"scopes": ["a", "a", "b"], "fields": {"username": "al"}, "params": {"port": 8080}, "metadata": {"n": 1}}
    found = connection_of(row)
    assert (found.scopes, dict(found.params)) == (("a", "b"), {"port": "8080"})
    assert connection_of({"scopes": "  "}).scopes is None


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"access_token": "a b"}, "access_token"),
        ({"access_token": "a\u200bb"}, "access_token"),
        ({"refresh_token": "x" * 16_385}, "refresh_token"),
        ({"access_token": ["x"]}, "access_token"),
        ({"scopes": 'a"b'}, "scopes"),
        ({"scopes": [1]}, "scopes"),
        ({"metadata": "{"}, "metadata"),
        ({"metadata": {"x": "y" * 20_000}}, "metadata"),
        ({"metadata": {"x": float("nan")}}, "metadata"),
        ({"end_user": "x" * 256}, "end_user"),
        ({"end_user": "a\nb"}, "end_user"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"fields": {"username": ["x"]}}, "field.username"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_without_its_value(row: dict[str, Any], field: str) -> None:
    with pytest.raises(RowFault) as fault:
        connection_of(row)
    assert (fault.value.code, fault.value.field) == ("bad_field", field)
    assert "xxx" not in fault.value.detail


@pytest.mark.parametrize("row", [[], "text", None, {"": "more"}, {"end_user": "a\x00"}, {"metadata": {"x": "\ud800"}}])
def test_what_is_no_row_is_told(row: Any) -> None:
    with pytest.raises(RowFault) as fault:
        connection_of(row)
    assert fault.value.code == "unreadable_row"


def test_a_row_nested_without_end_is_told() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"x": deep}
    with pytest.raises(RowFault):
        connection_of({"metadata": deep})


def test_columns_without_a_meaning_are_named() -> None:
    assert unknown_columns({"end_user": 1, "created": 1, "field.x": 1, "param.y": 1}) == ["created"]
