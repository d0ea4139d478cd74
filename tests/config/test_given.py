"""Settings from the environment, or from files that it names."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.given import GivenEnv


@pytest.fixture
def env() -> GivenEnv:
    return GivenEnv()


def test_a_file_says_what_a_variable_would(env: GivenEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "url"
    told.write_text("postgresql://me:s3cret@db.example/latchkey\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(told))
    assert env.db_url("DATABASE_URL")["PASSWORD"] == "s3cret"
    assert env.str("DATABASE_URL").endswith("/latchkey")


def test_what_an_editor_puts_before_a_text_is_no_part_of_it(
    env: GivenEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "token"
    told.write_bytes(b"\xef\xbb\xbfs3cret\r\n")
    monkeypatch.setenv("A_TOKEN_FILE", str(told))
    assert env.str("A_TOKEN") == "s3cret"


def test_nothing_of_a_file_enters_the_environment(
    env: GivenEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "token"
    told.write_text("s3cret")
    monkeypatch.setenv("A_TOKEN_FILE", str(told))
    assert env.str("A_TOKEN") == "s3cret"
    assert "s3cret" not in [env.ENVIRON.env.get("A_TOKEN"), *env.ENVIRON.files_cache.values()]
    told.write_text("another")
    assert env.str("A_TOKEN") == "another"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "no text"])
def test_a_file_that_cannot_be_read_is_named_by_its_variable(
    env: GivenEnv, content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "token"
    if content is not None:
        told.write_bytes(content)
    monkeypatch.setenv("A_TOKEN_FILE", str(told))
    with pytest.raises(ImproperlyConfigured, match="A_TOKEN_FILE cannot be read"):
        env.str("A_TOKEN", default="")


def test_one_of_two_is_not_silently_overruled(env: GivenEnv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "token"
    told.write_text("one")
    monkeypatch.setenv("A_TOKEN_FILE", str(told))
    monkeypatch.setenv("A_TOKEN", "other")
    with pytest.raises(ImproperlyConfigured, match="both set"):
        env.str("A_TOKEN")


def test_without_either_the_default_is_taken(env: GivenEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN_FILE", "")
    assert env.str("A_TOKEN", default="none") == "none"


@pytest.mark.parametrize("given", ["-1", "0", "ten", "1.5", "", " ", "1e3", "0x10"])
def test_a_count_that_makes_no_sense_is_named(env: GivenEnv, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("THREADS", given)
    with pytest.raises(ImproperlyConfigured, match="THREADS must be a whole number, 1 or more"):
        env.count("THREADS", default=8, least=1)


@pytest.mark.parametrize("given", ["600", "600,3600", "1,2,3,4", "600,3600,-1", "0,1,2", "a,b,c", "1,2,inf", "nan,1,2"])
def test_seconds_that_make_no_sense_are_named(env: GivenEnv, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("PROBES", given)
    with pytest.raises(ImproperlyConfigured, match="PROBES must be 3 numbers, with commas between, of seconds"):
        env.several_seconds("PROBES", default=[600, 3600, 21600])


def test_numbers_are_read_as_they_are_given(env: GivenEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", "16")
    monkeypatch.setenv("PROBES", "60, 120.5,3600")
    assert env.count("THREADS", default=8) == 16
    assert env.count("OTHERS", default=8) == 8
    assert env.several_seconds("PROBES", default=[1, 2, 3]) == [60, 120.5, 3600]
    assert env.seconds("OTHERS", default=2.5) == 2.5
