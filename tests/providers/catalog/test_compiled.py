"""What is compiled is read again, as long as it may be believed; whatever goes wrong, the entries are right."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from providers.catalog.compiled import Compiled, compiled
from providers.catalog.loader import load_entry
from providers.catalog.schema import CatalogEntry

ENTRY = 'name = "{name}"\ncategory = "CRM"\n[aliases]\n{slug}-token = "bearer_token"\n[bearer_token]\n'
TWO_AT_ONCE = """
import sys
from pathlib import Path
from providers.catalog import loader
from providers.catalog.compiled import compiled
folder = Path(sys.argv[1])
def read(path, content):
    with (folder / "read.log").open("a") as log:
        log.write(path.stem + "\\n")
    return loader._checked(path, content)
print(sorted(compiled(folder, keep_in=folder / "kept", read=read).listed))
"""


class Folder:
    """A folder of entries, and which of them were read."""

    def __init__(self, path: Path) -> None:
        self.path, self.kept = path, path / "kept"
        self.was_read: list[str] = []

    def write(self, slug: str, name: str) -> None:
        (self.path / f"{slug}.toml").write_text(ENTRY.format(name=name, slug=slug), encoding="utf-8")

    def load(self, **how: Any) -> Compiled:
        self.was_read.clear()
        return compiled(self.path, keep_in=self.kept, read=self._read, **how)

    def _read(self, path: Path, content: bytes) -> tuple[dict[str, Any], CatalogEntry]:
        self.was_read.append(path.stem)
        entry = load_entry(path)
        return {"name": entry.name}, entry


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path)
    found.write("acme", "Acme")
    found.write("globex", "Globex ÄÖ")
    found.load()
    assert found.was_read == ["acme", "globex"]
    return found


def is_right(found: Compiled) -> bool:
    return {slug: found.document(slug)["name"] for slug in found.listed} == {"acme": "Acme", "globex": "Globex ÄÖ"}


def test_a_second_start_reads_no_entry(folder: Folder) -> None:
    found = folder.load()
    assert folder.was_read == []
    assert is_right(found)
    assert found.listed["acme"].name == "Acme"
    assert found.listed["acme"].styles == ("bearer_token",)
    assert found.listed["acme"].aliases == {"acme-token": "bearer_token"}


def test_only_what_has_changed_is_read_again(folder: Folder) -> None:
    folder.write("globex", "Globex, renamed")
    folder.write("initech", "Initech")
    (folder.path / "acme.toml").unlink()
    found = folder.load()
    assert folder.was_read == ["globex", "initech"]
    assert [found.document(slug)["name"] for slug in found.listed] == ["Globex, renamed", "Initech"]
    folder.load()
    assert folder.was_read == []


def cut_short(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-5])


def change_a_letter(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes().replace(b'"Acme"', b'"Evil"'))


def empty(kept: Path) -> None:
    kept.write_bytes(b"")


def be_of_another_version(kept: Path) -> None:
    head, documents = kept.read_bytes().partition(b"\n")[2].split(b"\n", 1)
    content = json.dumps(json.loads(head) | {"format": 0}).encode() + b"\n" + documents
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def be_made_by_other_code(kept: Path) -> None:
    head, documents = kept.read_bytes().partition(b"\n")[2].split(b"\n", 1)
    content = json.dumps(json.loads(head) | {"code": "other"}).encode() + b"\n" + documents
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def hold_something_else(kept: Path) -> None:
    content = b"[1, 2]\n"
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def hold_a_list_of_files(kept: Path) -> None:
    head, documents = kept.read_bytes().partition(b"\n")[2].split(b"\n", 1)
    content = json.dumps(json.loads(head) | {"files": []}).encode() + b"\n" + documents
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def be_nested_without_end(kept: Path) -> None:
    content = b"[" * 100_000 + b"\n"
    kept.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def be_a_pipe_that_nobody_writes_to(kept: Path) -> None:
    kept.unlink()
    os.mkfifo(kept)


def never_end(kept: Path) -> None:
    kept.unlink()
    kept.symlink_to("/dev/zero")


def be_writable_by_others(kept: Path) -> None:
    kept.chmod(0o666)


def be_a_folder(kept: Path) -> None:
    kept.unlink()
    kept.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        cut_short,
        change_a_letter,
        empty,
        be_of_another_version,
        be_made_by_other_code,
        hold_something_else,
        hold_a_list_of_files,
        be_nested_without_end,
        be_a_pipe_that_nobody_writes_to,
        never_end,
        be_writable_by_others,
        be_a_folder,
    ],
)
def test_what_may_not_be_believed_is_compiled_again(folder: Folder, spoil: Callable[[Path], None]) -> None:
    spoil(folder.kept)
    found = folder.load()
    assert folder.was_read == ["acme", "globex"]
    assert is_right(found)
    folder.load()
    assert folder.was_read == ([] if spoil is not be_a_folder else ["acme", "globex"])
    assert [
        path.name for path in folder.path.iterdir() if path.name.startswith("kept.") and path.suffix != ".lock"
    ] == []


def test_a_place_that_takes_no_file_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = Folder(tmp_path)
    folder.write("acme", "Acme")
    folder.write("globex", "Globex ÄÖ")
    (tmp_path / "no-folder").write_text("")
    folder.kept = tmp_path / "no-folder" / "kept"
    assert is_right(folder.load())
    assert [record.levelname for record in caplog.records if "catalog_not_kept" in record.getMessage()] == ["WARNING"]
    assert is_right(folder.load())
    assert folder.was_read == ["acme", "globex"]


def test_what_is_wrong_keeps_nothing_from_being_right_later(folder: Folder) -> None:
    (folder.path / "globex.toml").write_text("name = 1")
    with pytest.raises(ValueError, match=r"globex\.toml: name"):
        folder.load()
    folder.write("globex", "Globex ÄÖ")
    assert is_right(folder.load())


def test_an_empty_folder_keeps_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert not folder.load().listed
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_compile_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number in range(20):
        folder.write(f"vendor-{number}", f"Vendor {number}")
    command = [sys.executable, "-c", TWO_AT_ONCE, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(3)]
    answers = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(answers) == 1
    assert len((tmp_path / "read.log").read_text().splitlines()) == 20
