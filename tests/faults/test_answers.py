"""Answers for which the drills lack a tool: bodies drawn at random, and the error rules of another catalogue entry."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as project
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from connections.drills.faults import Answer
from connections.drills.ground import Ground
from connections.drills.oracles import expect_kept
from connections.lifecycle.refresh.claim import Outcome
from providers.catalog import loader

BODIES = st.one_of(
    st.binary(max_size=80),
    st.dictionaries(st.sampled_from(["access_token", "error", "ok"]), st.none() | st.integers() | st.booleans()).map(
        lambda document: json.dumps(document).encode()
    ),
    st.recursive(st.none() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)).map(
        lambda value: json.dumps(value).encode()
    ),
)


def test_no_body_whatever_damages_the_state(ground: Ground) -> None:
    @hypothesis_settings(
        max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    @given(body=BODIES, status=st.sampled_from([200, 201, 204, 400, 404, 500]))
    def trial(body: bytes, status: int) -> None:
        (subject,) = ground.connect()
        before = ground.state(subject).current_version_id
        options = {"status": status, "body": body.decode("latin-1"), "content_type": "application/json"}
        ground.fault(subject, Answer("status", options))
        assert ground.refresh(subject).outcome is Outcome.UNAVAILABLE
        expect_kept(subject.id, before=before)
        assert ground.attempts(subject) == ["in_doubt"]
        assert len(ground.requests(subject)) == 1
        ground.vend(subject)

    trial()


@pytest.fixture
def errors_of(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Give the drills' provider the error rules of another entry."""
    sandbox_entry = (Path(loader.__file__).parent / "sandbox.toml").read_text()

    def change(slug: str) -> None:
        lines = [sandbox_entry]
        method = loader.entry(slug).authorization_code
        assert method is not None
        for rule in method.errors:
            stated = {name: value for name, value in rule.model_dump(mode="json").items() if value not in (None, "")}
            lines += ["[[authorization_code.errors]]"]
            lines += [f"{name} = {json.dumps(value)}" for name, value in stated.items()]
        (tmp_path / "catalog").mkdir()
        (tmp_path / "catalog" / "sandbox.toml").write_text("\n".join(lines) + "\n")
        loader.configure_catalog(tmp_path / "catalog")

    yield change
    loader.configure_catalog(project.CATALOG_DIR)


@pytest.mark.parametrize(
    ("slug", "options", "outcome", "state", "status"),
    [
        ("github", {"error": "bad_refresh_token"}, Outcome.REFUSED, "rejected", "suspect"),
        ("github", {"error": "what_is_this"}, Outcome.UNAVAILABLE, "in_doubt", "active"),
        ("github", {"error": "incorrect_client_credentials"}, Outcome.CLIENT_REJECTED, "rejected", "active"),
        ("slack", {"style": "slack", "error": "invalid_refresh_token"}, Outcome.REFUSED, "rejected", "suspect"),
        ("slack", {"style": "slack", "error": "what_is_this"}, Outcome.UNAVAILABLE, "in_doubt", "active"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_in_a_200_means_what_the_catalogue_says(
    ground: Ground,
    errors_of: Callable[[str], None],
    slug: str,
    options: dict[str, str],
    outcome: Outcome,
    state: str,
    status: str,
) -> None:
    errors_of(slug)
    (subject,) = ground.connect()
    before = ground.state(subject).current_version_id
    ground.fault(subject, Answer("error_in_200", options))
    assert ground.refresh(subject).outcome is outcome
    attempt = ground.attempt(subject)
    assert (attempt.state, attempt.evidence["status"], attempt.evidence["error"]) == (state, 200, options["error"])
    row = ground.state(subject)
    assert (row.status, row.current_version_id) == (status, before)
    assert [entry.fault for entry in ground.requests(subject)] == ["error_in_200"]
    ground.vend(subject)
