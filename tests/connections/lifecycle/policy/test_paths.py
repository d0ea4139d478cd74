"""Which path a pattern of an access grant means, and which paths no pattern means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.lifecycle.policy.paths import check_pattern, is_ambiguous_path, matches, narrowed


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/contacts", "/contacts"),
        ("/", "/"),
        ("/contacts/", "/contacts/"),
        ("/contacts/*", "/contacts/7"),
        ("/contacts/*/notes", "/contacts/7/notes"),
        ("/contacts/**", "/contacts"),
        ("/contacts/**", "/contacts/"),
        ("/contacts/**", "/contacts/7/notes/8"),
        ("/**", "/"),
        ("/**", "/anything/at/all"),
        ("/v1/users:batchGet", "/v1/users:batchGet"),
        ("/contacts", "/%63ontacts"),
        ("/contacts/*", "/contacts/%C3%A9"),
    ],
)
def test_a_pattern_means_its_paths(pattern: str, path: str) -> None:
    assert check_pattern(pattern) is None
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/contacts", "/contacts/"),
        ("/contacts", "/Contacts"),
        ("/contacts", "/contacts/7"),
        ("/contacts", "/contactsx"),
        ("/contacts/*", "/contacts"),
        ("/contacts/*", "/contacts/"),
        ("/contacts/*", "/contacts/7/notes"),
        ("/contacts/**", "/contactsx"),
        ("/contacts/*/notes", "/contacts//notes"),
        ("/contacts", "contacts"),
        ("/contacts", ""),
        ("/", ""),
    ],
)
def test_and_no_others(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


@pytest.mark.parametrize(
    "path",
    [
        "/contacts/../admin",
        "/contacts/./7",
        "/contacts/%2e%2e/admin",
        "/contacts/%2E%2e/admin",
        "/contacts/.%2e/admin",
        "/contacts/%252e%252e/admin",
        "/contacts/%25252e%25252e/admin",
        "/contacts/%2525252e%2525252e/admin",
        "/contacts//admin",
        "//admin",
        "/contacts/%2fadmin",
        "/contacts/7%2f..%2fadmin",
        "/contacts/7%5cadmin",
        "/contacts/7\\admin",
        "/contacts/..;/admin",
        "/contacts/..;x=y/admin",
        "/contacts/%2e%2e;/admin",
        "/contacts/..%3b/admin",
        "/contacts/7%3fadmin",
        "/contacts/7%23admin",
        "/contacts/7%00",
        "/contacts/7%0d%0ax",
        "/contacts/7?x=y",
        "/contacts/7#x",
    ],
)
def test_a_path_that_can_be_read_in_two_ways_is_meant_by_no_pattern(path: str) -> None:
    assert is_ambiguous_path(path)
    assert not any(matches(pattern, path) for pattern in ("/**", "/contacts/**", "/contacts/*/admin", path))


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "contacts",
        "/contacts/../admin",
        "/./contacts",
        "//contacts",
        "/contacts//",
        "/**/contacts",
        "/con*",
        "/***",
        "/contacts?x",
        "/contacts#x",
        "/%63ontacts",
        "/con tacts",
        "/..;/contacts",
        "/contacts\n",
        "/{id}",
    ],
)
def test_a_pattern_that_could_mislead_is_refused(pattern: str) -> None:
    assert check_pattern(pattern)


def test_matching_takes_no_longer_for_many_stars() -> None:
    pattern, path = "/*" * 200, "/a" * 199
    assert not matches(pattern, path)
    assert matches(pattern, path + "/a")


segments = st.sampled_from(["a", "b", "*"])
patterns = st.builds(
    lambda parts, end: "/" + "/".join([*parts, *end]),
    st.lists(segments, max_size=3),
    st.sampled_from([[], ["**"], [""]]),
).filter(lambda pattern: check_pattern(pattern) is None)
paths = st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).flatmap(
    lambda parts: st.sampled_from(["/" + "/".join(parts), "/" + "/".join([*parts, ""])])
)


@given(patterns, patterns, paths)
def test_two_patterns_narrow_each_other_to_the_paths_that_both_mean(one: str, other: str, path: str) -> None:
    common = narrowed(one, other)
    assert (common is not None and matches(common, path)) is (matches(one, path) and matches(other, path))
    assert (common is None) is (narrowed(other, one) is None)
    assert common is None or check_pattern(common) is None
