import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.services.account import reachable_place, remove_place, server_account

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="concerns root alone")


@pytest.fixture
def private_home(tmp_path: Path) -> Iterator[Path]:
    """A folder below one that only its owner may enter."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "postgres"
    home.mkdir(mode=0o711)
    yield home
    remove_place(home)


@pytest.mark.skipif(os.geteuid() == 0, reason="concerns ordinary users")
def test_an_ordinary_user_runs_it_as_himself_in_place(private_home: Path) -> None:
    account = server_account(private_home / "data")
    assert (account.uid, account.drops) == (os.geteuid(), False)
    assert reachable_place(private_home, account) == private_home


@as_root
def test_root_becomes_somebody_without_groups_or_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-this-test")
    account = server_account(tmp_path / "data")
    seen = account.run(["/bin/sh", "-c", "id -u; id -G; env"]).stdout
    assert seen.splitlines()[:2] == [str(account.uid), str(account.gid)]
    assert account.uid != 0
    assert "canary-of-this-test" not in seen


@as_root
def test_root_serves_existing_data_as_its_owner(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", 12345, 12346)
    account = server_account(tmp_path / "data")
    assert (account.uid, account.gid) == (12345, 12346)


@as_root
def test_a_closed_clone_gets_a_place_elsewhere_and_keeps_it(private_home: Path) -> None:
    account = server_account(private_home / "data")
    place = reachable_place(private_home, account)
    assert place != private_home
    assert account.can_enter(place)
    assert (place.stat().st_uid, place.stat().st_mode & 0o077) == (0, 0o011)
    assert reachable_place(private_home, account) == place
    remove_place(private_home)
    assert not place.exists()


@as_root
@pytest.mark.parametrize("in_use", [False, True])
def test_the_place_of_a_deleted_state_folder_is_removed_unless_a_server_runs_there(
    private_home: Path, in_use: bool
) -> None:
    account = server_account(private_home / "data")
    older = reachable_place(private_home, account)
    (older / "data").mkdir()
    if in_use:
        (older / "data" / "postmaster.pid").write_text("1\n")
    (private_home / "place").unlink()
    assert reachable_place(private_home, account) != older
    assert older.exists() is in_use
    shutil.rmtree(older, ignore_errors=True)


@as_root
@pytest.mark.parametrize("fault", ["another owner", "writable by others", "a link", "gone"])
def test_a_place_that_others_could_have_made_is_not_used(private_home: Path, tmp_path: Path, fault: str) -> None:
    account = server_account(private_home / "data")
    place = reachable_place(private_home, account)
    if fault == "another owner":
        os.chown(place, 65534, 65534)
    elif fault == "writable by others":
        place.chmod(0o777)
    else:
        place.rmdir()
    if fault == "a link":
        place.symlink_to(tmp_path)
    try:
        replacement = reachable_place(private_home, account)
        assert replacement not in (place, private_home)
    finally:
        if place.is_symlink():
            place.unlink()
        shutil.rmtree(place, ignore_errors=True)
