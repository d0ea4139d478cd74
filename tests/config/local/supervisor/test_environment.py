import json
from pathlib import Path

import pytest

from config.local.supervisor.environment import development_settings, generate_secrets, inherited, stored_secrets
from config.local.supervisor.state import write_record
from connections.vault.keyring import check_separate_roots, parse_keyring
from connections.vault.signing import parse_signing_keys

URLS = {
    "database": "postgresql://d",
    "redis": "redis://r",
    "web": "http://w",
    "sandbox": "http://s",
    "customer_app": "http://c",
}


def test_generated_keys_pass_the_vaults_own_check() -> None:
    made = generate_secrets()
    check_separate_roots(
        fernet_keys=made["FERNET_KEYS"].split(","),
        keyring=parse_keyring(made["KEK_KEYS"].split(",")),
        secret_key=made["SECRET_KEY"],
        audit_seeds=parse_signing_keys(made["AUDIT_KEYS"].split(",")).seeds,
    )


def test_no_generated_secret_looks_like_a_reference_to_a_variable() -> None:
    assert not any(value.startswith("$") for value in generate_secrets().values())


def test_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    first = stored_secrets(tmp_path)
    assert stored_secrets(tmp_path) == first
    assert (tmp_path / "env.json").stat().st_mode & 0o777 == 0o600


def test_a_secret_that_an_older_state_lacks_is_added_and_the_others_kept(tmp_path: Path) -> None:
    write_record(tmp_path / "env.json", {"SECRET_KEY": "older"})
    completed = stored_secrets(tmp_path)
    assert completed["SECRET_KEY"] == "older"
    assert json.loads((tmp_path / "env.json").read_text()) == completed
    assert completed.keys() == generate_secrets().keys()


def test_proxies_are_passed_on_and_stale_settings_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    for name in (
        "LATCHKEY_ENV",
        "PGHOST",
        "GRANIAN_PORT",
        "CELERY_BROKER_URL",
        "DJANGO_SETTINGS_MODULE",
        "STATIC_ROOT",
    ):
        monkeypatch.setenv(name, "stale")
    passed = inherited()
    assert passed["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert "stale" not in passed.values()


def test_the_stack_runs_in_development_under_one_public_url(tmp_path: Path) -> None:
    settings = development_settings(folder=tmp_path, urls=URLS)
    assert settings["LATCHKEY_ENV"] == "development"
    assert settings["PUBLIC_URL"] == "http://w"
    assert settings["LATCHKEY_SPOOL_DIR"] == str(tmp_path / "spool")
