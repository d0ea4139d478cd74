"""``manage.py tenants export`` and its siblings, as far as ``lifecycle/port/test_receive.py`` does not test them."""

from pathlib import Path

import pyrage
import pytest

from connections.models import Bundle, Tenant
from tests.connections.management.conftest import Run
from tests.factories import make_tenant

OURS = pyrage.x25519.Identity.generate()


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    return make_tenant("acme")


def test_nothing_stands_still_for_an_export_that_cannot_be_locked(run: Run, acme: Tenant, tmp_path: Path) -> None:
    for wanted in ([], ["--recipient", "age1bad"]):
        assert run("tenants", "export", "acme", tmp_path / "x", "--move", *wanted).code == 1
    acme.refresh_from_db()
    assert acme.suspended_at is None
    assert not Bundle.objects.exists()


def test_no_file_is_overwritten(run: Run, acme: Tenant, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("precious")
    ran = run("tenants", "export", "acme", tmp_path / "x", "--recipient", str(OURS.to_public()))
    assert (ran.code, (tmp_path / "x").read_text()) == (1, "precious")


def test_who_signed_has_to_be_known(run: Run, acme: Tenant, tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    identity.write_text(str(OURS))
    assert run("tenants", "export", "acme", tmp_path / "x", "--recipient", str(OURS.to_public())).code == 0
    opened = ["--identity-file", identity]
    assert "signing-key" in run("tenants", "import", tmp_path / "x", "--signer", "nobody", *opened).err
    key = run("tenants", "signing-key").out.strip()
    assert "this very installation" in run("tenants", "import", tmp_path / "x", "--signer", key, *opened).err
    assert "cannot be read" in run("tenants", "import", tmp_path / "missing", "--signer", key, *opened).err


def test_a_tenant_is_taken_back_only_by_a_word(run: Run, acme: Tenant, tmp_path: Path) -> None:
    run("tenants", "export", "acme", tmp_path / "x", "--recipient", str(OURS.to_public()), "--move")
    assert run("tenants", "take-back", "acme").code == 1
    assert run("tenants", "take-back", "acme", "--yes").code == 0
    acme.refresh_from_db()
    assert acme.suspended_at is None
