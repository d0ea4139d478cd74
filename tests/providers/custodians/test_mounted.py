"""Mounted files: links as Kubernetes makes them are followed, and nothing leads out of the folder."""

import os
import threading
import time
from pathlib import Path

import pytest

from providers.custodians.asking import CustodianAway, CustodianError, CustodianRefuses
from providers.custodians.custody import Custody
from providers.custodians.mounted import MOST_BYTES, read_file
from tests.providers.custodians.test_wrapping import Use


def put(path: Path, content: bytes | str = "s3cret", *, age: float = 60.0) -> Path:
    """Write a file that was changed ``age`` seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def read(path: Path, *, within: Path) -> str:
    return read_file(str(path), within=f"{within}/")


def mount(folder: Path, version: str, content: str) -> None:
    """Change a folder as Kubernetes does: files in a new folder, and one link that leads there from now on."""
    put(folder / f"..{version}" / "hubspot", content)
    (folder / "..new").symlink_to(f"..{version}")
    (folder / "..new").rename(folder / "..data")
    if not (folder / "hubspot").is_symlink():
        (folder / "hubspot").symlink_to("..data/hubspot")


def test_a_mounted_secret_is_followed_from_version_to_version(tmp_path: Path) -> None:
    for version, content in (("2026_1", "first"), ("2026_2", "second")):
        mount(tmp_path, version, content)
        assert read(tmp_path / "hubspot", within=tmp_path) == content
    assert read_file(str(tmp_path / "hubspot"), within=str(tmp_path / "hubspot")) == "second"


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    allowed, outside = tmp_path / "allowed", put(tmp_path / "outside" / "key", "another's")
    put(tmp_path / "allowed-not" / "key", "another's")
    allowed.mkdir()
    (allowed / "link").symlink_to(outside)
    (allowed / "folder").symlink_to(outside.parent)
    (allowed / "up").symlink_to("../allowed-not/key")
    (allowed / "environ").symlink_to("/proc/self/environ")
    (allowed / "loop").symlink_to("loop")
    for name in ("link", "folder/key", "up", "environ", "loop"):
        with pytest.raises(CustodianError) as refusal:
            read(allowed / name, within=allowed)
        assert "another's" not in str(refusal.value), name


def test_an_allowed_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "real" / "key", "s3cret")
    (tmp_path / "link").symlink_to("real")
    assert read(tmp_path / "link" / "key", within=tmp_path / "link") == "s3cret"


def test_what_latchkey_itself_reads_goes_to_nobody(tmp_path: Path, use: Use) -> None:
    mount(tmp_path, "2026_1", "the installation's own key")
    put(tmp_path / "other")
    use(Custody(own_files=(str(tmp_path / "hubspot"),)))
    with pytest.raises(CustodianRefuses, match="Latchkey itself"):
        read(tmp_path / "..data" / "hubspot", within=tmp_path)
    assert read(tmp_path / "other", within=tmp_path) == "s3cret"


def test_only_a_plain_file_of_text_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    put(tmp_path / "large", b"a" * (MOST_BYTES + 1))
    put(tmp_path / "binary", b"\xff\xfe\x00")
    began = time.monotonic()
    for name in ("pipe", "folder", "large", "binary"):
        with pytest.raises(CustodianRefuses):
            read(tmp_path / name, within=tmp_path)
    assert time.monotonic() - began < 60, "nobody writes to the pipe, and nobody waits for that"
    with pytest.raises(CustodianAway, match="No such file"):
        read(tmp_path / "missing", within=tmp_path)


def test_a_file_that_has_just_changed_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = put(tmp_path / "key", "half", age=0)
    threading.Timer(0.2, put, (path, "whole"), {"age": 5}).start()
    assert read(path, within=tmp_path) == "whole"
