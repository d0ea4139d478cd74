"""When one scope stands for another."""

import pytest

from providers.catalog.loader import entry
from providers.catalog.schema import CatalogEntry
from providers.catalog.scope_checks import scope_problems
from providers.catalog.scopes import ScopeRules

GRAPH = "https://graph.microsoft.com/"
ENTRY = {
    "slug": "x",
    "name": "X",
    "authorization_code": {"authorization_url": "https://x.example/a", "token_url": "https://x.example/t"},
}


def described(scopes: list[dict[str, object]], **spelling: object) -> CatalogEntry:
    for scope in scopes:
        scope.setdefault("description", "Words about it")
    return CatalogEntry.model_validate(ENTRY | {"scopes": scopes, "scope_spelling": spelling})


@pytest.mark.parametrize(
    ("slug", "wanted", "granted", "missing"),
    [
        ("github", ["repo", "public_repo", "user", "user:email"], ["repo", "user"], ()),
        ("github", ["read:org", "read:packages"], ["admin:org", "write:packages"], ()),
        ("github", ["repo", "write:org"], ["public_repo", "read:org"], ("repo", "write:org")),
        ("google", ["email", "profile"], ["https://www.googleapis.com/auth/userinfo.email"], ("profile",)),
        (
            "google",
            ["https://www.googleapis.com/auth/drive.metadata.readonly", "https://www.googleapis.com/auth/gmail.send"],
            ["https://www.googleapis.com/auth/drive", "https://mail.google.com/"],
            (),
        ),
        ("microsoft-graph", ["user.read", "openid", "Mail.ReadBasic"], [f"{GRAPH}Mail.ReadWrite", "User.Read"], ()),
        ("microsoft-graph", ["Files.ReadWrite", "User.Read"], [f"{GRAPH}Files.Read"], ("Files.ReadWrite", "User.Read")),
        ("stripe-connect", ["read_only"], ["read_write"], ()),
        ("xero", ["accounting.invoices.read"], ["accounting.invoices"], ()),
        ("salesforce", ["api", "refresh_token"], ["full"], ("refresh_token",)),
        ("oidc", ["openid", "email", "offline_access"], ["other"], ("offline_access",)),
        ("sandbox", ["files.read"], ["files.write"], ("files.read",)),
    ],
)  # fmt: skip
def test_knows_the_habits_of_built_in_providers(
    slug: str, wanted: list[str], granted: list[str], missing: tuple[str, ...]
) -> None:
    assert entry(slug).scope_rules.missing(wanted, granted=granted) == missing


def test_follows_implications_through_aliases_patterns_and_spellings() -> None:
    rules = described(
        [{"name": "all", "implies": ["Long/write_x"]}, {"name": "tiny", "aliases": ["read_x"]}],
        ignores_case=True,
        prefixes=["long/"],
        implications=[{"scope": "write_*", "implies": ["READ_*"]}],
    ).scope_rules
    assert rules.missing(["tiny", "write_X", "LONG/Read_x"], granted=["ALL"]) == ()
    assert rules.missing(["all"], granted=["tiny", "write_x"]) == ("all",)
    assert rules.witnesses(["tiny"], granted=["other", "all"]) == ("all",)


def test_compares_by_name_where_nothing_is_said() -> None:
    assert ScopeRules().missing(["a", "A", "b"], granted=["a", "c"]) == ("A", "b")


@pytest.mark.parametrize(
    ("scopes", "spelling", "told"),
    [
        ([{"name": "a", "implies": ["b"]}, {"name": "b", "implies": ["a"]}], {}, "circle"),
        ([{"name": "a", "implies": ["a"]}], {}, "circle"),
        ([{"name": "a", "implies": ["B"]}, {"name": "b", "implies": ["A"]}], {"ignores_case": True}, "circle"),
        ([], {"implications": [{"scope": "x_*", "implies": ["x_x_*"]}]}, "circle"),
        ([], {"implications": [{"scope": "w_*", "implies": ["r_*"]}, {"scope": "r_*", "implies": ["w_*"]}]}, "circle"),
        ([], {"implications": [{"scope": "ww", "implies": ["r_*"]}]}, "more * than scope"),
        ([{"name": "a", "aliases": ["b"]}, {"name": "b"}], {}, "more than one scope"),
        ([{"name": "a", "aliases": ["c"]}, {"name": "b", "aliases": ["c"]}], {}, "more than one scope"),
        ([{"name": "a", "aliases": ["p/a"]}], {"prefixes": ["p/"]}, "or for itself"),
        ([{"name": "A"}, {"name": "a"}], {"ignores_case": True}, "several spellings"),
        ([{"name": "a"}, {"name": "a"}], {}, "declared twice"),
    ],
)  # fmt: skip
def test_refuses_rules_that_mean_nothing_or_never_end(
    scopes: list[dict[str, object]], spelling: dict[str, object], told: str
) -> None:
    problems = list(scope_problems(described(scopes, **spelling)))
    assert [problem for problem in problems if told in problem], problems


def test_a_tree_of_implications_is_no_circle() -> None:
    scopes: list[dict[str, object]] = [{"name": "a", "implies": ["b", "c"]}, {"name": "b", "implies": ["c"]}]
    assert not list(scope_problems(described(scopes)))
