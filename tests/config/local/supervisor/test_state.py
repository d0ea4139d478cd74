import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.supervisor.state import LocalStackError, locked, make_folder, read_record, write_record
from config.local.supervisor.watchdog import is_alive

_HOLD_LOCK = """
import sys, time
from pathlib import Path
from config.local.supervisor.state import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _holder(folder: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", _HOLD_LOCK, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_record_is_private_and_reads_back(tmp_path: Path) -> None:
    write_record(tmp_path / "record.json", {"port": 8000})
    assert read_record(tmp_path / "record.json") == {"port": 8000}
    assert (tmp_path / "record.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_missing_record_is_empty(tmp_path: Path) -> None:
    assert read_record(tmp_path / "record.json") == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_damaged_record_says_what_to_delete(tmp_path: Path, content: str) -> None:
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(LocalStackError, match="damaged: delete the folder"):
        read_record(tmp_path / "record.json")


def test_a_folder_cannot_be_listed_by_others(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "state" / "inner")
    assert folder.stat().st_mode & 0o066 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    with pytest.raises(LocalStackError, match="belongs to another user"):
        make_folder(tmp_path / "theirs")


def test_a_second_start_is_refused_and_names_the_first(tmp_path: Path) -> None:
    with _holder(tmp_path) as holder:
        try:
            with (
                pytest.raises(LocalStackError, match=rf"already runs from .* \(process {holder.pid}\)"),
                locked(tmp_path),
            ):
                pass
        finally:
            holder.kill()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with _holder(tmp_path) as holder:
        holder.kill()
        holder.wait()
        with locked(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    assert (tmp_path / "lock").read_text() == ""


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(process.pid)
    process.wait()
    assert is_alive(os.getpid())
